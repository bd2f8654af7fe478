// SPDX-License-Identifier: BSD-3-Clause
import { chmodSync, existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Permission bits of group and others. */
const OTHERS = 0o077;
const FILES = /^(?:data|lock)\.mdb$|^store\.lock$/;

/** A folder or file of a store that was open to others than its owner. */
export interface Opened {
  readonly path: string;
  /** Permissions it had, such as 0644. */
  readonly mode: string;
  /** Why it still is; absent when it no longer is. */
  readonly reason?: string;
}

function close(path: string): Opened | undefined {
  const mode = statSync(path).mode & 0o777;
  if ((mode & OTHERS) === 0) return undefined;
  const opened = { path, mode: mode.toString(8).padStart(4, "0") };
  try {
    chmodSync(path, mode & ~OTHERS);
    return opened;
  } catch (error) {
    return { ...opened, reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Takes a store's folder and its files from everybody but their owner; gives those that were open to others. */
export function closeToOthers(folder: string): Opened[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => FILES.test(name));
  return [folder, ...files.map((name) => join(folder, name))]
    .map(close)
    .filter((opened) => opened !== undefined);
}
