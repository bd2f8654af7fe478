// SPDX-License-Identifier: BSD-3-Clause
import type { Command } from "commander";
import { DIRECTORY_PORT } from "../../client/directory.ts";
import { type Address, formatAddress, parseAddress } from "../../client/transport.ts";
import { startDirectory } from "../../directory/directory.ts";
import type { DirectoryStore } from "../../directory/directoryStore.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import type { CommandDefinition, Io } from "../command.ts";
import {
  type DirectoryStoreOptions,
  openNamedStore,
  withDirectoryStore,
} from "../directoryStore.ts";
import { CliError, EXIT } from "../exit.ts";
import {
  readNamedFile,
  type ServingOptions,
  serve,
  serverLog,
  withServingOptions,
} from "../serving.ts";
import { rotateTicketKeys, ticketKeysOf } from "../ticketKeyFile.ts";

/** Writes of `import` that are under way at once, and so share one flush. */
const IMPORT_BATCH = 1_000;

async function withStore<T>(
  options: DirectoryStoreOptions,
  io: Io,
  action: (store: DirectoryStore) => Promise<T>,
): Promise<T> {
  const store = await openNamedStore(options, io, serverLog("silent"));
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
  const serving = command.command("serve").description("run the atDirectory");
  withDirectoryStore(withServingOptions(serving, DIRECTORY_PORT))
    .addHelpText(
      "after",
      "\nExample:\n  atmicro directory serve --certificate d.pem --private-key d.key --store /var/lib/atmicro/directory\n  atmicro directory serve --certificate d.pem --private-key d.key --redis redis://redis.example:6379",
    )
    .action(async (options: ServingOptions & DirectoryStoreOptions) => {
      const log = serverLog(options.logLevel);
      const store = await openNamedStore(options, io, log);
      // With Redis there is no folder of its own: its sessions end with the process.
      const tickets = options.store && (await ticketKeysOf(options.store, log));
      const running = await startDirectory({
        host: options.host,
        port: options.port,
        tls: {
          certificate: await readNamedFile("--certificate", options.certificate),
          privateKey: await readNamedFile("--private-key", options.privateKey),
        },
        ...(tickets && { ticketKeys: tickets.keys }),
        store,
        log,
      });
      const useKeys = (keys: Buffer): void => running.useTicketKeys(keys);
      const stopRotation =
        options.store && tickets && rotateTicketKeys(options.store, tickets, useKeys, log);
      const close = async (): Promise<void> => {
        if (stopRotation) stopRotation();
        await running.close();
        await store.close();
      };
      await serve({ port: running.port, close }, io, options.exitWithParent);
    });
}

function addEntries(command: Command, io: Io): void {
  withDirectoryStore(command.command("set"))
    .description("register an atSign, or move it; a running atDirectory answers so at once")
    .argument("<atSign>")
    .argument("<host:port>", "its atServer")
    .addHelpText("after", "\nExample:\n  atmicro directory set @alice host.example:6464 --store d")
    .action(async (atSign: string, address: string, options: DirectoryStoreOptions) => {
      const target = parseAddress(address);
      await withStore(options, io, (store) => store.set(normalizeAtSign(atSign), target));
    });
  withDirectoryStore(command.command("get"))
    .description("print where an atSign's atServer is")
    .argument("<atSign>")
    .addHelpText("after", "\nExample:\n  atmicro directory get @alice --store d")
    .action(async (atSign: string, options: DirectoryStoreOptions) => {
      const name = normalizeAtSign(atSign);
      const found = await withStore(options, io, async (store) => store.get(name));
      if (found === undefined) {
        throw new CliError(`${name} is not in this atDirectory`, EXIT.notFound);
      }
      io.stdout(formatAddress(found));
    });
  withDirectoryStore(command.command("remove"))
    .description("forget an atSign")
    .argument("<atSign>")
    .addHelpText("after", "\nExample:\n  atmicro directory remove @alice --store d")
    .action(async (atSign: string, options: DirectoryStoreOptions) => {
      const name = normalizeAtSign(atSign);
      if (await withStore(options, io, (store) => store.remove(name))) return;
      throw new CliError(`${name} is not in this atDirectory`, EXIT.notFound);
    });
  withDirectoryStore(command.command("import"))
    .description("register many: a file with lines `@alice host:port`")
    .argument("<file>")
    .addHelpText("after", "\nExample:\n  atmicro directory import names.txt --store d")
    .action(async (file: string, options: DirectoryStoreOptions) => {
      const entries = parseEntries(await readNamedFile("the list", file), file);
      await withStore(options, io, async (store) => {
        for (let at = 0; at < entries.length; at += IMPORT_BATCH) {
          const batch = entries.slice(at, at + IMPORT_BATCH);
          await Promise.all(batch.map(([atSign, address]) => store.set(atSign, address)));
        }
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
