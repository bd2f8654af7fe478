// SPDX-License-Identifier: BSD-3-Clause
import { Option } from "commander";
import { activate } from "../../client/activation.ts";
import { writeKeyFile } from "../../crypto/keyFile.ts";
import type { CommandDefinition } from "../terminal/command.ts";
import {
  addClientOptions,
  type ClientFlags,
  jsonOption,
  keyFilePath,
  readNetwork,
  requireAtSign,
} from "../terminal/options.ts";
import { printResult } from "../terminal/output.ts";
import { requireNewFile } from "../terminal/requireNewFile.ts";
import { readSecret } from "../terminal/secret.ts";

type Flags = ClientFlags & {
  readonly secretFile?: string;
  readonly keyAlgorithm: "rsa2048" | "p256";
  readonly json?: boolean;
};

export const activateCommand: CommandDefinition = (program, io) => {
  const command = program
    .command("activate")
    .description("make the keys of a fresh atSign; its CRAM secret is used up")
    .option(
      "--secret-file <file>",
      "file with the secret; else ATMICRO_CRAM_SECRET, else asked for",
    )
    .addOption(
      new Option("--key-algorithm <name>", "of the login key")
        .choices(["rsa2048", "p256"])
        .default("rsa2048"),
    )
    .addHelpText("after", "\nExample: atmicro activate -a @alice --secret-file alice.secret");
  addClientOptions(command)
    .addOption(jsonOption())
    .action(async (flags: Flags) => {
      const atSign = requireAtSign(flags);
      const file = await keyFilePath(atSign, flags.keys, io);
      await requireNewFile(file);
      const network = await readNetwork(flags);
      const source = {
        what: "CRAM secret",
        file: flags.secretFile,
        variable: "ATMICRO_CRAM_SECRET",
      };
      const cramSecret = await readSecret(source, io);
      const { keyAlgorithm } = flags;
      const { enrollmentId } = await activate(
        { atSign, cramSecret, keyAlgorithm, save: (keys) => writeKeyFile(file, keys) },
        network,
      );
      const text = `${atSign} is active; its keys are in ${file}. Keep a copy: they can't be made again.`;
      printResult(io, flags.json, { atSign, file, enrollmentId }, text);
    });
};
