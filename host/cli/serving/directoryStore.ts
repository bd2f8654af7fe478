// SPDX-License-Identifier: BSD-3-Clause
// Which store the commands of an atDirectory work on.
import { type Command, Option } from "commander";
import type { Logger } from "pino";
import type { DirectoryStore } from "../../directory/directoryStore.ts";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { CliError, EXIT } from "../process/exit.ts";
import type { Io } from "../terminal/command.ts";
import { warnOfExposure } from "../terminal/exposedFile.ts";
import { printNotice } from "../terminal/output.ts";
import { readNamedFile } from "./serving.ts";

export type DirectoryStoreOptions = {
  readonly store?: string;
  readonly redis?: string;
  readonly redisPasswordFile?: string;
};

const PASSWORD_VARIABLE = "ATMICRO_REDIS_PASSWORD";

/** Adds the options that name a directory's store. */
export function withDirectoryStore(command: Command): Command {
  return command
    .option("--store <folder>", "the atDirectory's folder")
    .addOption(
      new Option(
        "--redis <url>",
        "the atDirectory's Redis instead: redis://[user@]host[:port][/database], rediss:// for TLS, more nodes of a Cluster by commas",
      ).env("ATMICRO_REDIS"),
    )
    .option(
      "--redis-password-file <file>",
      `file with the password of Redis (or ${PASSWORD_VARIABLE})`,
    );
}

/** Opens the store a command names; a folder goes before Redis. Throws CliError when none is named, or Redis isn't there. */
export async function openNamedStore(
  options: DirectoryStoreOptions,
  io: Io,
  log: Logger,
): Promise<DirectoryStore> {
  const { store, redis, redisPasswordFile } = options;
  if (store !== undefined) return await openDirectoryStore(store);
  if (redis === undefined) {
    throw new CliError(
      "where is the directory? Name --store <folder> or --redis <url>",
      EXIT.usage,
    );
  }
  const password =
    redisPasswordFile === undefined
      ? io.env[PASSWORD_VARIABLE]
      : (await readNamedFile("--redis-password-file", redisPasswordFile)).trim();
  if (redisPasswordFile !== undefined) {
    await warnOfExposure(redisPasswordFile, (text) => printNotice(io, `warning: ${text}`));
  }
  // Only who needs Redis loads its client.
  const { openRedisDirectoryStore } = await import("../../directory/redisDirectoryStore.ts");
  try {
    return await openRedisDirectoryStore({
      url: redis,
      log,
      ...(password !== undefined && { password }),
    });
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    const exitCode = cause instanceof RangeError ? EXIT.usage : EXIT.network;
    throw new CliError(cause.message, exitCode, { cause });
  }
}
