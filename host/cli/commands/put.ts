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
import { addValueOptions, readValue, type ValueFlags } from "../terminal/value.ts";

type Flags = ClientFlags &
  ValueFlags & {
    readonly ttl?: number;
    readonly ttb?: number;
    readonly ttr?: number;
    readonly ccd?: boolean;
    readonly json?: boolean;
  };

export const put: CommandDefinition = (program, io) => {
  const command = program
    .command("put")
    .description("write a record: for yourself, for another atSign, or public")
    .argument("<key>", "note.ns@you, @bob:note.ns@you or public:note.ns@you")
    .argument("[value]", "the value; standard input when absent")
    .addHelpText("after", "\nExample: atmicro put -a @alice @bob:phone.demo@alice '+44 1234'");
  addValueOptions(addClientOptions(command))
    .addOption(new Option("--ttl <ms>", "life of the record").argParser(millis))
    .addOption(new Option("--ttb <ms>", "delay until it is visible").argParser(millis))
    .addOption(new Option("--ttr <s>", "time others may cache it, -1 for ever").argParser(seconds))
    .option("--ccd", "delete others' copies with the record")
    .option("--legacy-iv", "zero IV, for peers that can't read ivNonce")
    .addOption(jsonOption())
    .action(async (key: string, value: string | undefined, flags: Flags) => {
      const read = await readValue(value, flags, io);
      const commitId = await withClient(flags, io, (client) => client.put(key, read, flags));
      printResult(io, flags.json, { key, commitId }, `${key} written (commit ${commitId})`);
    });
};

const millis = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const seconds = wholeNumber(-1, Number.MAX_SAFE_INTEGER);
