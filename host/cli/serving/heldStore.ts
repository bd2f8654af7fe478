// SPDX-License-Identifier: BSD-3-Clause
// A server's store folder: its own for the life of the process, and nobody else's to read.
import type { Command } from "commander";
import type { Logger } from "pino";
import { closeToOthers } from "../../store/ownerOnly.ts";
import { lockStore } from "../../store/storeLock.ts";

export type LockOption = { readonly lock: boolean };

export function withLockOption(command: Command): Command {
  return command.option(
    "--no-lock",
    "serve a store that can't be locked; seeing to it that no other server does is up to you",
  );
}

/**
 * Runs a server on a store's folder, which it has alone as long as the action goes on. Rejects with StoreError when another
 * server has it, or it can't be locked.
 */
export async function holdStore(
  folder: string,
  { lock: wanted }: LockOption,
  log: Logger,
  action: () => Promise<void>,
): Promise<void> {
  const lock = wanted ? await lockStore(folder) : undefined;
  if (lock === undefined) log.warn({ folder }, "the store isn't locked: --no-lock");
  try {
    logOpened(folder, log);
    await action();
  } finally {
    lock?.release();
  }
}

function logOpened(folder: string, log: Logger): void {
  for (const { path, mode, reason } of closeToOthers(folder)) {
    if (reason === undefined) log.warn({ path, mode }, "was open to others; now its owner's alone");
    else log.warn({ path, mode, reason }, "is open to others, and can't be closed to them");
  }
}
