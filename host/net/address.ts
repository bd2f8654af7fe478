// SPDX-License-Identifier: BSD-3-Clause
// How the place of an atServer or atDirectory is written, wherever one is read: options, files, what a directory answers.
import { isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import { AtError } from "../wire/errors.ts";

/** A host name, an IPv4 or an IPv6 address (without brackets), and a TCP port from 1 to 65535. */
export type Address = { readonly host: string; readonly port: number };

/** Port of an atDirectory, where its address doesn't say. */
export const DIRECTORY_PORT = 64;
const MAX_PORT = 65_535;
/** Most characters that an error quotes of a text that is not an address. */
const MAX_SHOWN = 100;

/**
 * `host:port` or `host`: a name (RFC 1123, and `_`) or an IPv4 address as it is, an IPv6 address in brackets without a
 * zone (RFC 3986, 3.2.2); the port without leading zeros.
 */
const SHAPE =
  /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z][0-9A-Za-z._-]{0,252}))(?::([1-9][0-9]{0,4}))?$/;

/** Reads `host:port` or `host`; undefined for anything else. */
export function readAddress(text: string): { host: string; port: number | undefined } | undefined {
  const [, bracketed, name, digits] = SHAPE.exec(text) ?? [];
  const host = bracketed ?? name;
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || (port !== undefined && port > MAX_PORT)) return undefined;
  return bracketed !== undefined && !isIPv6(bracketed) ? undefined : { host, port };
}

/** Reads `host:port`, or `host` where a default is given. Throws AT0022 with what to write instead. */
export function parseAddress(text: string, defaultPort?: number): Address {
  const found = readAddress(text);
  const port = found?.port ?? defaultPort;
  if (found !== undefined && port !== undefined) return { host: found.host, port };
  const message = `"${printable(text)}" is not an address: ${remedy(text, defaultPort)}`;
  throw new AtError("AT0022", message);
}

/** The opposite of `parseAddress`: an IPv6 address gets its brackets. */
export function formatAddress({ host, port }: Address): string {
  return `${formatHost(host)}:${port}`;
}

/** A host as it stands before a port. */
export function formatHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function remedy(text: string, defaultPort: number | undefined): string {
  const [, host = "", digits] = /^(.*?)(?::(\d+))?$/s.exec(text) ?? [];
  if (isIPv6(text) || isIPv6(host)) {
    return "write an IPv6 address in brackets, as in [::1]:6464";
  }
  const inAscii = /^[^\s:/@]*\P{ASCII}[^\s:/@]*$/u.test(host) ? domainToASCII(host) : "";
  if (inAscii !== "") return `write the host name in its ASCII form, ${inAscii}`;
  if (digits !== undefined && readAddress(host) !== undefined) {
    return `the port has to be from 1 to ${MAX_PORT}`;
  }
  return defaultPort === undefined ? "write host:port" : "write host or host:port";
}

/** The beginning of a text, everything but printable ASCII in it escaped. */
function printable(text: string): string {
  return text
    .slice(0, MAX_SHOWN)
    .replace(/[^\x20-\x7e]/gu, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);
}
