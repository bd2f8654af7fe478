// SPDX-License-Identifier: BSD-3-Clause
import { mkdirSync, statfsSync } from "node:fs";
import { open, type RootDatabase } from "lmdb";
import { StoreError } from "./store.ts";
import { checkStoreFile } from "./storeFile.ts";

const MAX_DATABASES = 16;
/** Addresses set aside for the file, bytes: one that outgrows them is mapped anew while the pages it had stay resident. */
const MAP_BYTES = 4_294_967_296;
const has64BitAddresses = /64|s390x/.test(process.arch);

/**
 * Opens, or makes, an LMDB environment in a folder. A write resolves once its transaction is on disk (no overlapping sync),
 * and writes that come while one is being flushed share the next flush. Throws StoreError with a sentence for a folder that
 * can't be used and for a file that is damaged.
 */
export function openLmdb(folder: string): RootDatabase {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    checkStoreFile(folder);
    return withPrivateFiles(() =>
      open({
        path: folder,
        // Otherwise a folder whose name has a dot is taken for a file.
        noSubdir: false,
        maxDbs: MAX_DATABASES,
        ...(has64BitAddresses && { mapSize: MAP_BYTES }),
        overlappingSync: false,
        noMemInit: false,
        // With it, a commit that fails also rejects a promise nobody is given.
        eventTurnBatching: false,
      }),
    );
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(`the store in ${folder} can't be opened: ${reason}`, { cause });
  }
}

/** LMDB makes its files readable by all but for the mask that is set while it opens them. */
function withPrivateFiles<T>(action: () => T): T {
  const mask = process.umask(0o077);
  try {
    return action();
  } finally {
    process.umask(mask);
  }
}

/**
 * What to throw for a transaction that failed: StoreError when the disk didn't take it, otherwise the error as it is.
 * LMDB tells the reason by a promise of its own, which rejects with it.
 */
export async function writeFailure(error: unknown, folder: string): Promise<unknown> {
  if (!(error instanceof Error) || !("commitError" in error)) return error;
  const cause = await Promise.resolve(error.commitError).catch((reason: unknown) => reason);
  const reason = cause instanceof Error ? cause.message : error.message;
  const { bavail, bsize } = statfsSync(folder);
  return new StoreError(
    `the store in ${folder} can't be written: ${reason}; ${bavail * bsize} bytes are free there`,
    { cause },
  );
}
