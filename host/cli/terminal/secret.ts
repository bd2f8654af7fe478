// SPDX-License-Identifier: BSD-3-Clause
import { readFile } from "node:fs/promises";
import { CliError, EXIT } from "../process/exit.ts";
import type { Io } from "./command.ts";
import { warnOfExposure } from "./exposedFile.ts";
import { printNotice } from "./output.ts";

export type SecretSource = {
  /** What the user is asked for: "CRAM secret". */
  readonly what: string;
  readonly file?: string | undefined;
  readonly variable: string;
};

/**
 * Reads a secret from the file named, else the environment variable, else the first line of standard
 * input (prompted for without echo on a terminal): a command line is seen by every user of the machine.
 */
export async function readSecret(source: SecretSource, io: Io): Promise<string> {
  const text = await findSecret(source, io);
  const secret = text.trim();
  if (secret !== "") {
    const { file } = source;
    if (file !== undefined) {
      await warnOfExposure(file, (warning) => printNotice(io, `warning: ${warning}`));
    }
    return secret;
  }
  throw new CliError(
    `no ${source.what}: put it into ${source.variable}, or a file, or type it when asked`,
    EXIT.usage,
  );
}

async function findSecret({ what, file, variable }: SecretSource, io: Io): Promise<string> {
  if (file !== undefined) return await readFile(file, "utf8");
  const given = io.env[variable];
  if (given !== undefined) return given;
  if (io.askSecret !== undefined) return await io.askSecret(`${what}: `);
  return (
    Buffer.from(await io.stdin())
      .toString("utf8")
      .split("\n", 1)[0] ?? ""
  );
}
