// SPDX-License-Identifier: BSD-3-Clause
import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { AtClient } from "../../client/atClient.ts";
import type { NetworkOptions } from "../../client/session.ts";
import { type AtKeys, defaultKeyFile, readKeyFile } from "../../crypto/keyFile.ts";
import { DIRECTORY_PORT, parseAddress } from "../../net/address.ts";
import { atSignName, normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { CliError, EXIT } from "../process/exit.ts";
import type { Io } from "./command.ts";
import { warnOfExposure } from "./exposedFile.ts";
import { printNotice } from "./output.ts";

export type NetworkFlags = {
  readonly directory: string;
  readonly ca?: string;
  readonly timeout: number;
};
export type ClientFlags = NetworkFlags & {
  readonly atsign?: string;
  readonly keys?: string;
  readonly legacyIv?: boolean;
};

const DEFAULT_DIRECTORY = "root.atsign.org:64";
const TIMEOUT_SECONDS = 30;

/** A whole number within bounds, for `Option.argParser`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`a whole number from ${min} to ${max} is needed`);
    }
    return value;
  };
}

export function atSignArgument(text: string): string {
  try {
    return normalizeAtSign(text);
  } catch (error) {
    if (error instanceof AtError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

export function jsonOption(): Option {
  return new Option("--json", "print the result as one line of JSON");
}

export function plaintextOption(): Option {
  return new Option(
    "--accept-plaintext",
    "also what came without encryption, which anyone on its way could have written; it is marked",
  );
}

/** Options of every command that talks to a server. */
export function addNetworkOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--directory <host:port>", "the atDirectory")
        .env("ATMICRO_DIRECTORY")
        .default(DEFAULT_DIRECTORY),
    )
    .addOption(new Option("--ca <file>", "PEM file of the authority to trust").env("ATMICRO_CA"))
    .addOption(
      new Option("--timeout <seconds>", "for each answer of a server")
        .default(TIMEOUT_SECONDS)
        .argParser(wholeNumber(1, 3600)),
    );
}

/** Options of every command that logs in. */
export function addClientOptions(command: Command): Command {
  command
    .addOption(
      new Option("-a, --atsign <@you>", "who you are")
        .env("ATMICRO_ATSIGN")
        .argParser(atSignArgument),
    )
    .addOption(
      new Option("-k, --keys <path>", "your .atKeys file, or the folder it is in").env(
        "ATMICRO_KEYS",
      ),
    );
  return addNetworkOptions(command);
}

export async function readNetwork(flags: NetworkFlags): Promise<NetworkOptions> {
  return {
    directory: parseAddress(flags.directory, DIRECTORY_PORT),
    authority: flags.ca === undefined ? undefined : await readFile(flags.ca, "utf8"),
    timeoutMillis: flags.timeout * 1000,
  };
}

export function requireAtSign(flags: { readonly atsign?: string }): string {
  if (flags.atsign !== undefined) return normalizeAtSign(flags.atsign);
  const message = "who are you? Name your atSign with --atsign or in ATMICRO_ATSIGN";
  throw new CliError(message, EXIT.usage);
}

/** Where the keys of an atSign are: the file named, in the folder named, or the customary place. */
export async function keyFilePath(
  atSign: string,
  named: string | undefined,
  io: Io,
): Promise<string> {
  if (named === undefined) return defaultKeyFile(atSign, homeFolder(io));
  return (await isFolder(named)) ? join(named, `@${atSignName(atSign)}_key.atKeys`) : named;
}

export async function readKeys(flags: ClientFlags, io: Io): Promise<AtKeys> {
  const atSign = requireAtSign(flags);
  const path = await keyFilePath(atSign, flags.keys, io);
  try {
    const keys = await readKeyFile(path, atSign);
    await warnOfExposure(path, (text) => printNotice(io, `warning: ${text}`));
    return keys;
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause;
    const message = `${path} is not there: activate ${atSign} first, or name its key file with --keys`;
    throw new CliError(message, EXIT.keys, { cause });
  }
}

/** Logs in, runs, and closes whatever happened. */
export async function withClient<T>(
  flags: ClientFlags,
  io: Io,
  use: (client: AtClient) => Promise<T>,
): Promise<T> {
  const keys = await readKeys(flags, io);
  const { legacyIv } = flags;
  const client = await AtClient.connect({ ...(await readNetwork(flags)), keys, legacyIv });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

function homeFolder({ env }: Io): string {
  return env.HOME ?? homedir();
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
