// SPDX-License-Identifier: BSD-3-Clause
import { mkdirSync } from "node:fs";
import { type Database, open, type RootDatabase } from "lmdb";
import { atSignName, normalizeAtSign } from "../wire/atsign.ts";

/** Where an atSign's atServer is; nothing else is known about anybody. */
export interface DirectoryEntry {
  host: string;
  port: number;
}

/** atSigns and the addresses of their atServers; several processes may read and write one at once. */
export interface DirectoryStore {
  get(atSign: string): DirectoryEntry | undefined;
  /** Resolves when on disk. */
  set(atSign: string, entry: DirectoryEntry): Promise<void>;
  /** Resolves, when on disk, with whether the atSign was there. */
  remove(atSign: string): Promise<boolean>;
  /** All atSigns with their `@`, ascending. */
  list(): Iterable<[atSign: string, entry: DirectoryEntry]>;
  close(): Promise<void>;
}

function checked({ host, port }: DirectoryEntry): string {
  if (!/^[A-Za-z0-9.-]{1,253}$|^[0-9A-Fa-f:]{2,45}$/.test(host)) {
    throw new RangeError(`${host} is neither a host name nor an address`);
  }
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError(`${port} is not a port`);
  }
  return `${host}:${port}`;
}

function parse(text: string): DirectoryEntry {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

const nameOf = (atSign: string): string => atSignName(normalizeAtSign(atSign));

class LmdbDirectoryStore implements DirectoryStore {
  private readonly root: RootDatabase;
  private readonly addresses: Database<string, string>;

  constructor(root: RootDatabase) {
    this.root = root;
    this.addresses = root.openDB({ name: "addresses" });
  }

  get(atSign: string): DirectoryEntry | undefined {
    this.root.resetReadTxn();
    const text = this.addresses.get(nameOf(atSign));
    return text === undefined ? undefined : parse(text);
  }

  async set(atSign: string, entry: DirectoryEntry): Promise<void> {
    await this.addresses.put(nameOf(atSign), checked(entry));
  }

  remove(atSign: string): Promise<boolean> {
    const name = nameOf(atSign);
    return this.root.transaction(() => {
      const there = this.addresses.get(name) !== undefined;
      if (there) this.addresses.remove(name);
      return there;
    });
  }

  *list(): Iterable<[string, DirectoryEntry]> {
    this.root.resetReadTxn();
    for (const { key, value } of this.addresses.getRange()) yield [`@${key}`, parse(value)];
  }

  async close(): Promise<void> {
    await this.root.close();
  }
}

/** Opens, or makes, the directory's store in a folder. */
export function openDirectoryStore(path: string): DirectoryStore {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return new LmdbDirectoryStore(open({ path, maxDbs: 4, overlappingSync: false }));
}
