// SPDX-License-Identifier: BSD-3-Clause
import type { RootDatabase } from "lmdb";
import { StoreError } from "./store.ts";

/** The database of facts about a store, and the key its schema version is under. */
const META = "meta";
const SCHEMA = "schema";
const FIRST_SCHEMA = 1;

/**
 * Judges the schema version found in `place`; undefined is a store of before versions were written, which is taken for
 * the first. Throws StoreError for one of a newer program, and for what is no version.
 */
export function requireSchema(found: unknown, understood: number, place: string): void {
  if (found === undefined) return;
  if (typeof found !== "number" || !Number.isInteger(found) || found < 1) {
    throw new StoreError(`${place} has no valid schema version: restore a backup`);
  }
  if (found > understood) {
    throw new StoreError(
      `${place} has schema ${found}, and this program understands schemas up to ${understood}: a newer atmicro wrote it; ` +
        "run that version, or restore a backup made before the upgrade",
    );
  }
}

/**
 * Refuses a store that a newer program wrote, and marks one with the version that is understood. Before an older one is
 * marked, in the same transaction, `upgrade` rewrites what it holds. Throws StoreError.
 */
export function adoptSchema(
  root: RootDatabase,
  understood: number,
  folder: string,
  upgrade: (from: number) => void = () => undefined,
): void {
  const meta = root.openDB<number, string>({ name: META });
  const found = meta.get(SCHEMA);
  requireSchema(found, understood, `the store in ${folder}`);
  if (found === understood) return;
  root.transactionSync(() => {
    upgrade(found ?? FIRST_SCHEMA);
    meta.putSync(SCHEMA, understood);
  });
}
