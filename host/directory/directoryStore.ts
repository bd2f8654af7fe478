// SPDX-License-Identifier: BSD-3-Clause
import { atSignName, normalizeAtSign } from "../wire/atsign.ts";

/** Where an atSign's atServer is; nothing else is known about anybody. */
export interface DirectoryEntry {
  host: string;
  port: number;
}

/**
 * atSigns and the addresses of their atServers; several processes may read and write one at once. Every method throws
 * AT0011 or AT0016 for text that can't be an atSign, and DirectoryStoreAway when the store doesn't answer now but may later.
 */
export interface DirectoryStore {
  get(atSign: string): DirectoryEntry | undefined | Promise<DirectoryEntry | undefined>;
  /** Resolves when the store has kept it. Throws RangeError for an address that is none. */
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

/** `host:port`, as every store keeps it. Throws RangeError. */
export function formatEntry({ host, port }: DirectoryEntry): string {
  if (!/^[A-Za-z0-9.-]{1,253}$|^[0-9A-Fa-f:]{2,45}$/.test(host)) {
    throw new RangeError(`${host} is neither a host name nor an address`);
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError(`${port} is not a port`);
  }
  return `${host}:${port}`;
}

/** The opposite of `formatEntry`; undefined for text that is no `host:port`. */
export function parseEntry(text: string): DirectoryEntry | undefined {
  const colon = text.lastIndexOf(":");
  const port = Number(text.slice(colon + 1));
  if (colon <= 0 || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { host: text.slice(0, colon), port };
}
