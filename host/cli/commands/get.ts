import { metadataToJson } from "../../wire/metadata.ts";
import type { CommandDefinition } from "../command.ts";
import { addClientOptions, type ClientFlags, jsonOption, withClient } from "../options.ts";
import { printResult } from "../output.ts";
import { valueToJson, valueToText } from "../value.ts";

type Flags = ClientFlags & {
  readonly bypassCache?: boolean;
  readonly verify?: boolean;
  readonly meta?: boolean;
  readonly json?: boolean;
};

export const get: CommandDefinition = (program, io) => {
  const command = program
    .command("get")
    .description("read a record: your own, one shared with you, or a public one")
    .argument("<key>", "note.ns@you, note.ns@bob (shared with you) or public:note.ns@bob")
    .addHelpText("after", "\nExample: atmicro get -a @bob phone.demo@alice");
  addClientOptions(command)
    .option("--bypass-cache", "ask the owner's atServer")
    .option("--verify", "public records: check the owner's signature")
    .option("--meta", "metadata only")
    .addOption(jsonOption())
    .action(async (key: string, flags: Flags) => {
      await withClient(flags, io, async (client) => {
        if (flags.meta === true) {
          const metadata = metadataToJson(await client.getMeta(key));
          printResult(
            io,
            flags.json,
            { key, metadata },
            JSON.stringify(metadata, null, 2).split("\n"),
          );
          return;
        }
        const found = await client.get(key, flags);
        const metadata = metadataToJson(found.metadata);
        const json = { key: found.key, ...valueToJson(found.value), metadata };
        printResult(io, flags.json, json, valueToText(found.value));
      });
    });
};
