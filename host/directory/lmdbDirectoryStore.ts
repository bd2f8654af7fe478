// SPDX-License-Identifier: BSD-3-Clause
import type { Database, RootDatabase } from "lmdb";
import { openLmdb, writeFailure } from "../store/openLmdb.ts";
import { adoptSchema, requireKind } from "../store/schema.ts";
import { StoreError } from "../store/store.ts";
import {
  type DirectoryEntry,
  type DirectoryStore,
  directoryKey,
  formatEntry,
  parseEntry,
} from "./directoryStore.ts";

/** Version of what is on disk; a store written by a newer one is refused. */
export const DIRECTORY_SCHEMA_VERSION = 1;

class LmdbDirectoryStore implements DirectoryStore {
  private readonly root: RootDatabase;
  private readonly path: string;
  private readonly addresses: Database<string, string>;

  constructor(root: RootDatabase, path: string) {
    this.root = root;
    this.path = path;
    this.addresses = root.openDB({ name: "addresses" });
  }

  get(atSign: string): DirectoryEntry | undefined {
    // Another process may have written since the last look.
    this.root.resetReadTxn();
    const text = this.addresses.get(directoryKey(atSign));
    return text === undefined ? undefined : parseEntry(text);
  }

  async set(atSign: string, entry: DirectoryEntry): Promise<void> {
    const [key, text] = [directoryKey(atSign), formatEntry(entry)];
    await this.write(() => this.addresses.putSync(key, text));
  }

  async remove(atSign: string): Promise<boolean> {
    const key = directoryKey(atSign);
    return await this.write(() => {
      const there = this.addresses.get(key) !== undefined;
      if (there) this.addresses.removeSync(key);
      return there;
    });
  }

  async close(): Promise<void> {
    await this.root.close();
  }

  private async write<T>(action: () => T): Promise<Awaited<T>> {
    try {
      return await this.root.transaction(action);
    } catch (error) {
      throw await writeFailure(error, this.path);
    }
  }
}

/**
 * Opens, or makes, a directory's store in a folder. Every write is on disk before it resolves. Rejects with StoreError as
 * `openLmdb` throws, and for a store that a newer program wrote.
 */
export async function openDirectoryStore(path: string): Promise<DirectoryStore> {
  const root = openLmdb(path);
  try {
    requireKind(root, { name: "the store of an atDirectory", database: "addresses" }, path);
    adoptSchema(root, DIRECTORY_SCHEMA_VERSION, path);
    return new LmdbDirectoryStore(root, path);
  } catch (cause) {
    await root.close();
    if (cause instanceof StoreError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(`the store in ${path} can't be opened: ${reason}`, { cause });
  }
}
