// SPDX-License-Identifier: BSD-3-Clause
import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { CliError, EXIT } from "../process/exit.ts";

/** Makes sure, before keys are made, that a new file can be put there. */
export async function requireNewFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await access(dirname(path), constants.W_OK);
  try {
    await access(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw error;
  }
  throw new CliError(
    `${path} exists already and is never overwritten: move it away, or name another file`,
    EXIT.permission,
  );
}
