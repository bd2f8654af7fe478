// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const SAMPLE_MILLIS = 10;

/** Memory of a process that is no page of a file, bytes. */
export function memoryOf(pid: number): number {
  const [, kilobytes] =
    /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) * 1_024;
}

/** The most by which a process's memory is above what it was, while something is done and until a moment after it. */
export async function growthDuring(pid: number, act: () => Promise<unknown>): Promise<number> {
  const before = memoryOf(pid);
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, memoryOf(pid));
  }, SAMPLE_MILLIS);
  try {
    await act();
    await delay(10 * SAMPLE_MILLIS);
  } finally {
    clearInterval(watch);
  }
  return Math.max(most, memoryOf(pid)) - before;
}
