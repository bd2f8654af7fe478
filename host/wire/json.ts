// SPDX-License-Identifier: BSD-3-Clause
// JSON that others wrote. It is measured before it is parsed: a few megabytes of brackets would cost hundreds in memory, and
// what is nested thousands deep ends whoever goes through it by recursion.
import { MAX_LINE_BYTES } from "./line.ts";

/** How large a JSON text may be. */
export interface JsonLimits {
  /** Length of the text, UTF-16 units. */
  readonly characters: number;
  /** Arrays and objects within each other; `[]` has 1. */
  readonly depth: number;
  /** Elements of arrays and members of objects in all; an empty array or object counts as one. */
  readonly members: number;
}

/** Most arrays and objects within each other that a client's text may have. */
export const MAX_JSON_DEPTH = 16;

/** The limits, by what the text is. */
export const jsonLimits = {
  /** `from:…:clientConfig`, sent before the login. */
  clientConfig: { characters: 16_384, depth: MAX_JSON_DEPTH, members: 1_000 },
  /** What a peer's atServer asks this one to sign. */
  polChallenge: { characters: 1_024, depth: 2, members: 16 },
  /** Parameters of enroll commands, some sent before the login. */
  enrollment: { characters: 786_432, depth: MAX_JSON_DEPTH, members: 10_000 },
  /** `update:json` and `batch` of the owner. */
  command: { characters: MAX_LINE_BYTES, depth: MAX_JSON_DEPTH, members: 100_000 },
  /** `appMetadata` in a metadata fragment, once it is decoded. */
  appMetadata: { characters: 262_144, depth: MAX_JSON_DEPTH, members: 10_000 },
  /** What an atServer answers or pushes: it wraps what clients gave it, and a scan lists every key. */
  answer: { characters: MAX_LINE_BYTES, depth: MAX_JSON_DEPTH + 4, members: 1_000_000 },
  /** Files of keys. */
  file: { characters: 1_048_576, depth: MAX_JSON_DEPTH, members: 1_000 },
  /** A value that another program made and sent through an atServer: a reading, a command. */
  message: { characters: 65_536, depth: MAX_JSON_DEPTH, members: 1_000 },
} as const satisfies Record<string, JsonLimits>;

/** What is wrong with a text. */
export type JsonFault = "malformed" | "long" | "deep" | "many";

/** A text that isn't taken; the message goes on after the text's name and quotes nothing of it. */
export class JsonError extends Error {
  override readonly name = "JsonError";
  readonly fault: JsonFault;

  constructor(fault: JsonFault, limits: JsonLimits) {
    super(wordsOf(fault, limits));
    this.fault = fault;
  }
}

function wordsOf(fault: JsonFault, { characters, depth, members }: JsonLimits): string {
  switch (fault) {
    case "malformed":
      return "is not JSON";
    case "long":
      return `is longer than ${characters} characters`;
    case "deep":
      return `is nested deeper than ${depth} levels`;
    case "many":
      return `has more than ${members} elements`;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Place of the quote that ends the string which begins at `start`; -1 when it has none. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end > 0) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return -1;
}

/** Goes through a text once, without making anything of it; undefined when it is within the limits. */
function measure(text: string, limits: JsonLimits): JsonFault | undefined {
  if (text.length > limits.characters) return "long";
  let depth = 0;
  let members = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        if (at < 0) return "malformed";
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        depth += 1;
        if (depth > limits.depth) return "deep";
        members += 1;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth -= 1;
        break;
      case COMMA:
        members += 1;
        break;
    }
    if (members > limits.members) return "many";
  }
  return undefined;
}

/** Parses a text that somebody else wrote. Throws JsonError, before anything is made of a text that is beyond the limits. */
export function parseJson(text: string, limits: JsonLimits): unknown {
  const fault = measure(text, limits);
  if (fault !== undefined) throw new JsonError(fault, limits);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own error quotes the text, which may be secret.
    throw new JsonError("malformed", limits);
  }
}

/** Parses a text that this program wrote, in its store or to its parent. Throws SyntaxError. */
export function parseOwnJson(text: string): unknown {
  return JSON.parse(text);
}

/** Whether a value has arrays and objects within each other, itself included, to more than `depth` levels. */
export function isNestedDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth === 0) return true;
  return Object.values(value).some((member) => isNestedDeeper(member, depth - 1));
}

/** Backspace, tab, line feed, form feed and carriage return. */
const hasShortEscape = (code: number): boolean => code >= 8 && code <= 13 && code !== 11;

/** Bytes of one UTF-16 code unit of a JSON string in UTF-8; half a surrogate pair has half the pair's four. */
function unitBytes(code: number): number {
  if (code === QUOTE || code === BACKSLASH || hasShortEscape(code)) return 2;
  if (code < 0x20) return 6;
  if (code < 0x80) return 1;
  if (code < 0x800 || (code >= 0xd800 && code < 0xe000)) return 2;
  return 3;
}

/** Bytes of a text as a JSON string in UTF-8, quotes left out, without making it: a control character has six. */
export function jsonBytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) bytes += unitBytes(text.charCodeAt(at));
  return bytes;
}
