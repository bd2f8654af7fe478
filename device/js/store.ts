// SPDX-License-Identifier: BSD-3-Clause
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

const TEMPORARY = ".tmp";

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * The board's key-value store: one file a slot, mode 0600, in a folder of mode 0700. A write is all or nothing: a new
 * file is completed and synchronised before it takes the old one's name. What a power cut leaves unfinished is removed
 * when the store is opened. Failures are thrown as the file system's errors.
 */
export class FileStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder)) {
      if (name.endsWith(TEMPORARY)) rmSync(join(folder, name));
    }
  }

  /** The slot's bytes, or null when it is empty. */
  read(id: number): Uint8Array | null {
    try {
      return readFileSync(this.#path(id));
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** Replaces the slot's bytes; durable when it returns. */
  write(id: number, bytes: Uint8Array): void {
    const temporary = `${this.#path(id)}${TEMPORARY}`;
    rmSync(temporary, { force: true });
    const handle = openSync(temporary, "wx", 0o600);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, this.#path(id));
    syncFolder(this.#folder);
  }

  /** Empties the slot; durable when it returns. */
  erase(id: number): void {
    rmSync(this.#path(id), { force: true });
    syncFolder(this.#folder);
  }

  #path(id: number): string {
    return join(this.#folder, `slot-${id}`);
  }
}
