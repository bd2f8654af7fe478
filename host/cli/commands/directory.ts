// SPDX-License-Identifier: BSD-3-Clause
import type { Command } from "commander";
import type { Logger } from "pino";
import { startDirectory } from "../../directory/directory.ts";
import { type DirectoryStore, formatEntry } from "../../directory/directoryStore.ts";
import { type Address, DIRECTORY_PORT, formatAddress, parseAddress } from "../../net/address.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { AtError } from "../../wire/errors.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { readIdentity, watchIdentity } from "../serving/certificateFiles.ts";
import { limitOptions, readLimits } from "../serving/directoryParameters.ts";
import {
  type DirectoryStoreOptions,
  openNamedStore,
  withDirectoryStore,
} from "../serving/directoryStore.ts";
import { holdStore, type LockOption, withLockOption } from "../serving/heldStore.ts";
import {
  readNamedFile,
  type ServingOptions,
  serve,
  serverLog,
  withServingOptions,
} from "../serving/serving.ts";
import { rotateTicketKeys, ticketKeysOf } from "../serving/ticketKeyFile.ts";
import type { CommandDefinition, Io } from "../terminal/command.ts";
import { warnOfExposure } from "../terminal/exposedFile.ts";
import { jsonOption } from "../terminal/options.ts";
import { printResult } from "../terminal/output.ts";

/** Writes of `import` that are under way at once, and so share one flush. */
const IMPORT_BATCH = 1_000;

type ServeOptions = ServingOptions & DirectoryStoreOptions & LockOption;
type EntryOptions = DirectoryStoreOptions & { readonly json?: boolean };

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
  for (const option of limitOptions()) serving.addOption(option);
  withLockOption(withDirectoryStore(withServingOptions(serving, DIRECTORY_PORT)))
    .addHelpText(
      "after",
      "\nExample:\n  atmicro directory serve --certificate d.pem --private-key d.key --store /var/lib/atmicro/directory\n  atmicro directory serve --certificate d.pem --private-key d.key --redis redis://redis.example:6379",
    )
    .action(async (options: ServeOptions) => {
      const log = serverLog(options.logLevel);
      const action = (): Promise<void> => serveDirectory(options, io, log);
      // Redis lets several atDirectories share the names.
      if (options.store === undefined) await action();
      else await holdStore(options.store, options, log, action);
    });
}

async function serveDirectory(options: ServeOptions, io: Io, log: Logger): Promise<void> {
  const { certificate, privateKey } = options;
  const files = { certificate, privateKey };
  const limits = readLimits({ flags: options, env: io.env });
  const identity = await readIdentity(files);
  await warnOfExposure(privateKey, (text) => log.warn(text));
  const store = await openNamedStore(options, io, log);
  try {
    // With Redis there is no folder of its own: its sessions end with the process.
    const tickets = options.store && (await ticketKeysOf(options.store, log));
    const running = await startDirectory({
      ...limits,
      host: options.host,
      port: options.port,
      tls: identity,
      ...(tickets && { ticketKeys: tickets.keys }),
      store,
      log,
    });
    const useKeys = (keys: Buffer): void => running.useTicketKeys(keys);
    const stopRotation =
      options.store && tickets && rotateTicketKeys(options.store, tickets, useKeys, log);
    const unwatch = watchIdentity(files, (renewed) => running.useIdentity(renewed), log);
    const close = async (): Promise<void> => {
      unwatch();
      if (stopRotation) stopRotation();
      await running.close();
    };
    await serve({ ...running, close }, options, io, log);
  } finally {
    await store.close();
  }
}

function addEntries(command: Command, io: Io): void {
  withDirectoryStore(command.command("set"))
    .description("register an atSign, or move it; a running atDirectory answers so at once")
    .argument("<atSign>")
    .argument("<host:port>", "its atServer")
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  atmicro directory set @alice host.example:6464 --store d")
    .action(async (atSign: string, address: string, options: EntryOptions) => {
      const [name, target] = registration(atSign, address);
      await withStore(options, io, (store) => store.set(name, target));
      printResult(io, options.json, { atSign: name, ...target }, "");
    });
  withDirectoryStore(command.command("get"))
    .description("print where an atSign's atServer is")
    .argument("<atSign>")
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  atmicro directory get @alice --store d")
    .action(async (atSign: string, options: EntryOptions) => {
      const name = nameOf(atSign);
      const found = await withStore(options, io, async (store) => store.get(name));
      if (found === undefined) {
        throw new CliError(`${name} is not in this atDirectory`, EXIT.notFound);
      }
      printResult(io, options.json, { atSign: name, ...found }, formatAddress(found));
    });
  withDirectoryStore(command.command("remove"))
    .description("forget an atSign")
    .argument("<atSign>")
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  atmicro directory remove @alice --store d")
    .action(async (atSign: string, options: EntryOptions) => {
      const name = nameOf(atSign);
      if (!(await withStore(options, io, (store) => store.remove(name)))) {
        throw new CliError(`${name} is not in this atDirectory`, EXIT.notFound);
      }
      printResult(io, options.json, { atSign: name, removed: true }, "");
    });
  withDirectoryStore(command.command("import"))
    .description("register many: a file with lines `@alice host:port`")
    .argument("<file>")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nEmpty lines and lines that begin with # are left out. When a line is wrong, nothing is registered.\n" +
        "\nExample:\n  atmicro directory import names.txt --store d",
    )
    .action(async (file: string, options: EntryOptions) => {
      const entries = parseEntries(await readNamedFile("the list", file), file);
      await withStore(options, io, (store) => register(entries, store, io));
      const registered = entries.length;
      printResult(io, options.json, { registered }, `${registered} atSigns registered`);
    });
}

/** Registers many, and says on a terminal how far it is. */
async function register(
  entries: readonly [string, Address][],
  store: DirectoryStore,
  io: Io,
): Promise<void> {
  for (let at = 0; at < entries.length; at += IMPORT_BATCH) {
    io.progress?.(`${at} of ${entries.length} atSigns`);
    const batch = entries.slice(at, at + IMPORT_BATCH);
    await Promise.all(batch.map(([atSign, address]) => store.set(atSign, address)));
  }
  io.progress?.("");
}

/** An atSign of the command line or a list. Throws CliError. */
function nameOf(atSign: string): string {
  return understood(() => normalizeAtSign(atSign));
}

/** An atSign and its atServer's address. Throws CliError for what no directory takes. */
function registration(atSign: string, address: string): [string, Address] {
  const target = understood(() => parseAddress(address));
  understood(() => formatEntry(target));
  return [nameOf(atSign), target];
}

function understood<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof AtError || cause instanceof RangeError)) throw cause;
    throw new CliError(cause.message, EXIT.usage, { cause });
  }
}

/** Reads `@alice host:port` lines; empty lines and lines beginning with # are left out. Throws CliError that names the line. */
export function parseEntries(text: string, name: string): [string, Address][] {
  const entries: [string, Address][] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [atSign, address, ...more] = line.trim().split(/\s+/);
    if (!atSign || atSign.startsWith("#")) continue;
    const place = `${name}:${index + 1}`;
    if (address === undefined || more.length > 0) {
      throw new CliError(`${place} is not "@atSign host:port"`, EXIT.usage);
    }
    try {
      entries.push(registration(atSign, address));
    } catch (cause) {
      if (!(cause instanceof CliError)) throw cause;
      throw new CliError(`${place}: ${cause.message}`, EXIT.usage, { cause });
    }
  }
  return entries;
}
