// SPDX-License-Identifier: BSD-3-Clause
import type { CommitEntry, StoreReader } from "../store/store.ts";
import { keyType, parseAtKey } from "../wire/atkey.ts";
import type { TextPattern } from "../wire/notification.ts";
import { decidingNamespace } from "./authorization.ts";
import type { Namespaces } from "./enrollments.ts";
import { portions } from "./portions.ts";

/** Every client needs these to read anything, so no regular expression leaves them out. */
function isAlwaysIncluded(key: string): boolean {
  if (key.startsWith("public:publickey")) return true;
  if (key.startsWith("public:") && !key.includes(".")) return true;
  return key.includes("shared_key") && keyType(key) === "reservedKey";
}

function isEnrolled(key: string, namespaces: Namespaces): boolean {
  if ("*" in namespaces) return true;
  // The key with which the atServer logs in to others is of no use to an app.
  if (key.includes(":signing_privatekey@")) return false;
  if ("__manage" in namespaces || parseAtKey(key).namespace === undefined) return true;
  return decidingNamespace(namespaces, key) !== undefined;
}

/**
 * Which keys of the commit log a client is told of (atProtocol, commit log filters): those its regular expression fits, with
 * an enrollment only those of its namespaces and those without one, and always the keys that sharing needs.
 */
export function commitFilter(
  regex: TextPattern,
  namespaces: Namespaces | undefined,
): (key: string) => boolean {
  return (key) => {
    if (isAlwaysIncluded(key)) return true;
    return (namespaces === undefined || isEnrolled(key, namespaces)) && regex.test(key);
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
