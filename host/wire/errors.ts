// SPDX-License-Identifier: BSD-3-Clause
import { jsonLimits, parseJson } from "./json.ts";

/** One error code: the words of the protocol, and whether the server hangs up after saying it. */
interface ErrorEntry {
  readonly text: string;
  readonly closes: boolean;
}

/** Every code of the atProtocol (error codes of the specification). AT0011 closes only where its thrower says so. */
export const errorTable = {
  AT0001: { text: "Server exception", closes: false },
  AT0002: { text: "DataStore exception", closes: true },
  AT0003: { text: "Invalid syntax", closes: false },
  AT0004: { text: "Socket error", closes: false },
  AT0005: { text: "Buffer limit exceeded", closes: true },
  AT0006: { text: "Outbound connection limit exceeded", closes: false },
  AT0007: { text: "Secondary server not found", closes: false },
  AT0008: { text: "Handshake failure", closes: false },
  AT0009: { text: "UnAuthorized client in request", closes: false },
  AT0010: { text: "Internal server error", closes: false },
  AT0011: { text: "Internal server exception", closes: false },
  AT0012: { text: "Inbound connection limit exceeded", closes: true },
  AT0013: { text: "Connection Exception", closes: true },
  AT0014: { text: "Unknown AtClient exception", closes: false },
  AT0015: { text: "key not found", closes: false },
  AT0016: { text: "Invalid key", closes: false },
  AT0021: { text: "Unable to connect to secondary", closes: false },
  AT0022: { text: "Illegal arguments", closes: false },
  AT0023: { text: "Timeout waiting for response", closes: false },
  AT0024: { text: "Server is paused", closes: true },
  AT0025: { text: "Apkam Auth Denied", closes: false },
  AT0026: { text: "Apkam Auth Failed", closes: false },
  AT0027: { text: "Apkam Access Revoked", closes: false },
  AT0028: { text: "Too Many Requests", closes: false },
  AT0029: { text: "Apkam Enrollment Expired", closes: false },
  AT0030: { text: "Invalid Enrollment Status", closes: false },
  AT0031: { text: "Cannot revoke self enrollment", closes: false },
  AT0032: { text: "Illegal state exception", closes: false },
  AT0401: { text: "Client authentication failed", closes: false },
} as const satisfies Record<string, ErrorEntry>;

/** A code of errorTable. */
export type ErrorCode = keyof typeof errorTable;

/** What an error has besides code and message. */
export interface AtErrorOptions {
  cause?: unknown;
  /** Hang up after the reply; by default what the table says of the code. */
  closes?: boolean;
  /** Write the `error:CODE:message` form, never JSON (answers returned by value). */
  byValue?: boolean;
}

/** Most characters of what somebody sent that an error quotes. */
const MAX_QUOTED = 100;
/** Most characters of an error's words, whoever they are from. */
const MAX_DESCRIPTION = 1_000;

function beginning(text: string, length: number): string {
  if (text.length <= length) return text;
  // Half of a surrogate pair is no character.
  return `${text.slice(0, length).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** What somebody sent, as an error quotes it: its first 100 characters, and `…` when there are more. */
export function quoted(text: string): string {
  return beginning(text, MAX_QUOTED);
}

/** An error of the atProtocol: thrown by the server's verbs, and what a client makes of an `error:` reply. */
export class AtError extends Error {
  readonly code: ErrorCode;
  readonly closes: boolean;
  readonly byValue: boolean;

  constructor(code: ErrorCode, message: string, options: AtErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AtError";
    this.code = code;
    this.closes = options.closes ?? errorTable[code].closes;
    this.byValue = options.byValue ?? false;
  }
}

/** Whether errorTable has this code. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorTable, text);
}

/** How one connection wants its errors: JSON after a client version above 3.0.37, and the owner gets the code's words. */
export interface ErrorStyle {
  json: boolean;
  owner: boolean;
}

function messageOf(error: AtError): string {
  return beginning(error.message, MAX_DESCRIPTION).replace(/[\r\n]+/g, " ");
}

function describe(error: AtError, owner: boolean): string {
  const message = messageOf(error);
  if (error.code === "AT0004") {
    return owner
      ? `${errorTable.AT0004.text} : SocketException: ${message}`
      : `SocketException: ${message}`;
  }
  if (owner) return `${errorTable[error.code].text} : ${message}`;
  return error.code === "AT0002" ? message : `Exception: ${message}`;
}

/** The reply to a failed command, from `error:` to before the line feed. */
export function formatError(error: AtError, style: ErrorStyle): string {
  if (error.byValue) return `error:${error.code}:${messageOf(error)}`;
  const errorDescription = describe(error, style.owner);
  if (style.json) return `error:${JSON.stringify({ errorCode: error.code, errorDescription })}`;
  return `error:${error.code}-${errorDescription}`;
}

function parseJsonError(text: string): AtError | undefined {
  try {
    const value = parseJson(text, jsonLimits.answer);
    if (typeof value !== "object" || value === null) return undefined;
    const { errorCode, errorDescription } = value as Record<string, unknown>;
    if (typeof errorCode !== "string" || typeof errorDescription !== "string") return undefined;
    return knownError(errorCode, errorDescription, false);
  } catch (cause) {
    return new AtError("AT0011", text, { cause });
  }
}

function knownError(code: string, description: string, byValue: boolean): AtError {
  if (isErrorCode(code)) return new AtError(code, description, { byValue });
  return new AtError("AT0011", `${code}: ${description}`, { byValue });
}

/**
 * Reads an error reply in any of its three forms: `error:AT0015-text`, `error:{"errorCode":…}`, `error:AT0028:text`.
 * The leading `error:` may be missing. The message is the description as received; a code not in the table becomes
 * AT0011 and stays readable in the message.
 */
export function parseError(reply: string): AtError {
  const text = reply.startsWith("error:") ? reply.slice("error:".length) : reply;
  if (text.startsWith("{")) return parseJsonError(text) ?? new AtError("AT0011", text);
  const match = /(AT\d{4})([-:])/.exec(text);
  if (match === null) return new AtError("AT0011", text);
  const description = text.slice(match.index + match[0].length);
  return knownError(match[1] ?? "", description, match[2] === ":");
}
