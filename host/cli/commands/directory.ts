// SPDX-License-Identifier: BSD-3-Clause
import type { Command } from "commander";
import { DIRECTORY_PORT } from "../../client/directory.ts";
import { type Address, formatAddress, parseAddress } from "../../client/transport.ts";
import { startDirectory } from "../../directory/directory.ts";
import { type DirectoryStore, openDirectoryStore } from "../../directory/directoryStore.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import type { CommandDefinition, Io } from "../command.ts";
import { CliError, EXIT } from "../exit.ts";
import {
  readNamedFile,
  type ServingOptions,
  serve,
  serverLog,
  withServingOptions,
} from "../serving.ts";

type StoreOptions = { readonly store: string };

async function withStore<T>(
  { store: folder }: StoreOptions,
  action: (store: DirectoryStore) => Promise<T>,
): Promise<T> {
  const store = openDirectoryStore(folder);
  try {
    return await action(store);
  } finally {
    await store.close();
  }
}

/** `atmicro directory …`: the atDirectory, and what it knows. */
export const directory: CommandDefinition = (program, io) => {
  const command = program
    .command("directory")
    .description("run the atDirectory, or look at and change what it knows");
  addServe(command, io);
  addEntries(command, io);
};

function addServe(command: Command, io: Io): void {
  withServingOptions(command.command("serve").description("run the atDirectory"), DIRECTORY_PORT)
    .addHelpText(
      "after",
      "\nExample:\n  atmicro directory serve --certificate d.pem --private-key d.key --store /var/lib/atmicro/directory",
    )
    .action(async (options: ServingOptions) => {
      const log = serverLog(options.logLevel);
      const store = openDirectoryStore(options.store);
      const running = await startDirectory({
        host: options.host,
        port: options.port,
        tls: {
          certificate: await readNamedFile("--certificate", options.certificate),
          privateKey: await readNamedFile("--private-key", options.privateKey),
        },
        store,
        log,
      });
      const close = async (): Promise<void> => {
        await running.close();
        await store.close();
      };
      await serve({ port: running.port, close }, io, options.exitWithParent);
    });
}

function addEntries(command: Command, io: Io): void {
  command
    .command("set")
    .description("register an atSign, or move it; a running atDirectory answers so at once")
    .argument("<atSign>")
    .argument("<host:port>", "its atServer")
    .requiredOption("--store <folder>", "the atDirectory's folder")
    .addHelpText("after", "\nExample:\n  atmicro directory set @alice host.example:6464 --store d")
    .action(async (atSign: string, address: string, options: StoreOptions) => {
      const target = parseAddress(address);
      await withStore(options, (store) => store.set(normalizeAtSign(atSign), target));
    });
  command
    .command("get")
    .description("print where an atSign's atServer is")
    .argument("<atSign>")
    .requiredOption("--store <folder>", "the atDirectory's folder")
    .addHelpText("after", "\nExample:\n  atmicro directory get @alice --store d")
    .action(async (atSign: string, options: StoreOptions) => {
      const name = normalizeAtSign(atSign);
      const found = await withStore(options, async (store) => store.get(name));
      if (found === undefined) {
        throw new CliError(`${name} is not in this atDirectory`, EXIT.notFound);
      }
      io.stdout(formatAddress(found));
    });
  command
    .command("remove")
    .description("forget an atSign")
    .argument("<atSign>")
    .requiredOption("--store <folder>", "the atDirectory's folder")
    .addHelpText("after", "\nExample:\n  atmicro directory remove @alice --store d")
    .action(async (atSign: string, options: StoreOptions) => {
      const name = normalizeAtSign(atSign);
      if (await withStore(options, (store) => store.remove(name))) return;
      throw new CliError(`${name} is not in this atDirectory`, EXIT.notFound);
    });
  command
    .command("import")
    .description("register many: a file with lines `@alice host:port`")
    .argument("<file>")
    .requiredOption("--store <folder>", "the atDirectory's folder")
    .addHelpText("after", "\nExample:\n  atmicro directory import names.txt --store d")
    .action(async (file: string, options: StoreOptions) => {
      const entries = parseEntries(await readNamedFile("the list", file), file);
      await withStore(options, async (store) => {
        for (const [atSign, address] of entries) await store.set(atSign, address);
      });
      io.stdout(`${entries.length} atSigns registered`);
    });
}

/** Reads `@alice host:port` lines; empty lines and lines beginning with # are left out. */
export function parseEntries(text: string, name: string): [string, Address][] {
  const entries: [string, Address][] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [atSign, address, ...more] = line.trim().split(/\s+/);
    if (!atSign || atSign.startsWith("#")) continue;
    if (address === undefined || more.length > 0) {
      throw new CliError(`${name}:${index + 1} is not "@atSign host:port"`, EXIT.usage);
    }
    entries.push([normalizeAtSign(atSign), parseAddress(address)]);
  }
  return entries;
}
