// SPDX-License-Identifier: BSD-3-Clause
// The addresses a board on Node gets from the core; core/test/vectors/addresses.json has the cases every reader of addresses agrees on.
import { isIPv6 } from "node:net";

/** A host name, an IPv4 or an IPv6 address (without brackets), and a TCP port from 1 to 65535. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const MAX_PORT = 65_535;
const SHAPE =
  /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z][0-9A-Za-z._-]{0,252}))(?::([1-9][0-9]{0,4}))?$/;

/** Reads "host:port", with an IPv6 address in brackets, or "host" where a default is given. Null when it is neither. */
export function parseAddress(text: string, defaultPort?: number): Address | null {
  const [, bracketed, name, digits] = SHAPE.exec(text) ?? [];
  const host = bracketed ?? name;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host === undefined || port === undefined || port > MAX_PORT) return null;
  return bracketed !== undefined && !isIPv6(bracketed) ? null : { host, port };
}
