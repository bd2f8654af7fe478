import type { CommandDefinition } from "../terminal/command.ts";
import {
  addClientOptions,
  atSignArgument,
  type ClientFlags,
  jsonOption,
  withClient,
} from "../terminal/options.ts";
import { printResult } from "../terminal/output.ts";

type Flags = ClientFlags & {
  readonly of?: string;
  readonly hidden?: boolean;
  readonly json?: boolean;
};

export const scan: CommandDefinition = (program, io) => {
  const command = program
    .command("scan")
    .description("list keys")
    .argument("[regex]", "only keys that it fits")
    .addHelpText("after", "\nExample: atmicro scan -a @alice '\\.demo@'");
  addClientOptions(command)
    .option("--of <@atsign>", "keys of another atSign, shared with you", atSignArgument)
    .option("--hidden", "also keys whose name begins with _")
    .addOption(jsonOption())
    .action(async (regex: string | undefined, flags: Flags) => {
      const options = { regex, atSign: flags.of, showHidden: flags.hidden };
      const keys = await withClient(flags, io, (client) => client.scan(options));
      printResult(io, flags.json, keys, keys);
    });
};
