// SPDX-License-Identifier: BSD-3-Clause
import type { Command } from "commander";
import {
  type BackupSummary,
  backUpStore,
  type Onlooker,
  restoreStore,
} from "../../store/backup.ts";
import type { Io } from "../terminal/command.ts";
import { jsonOption } from "../terminal/options.ts";
import { printResult } from "../terminal/output.ts";
import { requireNewFile } from "../terminal/requireNewFile.ts";

type BackupOptions = { readonly store: string; readonly to: string; readonly json?: boolean };
type RestoreOptions = { readonly store: string; readonly from: string; readonly json?: boolean };

/** Adds `atmicro server backup` and `atmicro server restore`. */
export function addBackup(server: Command, io: Io): void {
  server
    .command("backup")
    .description("copy an atServer's store into one file, also while the atServer runs")
    .requiredOption("--store <folder>", "the atServer's folder")
    .requiredOption("--to <file>", "the backup, a new file")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nThe backup holds what was acknowledged before it began. It has the store's secrets: keep it as safe." +
        "\nCertificates, keys and settings are not in it.\n" +
        "\nExample:\n  atmicro server backup --store /var/lib/atmicro/alice --to /backup/alice-2026-01-31.mdb",
    )
    .action(async ({ store, to, json }: BackupOptions) => {
      await requireNewFile(to);
      const summary = await watched(io, (onlooker) => backUpStore(store, to, onlooker));
      printResult(io, json, { file: to, ...summary }, `${to}: ${describe(summary)}`);
    });
  server
    .command("restore")
    .description("make an atServer's store from a backup")
    .requiredOption("--from <file>", "the backup")
    .requiredOption("--store <folder>", "the atServer's folder, in which there is no store")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nRun it as the user who runs the atServer, and before the atServer starts.\n" +
        "\nExample:\n  atmicro server restore --from /backup/alice-2026-01-31.mdb --store /var/lib/atmicro/alice",
    )
    .action(async ({ store, from, json }: RestoreOptions) => {
      const summary = await watched(io, (onlooker) => restoreStore(from, store, onlooker));
      printResult(io, json, { store, ...summary }, `${store}: ${describe(summary)}`);
    });
}

/** Runs long work that says on a terminal how far it is, and ends when the user asks for it. */
async function watched<T>(io: Io, work: (onlooker: Onlooker) => Promise<T>): Promise<T> {
  try {
    return await work({
      signal: io.signal,
      progress: (step) => io.progress?.(progressLine(step)),
    });
  } finally {
    io.progress?.("");
  }
}

function progressLine(step: Parameters<NonNullable<Onlooker["progress"]>>[0]): string {
  if ("read" in step) return `reading it again: ${step.read} entries`;
  const percent = step.bytes === 0 ? 100 : Math.min(100, (100 * step.copied) / step.bytes);
  return `copying: ${Math.floor(percent)} % of ${step.bytes} bytes`;
}

function describe({ records, notifications, commitId, bytes }: BackupSummary): string {
  const last = commitId < 0 ? "no commit" : `last commit ${commitId}`;
  return `${records} records, ${notifications} notifications, ${last}, ${bytes} bytes; read again from end to end`;
}
