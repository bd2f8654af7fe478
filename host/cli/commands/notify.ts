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
import { printResult } from "../terminal/output.ts";
import { readValue, type ValueFlags } from "../terminal/value.ts";

type Flags = ClientFlags &
  Pick<ValueFlags, "file"> & {
    readonly ttln?: number;
    readonly deleted?: boolean;
    readonly json?: boolean;
  };

export const notify: CommandDefinition = (program, io) => {
  const command = program
    .command("notify")
    .description("send an encrypted notification")
    .argument("<key>", "@bob:name.ns@you")
    .argument("[value]", "the value; standard input when absent")
    .addHelpText("after", "\nExample: atmicro notify -a @alice @bob:ping.demo@alice hello");
  addClientOptions(command)
    .addOption(
      new Option("--ttln <ms>", "life of the notification").argParser(
        wholeNumber(0, Number.MAX_SAFE_INTEGER),
      ),
    )
    .option("--file <file>", "the value is the file's contents, as they are; text only")
    .option("--deleted", "announce that the record was deleted")
    .option("--legacy-iv", "zero IV, for peers that can't read ivNonce")
    .addOption(jsonOption())
    .action(async (key: string, value: string | undefined, flags: Flags) => {
      const text = flags.deleted === true ? undefined : await readValue(value, flags, io);
      const { ttln } = flags;
      const id = await withClient(flags, io, (client) => client.notify(key, text, { ttln }));
      printResult(io, flags.json, { id }, id);
    });
};
