// SPDX-License-Identifier: BSD-3-Clause
import { mkdirSync } from "node:fs";
import { type Database, open, type RootDatabase } from "lmdb";
import {
  type DirectoryEntry,
  type DirectoryStore,
  directoryKey,
  formatEntry,
  parseEntry,
} from "./directoryStore.ts";

class LmdbDirectoryStore implements DirectoryStore {
  private readonly root: RootDatabase;
  private readonly addresses: Database<string, string>;

  constructor(root: RootDatabase) {
    this.root = root;
    this.addresses = root.openDB({ name: "addresses" });
  }

  get(atSign: string): DirectoryEntry | undefined {
    // Another process may have written since the last look.
    this.root.resetReadTxn();
    const text = this.addresses.get(directoryKey(atSign));
    return text === undefined ? undefined : parseEntry(text);
  }

  async set(atSign: string, entry: DirectoryEntry): Promise<void> {
    await this.addresses.put(directoryKey(atSign), formatEntry(entry));
  }

  async remove(atSign: string): Promise<boolean> {
    const key = directoryKey(atSign);
    return await this.root.transaction(() => {
      const there = this.addresses.get(key) !== undefined;
      if (there) this.addresses.remove(key);
      return there;
    });
  }

  async close(): Promise<void> {
    await this.root.close();
  }
}

/** Opens, or makes, a directory's store in a folder. Every write is on disk before it resolves. */
export function openDirectoryStore(path: string): DirectoryStore {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return new LmdbDirectoryStore(open({ path, maxDbs: 4, overlappingSync: false }));
}
