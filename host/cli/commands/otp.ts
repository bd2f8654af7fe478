// SPDX-License-Identifier: BSD-3-Clause
import { Option } from "commander";
import type { CommandDefinition } from "../terminal/command.ts";
import {
  addClientOptions,
  type ClientFlags,
  jsonOption,
  wholeNumber,
  withClient,
} from "../terminal/options.ts";
import { printNotice, printResult } from "../terminal/output.ts";
import { readSecret } from "../terminal/secret.ts";

type Flags = ClientFlags & {
  readonly ttl?: number;
  readonly set?: boolean;
  readonly passcodeFile?: string;
  readonly json?: boolean;
};

export const otp: CommandDefinition = (program, io) => {
  const command = program
    .command("otp")
    .description("get a one-time passcode for one enrollment, or set a lasting one")
    .addHelpText("after", "\nExample: atmicro otp -a @alice");
  addClientOptions(command)
    .addOption(
      new Option("--ttl <ms>", "life of the passcode (five minutes)").argParser(
        wholeNumber(1, Number.MAX_SAFE_INTEGER),
      ),
    )
    .option("--set", "set a lasting passcode, from ATMICRO_PASSCODE, a file or a prompt")
    .option("--passcode-file <file>", "file that holds the lasting passcode")
    .addOption(jsonOption())
    .action(async (flags: Flags) => {
      if (flags.set !== true) {
        const otp = await withClient(flags, io, (client) => client.otpGet(flags.ttl));
        printResult(io, flags.json, { otp }, otp);
        return;
      }
      const source = { what: "passcode", file: flags.passcodeFile, variable: "ATMICRO_PASSCODE" };
      const passcode = await readSecret(source, io);
      const warning = await withClient(flags, io, (client) => client.otpPut(passcode, flags.ttl));
      if (warning !== undefined) printNotice(io, `warning: ${warning}`);
      printResult(io, flags.json, { set: true }, "the lasting passcode is set");
    });
};
