// SPDX-License-Identifier: BSD-3-Clause
import { isIPv6 } from "node:net";
import { type Address, formatAddress, parseAddress, readAddress } from "../net/address.ts";
import { atSignName, normalizeAtSign } from "../wire/atsign.ts";
import { AtError } from "../wire/errors.ts";

/** Where an atSign's atServer is; nothing else is known about anybody. */
export type DirectoryEntry = Address;

/**
 * atSigns and the addresses of their atServers; several processes may read and write one at once. Every method throws
 * AT0011 or AT0016 for text that can't be an atSign, and DirectoryStoreAway when the store doesn't answer now but may later.
 */
export interface DirectoryStore {
  get(atSign: string): DirectoryEntry | undefined | Promise<DirectoryEntry | undefined>;
  /** Resolves when the store has kept it. Throws RangeError for an invalid address. */
  set(atSign: string, entry: DirectoryEntry): Promise<void>;
  /** Resolves, when the store has kept it, with whether the atSign was there. */
  remove(atSign: string): Promise<boolean>;
  close(): Promise<void>;
}

/** The store can't be asked at the moment. */
export class DirectoryStoreAway extends Error {
  override readonly name = "DirectoryStoreAway";
}

/** The key of an atSign: its name without `@`. Throws as `normalizeAtSign`. */
export function directoryKey(atSign: string): string {
  return atSignName(normalizeAtSign(atSign));
}

/** `host:port`, as every store keeps it and a directory answers. Throws RangeError with what to write instead. */
export function formatEntry(entry: DirectoryEntry): string {
  const text = formatAddress(entry);
  try {
    parseAddress(text);
  } catch (cause) {
    if (!(cause instanceof AtError)) throw cause;
    throw new RangeError(cause.message, { cause });
  }
  return text;
}

/** The opposite of `formatEntry`; undefined for text that is not `host:port`. */
export function parseEntry(text: string): DirectoryEntry | undefined {
  const found = readAddress(text) ?? readAddress(withBrackets(text));
  return found?.port === undefined ? undefined : { host: found.host, port: found.port };
}

/** Earlier versions kept IPv6 addresses without brackets; the port is always there, so the last colon is its own. */
function withBrackets(text: string): string {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon);
  return isIPv6(host) ? formatAddress({ host, port: Number(text.slice(colon + 1)) }) : text;
}
