import type { CommandDefinition } from "../terminal/command.ts";
import { addClientOptions, type ClientFlags, jsonOption, withClient } from "../terminal/options.ts";
import { printResult } from "../terminal/output.ts";

export const deleteCommand: CommandDefinition = (program, io) => {
  const command = program
    .command("delete")
    .description("delete a record of yours")
    .argument("<key>", "the whole atKey")
    .addHelpText("after", "\nExample: atmicro delete -a @alice @bob:phone.demo@alice");
  addClientOptions(command)
    .addOption(jsonOption())
    .action(async (key: string, flags: ClientFlags & { readonly json?: boolean }) => {
      const commitId = await withClient(flags, io, (client) => client.delete(key));
      printResult(io, flags.json, { key, commitId }, `${key} deleted (commit ${commitId})`);
    });
};
