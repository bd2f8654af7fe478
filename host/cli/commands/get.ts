import type { AtValue } from "../../client/records.ts";
import { metadataToJson } from "../../wire/metadata.ts";
import type { CommandDefinition, Io } from "../terminal/command.ts";
import {
  addClientOptions,
  type ClientFlags,
  jsonOption,
  plaintextOption,
  withClient,
} from "../terminal/options.ts";
import { printBytes, printJson, printNotice, printResult, printText } from "../terminal/output.ts";
import { valueToJson, valueToText } from "../terminal/value.ts";

type Flags = ClientFlags & {
  readonly bypassCache?: boolean;
  readonly verify?: boolean;
  readonly acceptPlaintext?: boolean;
  readonly raw?: boolean;
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
    .addOption(plaintextOption())
    .option("--raw", "the value alone, as it is: no escapes, no line end; for files and pipes")
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
        printFound(key, await client.get(key, flags), flags, io);
      });
    });
};

/** What was asked for decides if plaintext is usual; the key that the server names doesn't. */
function printFound(asked: string, found: AtValue, flags: Flags, io: Io): void {
  const { key, value, encrypted } = found;
  if (flags.json === true) {
    printJson(io, {
      key,
      ...valueToJson(value),
      encrypted,
      metadata: metadataToJson(found.metadata),
    });
    return;
  }
  if (!encrypted && !/^\s*(?:cached:)?public:/i.test(asked)) {
    printNotice(io, `warning: ${asked} came as plaintext: anyone on its way could have written it`);
  }
  const isBytes = typeof value !== "string" && io.stdoutBytes !== undefined;
  if (flags.raw === true || isBytes) printBytes(io, value);
  else printText(io, valueToText(value));
}
