// SPDX-License-Identifier: BSD-3-Clause
import { stat } from "node:fs/promises";

/** Of a file of one's own nobody else may do anything; of another user's the group may read, as services are set up. */
const OWN_FILE = 0o077;
const GIVEN_FILE = 0o027;
const READ = 0o044;

/**
 * Warns of a file with secrets that others may read or change. Where files have no modes nothing is said; rejects with the
 * file system's error when it isn't there.
 */
export async function warnOfExposure(path: string, warn: (text: string) => void): Promise<void> {
  if (process.getuid === undefined) return;
  const { mode, uid } = await stat(path);
  const open = mode & (uid === process.getuid() ? OWN_FILE : GIVEN_FILE);
  if (open === 0) return;
  const what = (open & READ) === 0 ? "change" : "read";
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  warn(`others may ${what} ${path}, which is secret (mode ${shown}): chmod 600 it`);
}
