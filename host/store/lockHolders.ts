// SPDX-License-Identifier: BSD-3-Clause
import { existsSync, readFileSync, statSync } from "node:fs";

const LOCKS = "/proc/locks";

/**
 * Ids of the processes that hold a lock on a file, as every process does that has LMDB open. Empty where the system doesn't
 * tell, which Linux does (proc(5), /proc/locks).
 */
export function lockHolders(path: string): number[] {
  if (!existsSync(path) || !existsSync(LOCKS)) return [];
  const { ino } = statSync(path);
  return readFileSync(LOCKS, "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , , , place]) => place?.split(":")[2] === String(ino))
    .map(([, , , , id]) => Number(id))
    .filter((id) => id > 0);
}
