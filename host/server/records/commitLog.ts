// SPDX-License-Identifier: BSD-3-Clause
import type { CommitEntry, StoreReader } from "../../store/store.ts";
import type { TextPattern } from "../../wire/notification.ts";
import { reservedKind } from "../../wire/reservedKey.ts";
import { portions } from "./portions.ts";

/** A public record without a namespace: everybody may read it. */
function isOpen(key: string): boolean {
  return key.startsWith("public:") && !key.includes(".");
}

/** Every client needs these to read anything, so no regular expression leaves them out. */
function isAlwaysIncluded(key: string): boolean {
  const kind = reservedKind(key);
  return isOpen(key) || kind === "publicKey" || kind === "sharedKey";
}

/**
 * Which keys of the commit log a client gets (atProtocol, commit log filters): only those it may
 * read, and of these the ones its regular expression fits and those that sharing needs.
 */
export function commitFilter(
  regex: TextPattern,
  mayRead: (key: string) => boolean,
): (key: string) => boolean {
  return (key) => {
    const may = isOpen(key) || mayRead(key);
    return may && (isAlwaysIncluded(key) || regex.test(key));
  };
}

/** Visits entries until `visit` gives false; a long log is read in turns with other connections' work. */
async function visitInTurns(
  entriesFrom: (commitId: number) => Iterable<CommitEntry>,
  start: number,
  visit: (entry: CommitEntry) => boolean,
): Promise<void> {
  for await (const portion of portions(entriesFrom, ({ commitId }) => commitId, start)) {
    for (const entry of portion) if (!visit(entry)) return;
  }
}

/** Visits the entries above a commit id, ascending, until `visit` gives false. */
export function visitCommitsAfter(
  store: StoreReader,
  commitId: number,
  visit: (entry: CommitEntry) => boolean,
): Promise<void> {
  return visitInTurns((reached) => store.commitsAfter(reached), commitId, visit);
}

/** The highest commit id of a key the filter wants; undefined when there is none. */
export async function lastCommitOf(
  store: StoreReader,
  wanted: (key: string) => boolean,
): Promise<number | undefined> {
  let last: number | undefined;
  const look = ({ key, commitId }: CommitEntry): boolean => {
    if (!wanted(key)) return true;
    last = commitId;
    return false;
  };
  await visitInTurns((reached) => store.commitsBefore(reached), Number.MAX_SAFE_INTEGER, look);
  return last;
}
