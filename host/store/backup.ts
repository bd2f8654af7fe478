// SPDX-License-Identifier: BSD-3-Clause
// Backups of an atServer's store. A backup is one file: LMDB's own, as it was at one moment.
import { randomUUID } from "node:crypto";
import { createReadStream, existsSync, type Stats, statfsSync } from "node:fs";
import { link, mkdir, open, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setInterval as every } from "node:timers/promises";
import { syncFolder } from "../crypto/secretFile.ts";
import { copyStore, readStore, type StoreContents } from "./isolated.ts";
import { lockHolders } from "./lockHolders.ts";
import { requireSchema } from "./schema.ts";
import { SCHEMA_VERSION, StoreError } from "./store.ts";
import { checkStoreFile, damageOf, dataFile } from "./storeFile.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const PROGRESS_MILLIS = 500;

/** What a backup holds. */
export interface BackupSummary {
  /** Size of the file. */
  bytes: number;
  records: number;
  notifications: number;
  /** Highest commit id, -1 before the first. */
  commitId: number;
}

/** What a copy is made of: as sentences call it, and what to do when it is damaged. */
interface Source {
  name: string;
  remedy: string;
}

/** Watches a backup: gets its progress, and may end it. */
export interface Onlooker {
  signal?: AbortSignal;
  /** `bytes` of the whole are copied, or entries read again. */
  progress?(step: { copied: number; bytes: number } | { read: number }): void;
}

/**
 * Copies the store in a folder into a new file (0600), consistently, also while a server writes to it: everything that was
 * acknowledged before the call is in it, and of no transaction a part. The file appears when it is whole, on disk and was read
 * again from end to end. Rejects with StoreError, and with EEXIST for a file that is there.
 */
export async function backUpStore(
  folder: string,
  file: string,
  onlooker: Onlooker = {},
): Promise<BackupSummary> {
  if (!existsSync(dataFile(folder))) {
    throw new StoreError(
      `there is no store in ${folder}: name the folder the atServer has as --store`,
      { place: "missing" },
    );
  }
  checkStoreFile(folder);
  const source = { name: `the store in ${folder}`, remedy: "restore an earlier backup" };
  return await assemble(file, source, onlooker, async (temporary) => {
    const { size } = await stat(dataFile(folder));
    const copied = copyStore(folder, temporary, onlooker.signal);
    await observed(copied, dataFile(temporary), size, onlooker);
    const copy = await open(dataFile(temporary), "r+");
    try {
      await copy.chmod(FILE_MODE);
      await copy.sync();
    } finally {
      await copy.close();
    }
  });
}

/**
 * Puts a backup where a store is to be; the folder is made if need be and must hold none. The store appears when it is whole,
 * on disk and was read again from end to end. Rejects with StoreError.
 */
export async function restoreStore(
  file: string,
  folder: string,
  onlooker: Onlooker = {},
): Promise<BackupSummary> {
  requireFree(folder);
  const { size } = await requireFile(file);
  const source = { name: file, remedy: "use another backup" };
  const made = await makeFolders(folder);
  try {
    const summary = await assemble(dataFile(folder), source, onlooker, async (temporary) => {
      const copied = copyFile(file, dataFile(temporary), onlooker.signal);
      await observed(copied, dataFile(temporary), size, onlooker);
    });
    for (const path of made) await syncFolder(dirname(path));
    return summary;
  } catch (error) {
    for (const path of made) await rmdir(path);
    throw error;
  }
}

/** Makes a folder and those it is in; gives those that were not there, the innermost first. */
async function makeFolders(folder: string): Promise<string[]> {
  const made: string[] = [];
  const outermost = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  if (outermost === undefined) return made;
  for (let path = resolve(folder); path !== dirname(resolve(outermost)); path = dirname(path)) {
    made.push(path);
  }
  return made;
}

async function requireFile(path: string): Promise<Stats> {
  const found = await stat(path);
  if (found.isFile()) return found;
  throw new StoreError(`${path} is no file: name the one a backup was written to`);
}

/** Throws StoreError for a folder that has a store, or whose lock says that it had one. */
function requireFree(folder: string): void {
  const lock = join(folder, "lock.mdb");
  const place = "taken";
  if (existsSync(dataFile(folder))) {
    const [holder] = lockHolders(lock);
    throw new StoreError(
      holder === undefined
        ? `${folder} holds a store already, which is never overwritten: move the folder away, or restore into another`
        : `the store in ${folder} is in use by process ${holder}: stop that atServer and move the folder away, or restore into another`,
      { place },
    );
  }
  if (existsSync(lock)) {
    throw new StoreError(
      `${folder} is locked by a store that is gone: make sure that no atServer runs there and remove ${lock}`,
      { place },
    );
  }
}

/** Lets `fill` make a store's file in a folder of its own beside `path`, judges it, and gives it its name. */
async function assemble(
  path: string,
  source: Source,
  onlooker: Onlooker,
  fill: (temporary: string) => Promise<void>,
): Promise<BackupSummary> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  await mkdir(temporary, { mode: FOLDER_MODE });
  try {
    await fill(temporary);
    const summary = await judge(temporary, source, onlooker);
    await link(dataFile(temporary), path);
    return summary;
  } catch (cause) {
    throw failure(cause, source.name, dirname(path));
  } finally {
    await rm(temporary, { recursive: true });
    await syncFolder(dirname(path));
  }
}

/** Reads a copy from end to end. Throws StoreError for anything but an atServer's store, or a newer program's. */
async function judge(
  folder: string,
  { name, remedy }: Source,
  onlooker: Onlooker,
): Promise<BackupSummary> {
  const damage = damageOf(folder);
  if (damage !== undefined) throw new StoreError(`${name} ${damage}: ${remedy}`);
  let contents: StoreContents;
  try {
    const onEntries = (read: number): void => onlooker.progress?.({ read });
    contents = await readStore(folder, onEntries, onlooker.signal);
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    throw new StoreError(`${name} can't be read: ${reasonOf(cause)}; ${remedy}`, { cause });
  }
  const { entries, schema, lastCommitId = -1 } = contents;
  if (entries.records === undefined) {
    throw new StoreError(`${name} holds nothing of an atServer: name another`);
  }
  requireSchema(schema, SCHEMA_VERSION, name);
  const { size } = await stat(dataFile(folder));
  return {
    bytes: size,
    records: entries.records,
    notifications: entries.notifications ?? 0,
    commitId: lastCommitId,
  };
}

async function copyFile(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  const copy = await open(to, "wx", FILE_MODE);
  try {
    for await (const chunk of createReadStream(from, { ...(signal && { signal }) })) {
      await copy.appendFile(chunk);
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
}

/** Waits for a copy and tells meanwhile how large it is. */
async function observed(
  copied: Promise<void>,
  path: string,
  bytes: number,
  { progress }: Onlooker,
): Promise<void> {
  const done = new AbortController();
  const watching = (async () => {
    for await (const _ of every(PROGRESS_MILLIS, undefined, { signal: done.signal })) {
      if (existsSync(path)) progress?.({ copied: (await stat(path)).size, bytes });
    }
  })().catch((error: unknown) => {
    if (!isAbort(error)) throw error;
  });
  try {
    await copied;
  } finally {
    done.abort();
    await watching;
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What to throw for a copy that failed. */
function failure(cause: unknown, source: string, folder: string): unknown {
  if (cause instanceof StoreError) return cause;
  if (isAbort(cause)) {
    return new StoreError(`copying ${source} was interrupted; nothing of the copy is left`, {
      cause,
    });
  }
  if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return cause;
  const { bavail, bsize } = statfsSync(folder);
  return new StoreError(
    `${source} can't be copied to ${folder}: ${reasonOf(cause)}; ${bavail * bsize} bytes are free there`,
    { cause },
  );
}
