// SPDX-License-Identifier: BSD-3-Clause
import type { RootDatabase } from "lmdb";
import { StoreError } from "./store.ts";

/** The database of facts about a store, and the keys its schema version and its owner are under. */
const META = "meta";
const SCHEMA = "schema";
const OWNER = "owner";
const FIRST_SCHEMA = 1;

/**
 * Judges the schema version found in `place`; undefined is a store of before versions were written, which is taken for
 * the first. Throws StoreError for one of a newer program, and for an invalid version.
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

/** What keeps a store, and the database that all of its stores have and no other. */
export interface StoreKind {
  readonly name: string;
  readonly database: string;
}

/** Refuses a store of another kind, and an LMDB file of another program. Throws StoreError. */
export function requireKind(root: RootDatabase, kind: StoreKind, folder: string): void {
  const names = [...root.getKeys()].filter((name) => name !== META);
  if (names.length === 0 || names.includes(kind.database)) return;
  throw new StoreError(
    `what is in ${folder} is not ${kind.name}: name the folder of one, or a new one`,
    { place: "foreign" },
  );
}

/** The schema version of a store; undefined for none. Throws StoreError as `requireSchema`. */
export function schemaOf(
  root: RootDatabase,
  understood: number,
  folder: string,
): number | undefined {
  const found = root.openDB<number, string>({ name: META }).get(SCHEMA);
  requireSchema(found, understood, `the store in ${folder}`);
  return found;
}

/**
 * Refuses a store of another atSign than `owner`, and marks one that isn't marked yet with the one it has been `found` to be
 * of, or with `owner`. Throws StoreError.
 */
export function adoptOwner(
  root: RootDatabase,
  owner: string,
  folder: string,
  find: () => readonly string[],
): void {
  const meta = root.openDB<string, string>({ name: META });
  const marked = meta.get(OWNER);
  const found = marked === undefined ? find() : [marked];
  if (found.length > 0 && !found.includes(owner)) {
    throw new StoreError(
      `the store in ${folder} is ${found[0]}'s, not ${owner}'s: name the folder of ${owner}, or a new one`,
      { place: "foreign" },
    );
  }
  if (marked === undefined) root.transactionSync(() => meta.putSync(OWNER, owner));
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
  const found = schemaOf(root, understood, folder);
  if (found === understood) return;
  root.transactionSync(() => {
    upgrade(found ?? FIRST_SCHEMA);
    meta.putSync(SCHEMA, understood);
  });
}
