// SPDX-License-Identifier: BSD-3-Clause
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { formatAddress } from "../../net/address.ts";
import { normalizeAtSign } from "../../wire/atsign.ts";
import { CliError, EXIT } from "../process/exit.ts";
import type { CommandDefinition, Io } from "../terminal/command.ts";
import { printJson, printLines } from "../terminal/output.ts";
import { World } from "../world/world.ts";

type UpOptions = { readonly folder?: string; readonly json: boolean; readonly fresh: boolean };

const DEFAULT_ATSIGNS = ["@alice", "@bob"];

async function isEmpty(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return true;
    throw error;
  }
}

/** The user's folder, which has to be new or empty, or a temporary one that is removed at the end. */
async function chooseFolder(given: string | undefined): Promise<{ path: string; keep: boolean }> {
  if (given === undefined) {
    return { path: await mkdtemp(join(tmpdir(), "atmicro-world-")), keep: false };
  }
  const path = resolve(given);
  if (await isEmpty(path)) return { path, keep: true };
  throw new CliError(`${path} is not empty: name a new folder`, EXIT.usage);
}

async function activateAll(world: World): Promise<void> {
  for (const { atSign } of world.servers) {
    const owner = await world.activate(atSign);
    await owner.close();
  }
}

function describe(world: World, activated: boolean): string[] {
  const lines = world.servers.map(({ atSign, port }) => {
    const keys = activated ? world.keyFile(atSign) : "not activated";
    return `  ${atSign.padEnd(16)} localhost:${port}   ${keys}`;
  });
  return [
    `atDirectory        ${formatAddress(world.directory)}`,
    `trusted authority  ${world.authorityFile}`,
    "atServers",
    ...lines,
    "Ctrl-C ends it.",
  ];
}

async function up(atSigns: readonly string[], options: UpOptions, io: Io): Promise<void> {
  const names = (atSigns.length === 0 ? DEFAULT_ATSIGNS : atSigns).map(normalizeAtSign);
  const folder = await chooseFolder(options.folder);
  let world: World | undefined;
  try {
    world = await World.start({ folder: folder.path, atSigns: names });
    if (!options.fresh) await activateAll(world);
    if (options.json) {
      const servers = world.servers.map(({ atSign, port }) => ({ atSign, port }));
      const { authorityFile: authority, directory } = world;
      const place = { folder: folder.path, authority, directory: formatAddress(directory) };
      printJson(io, { event: "ready", ...place, servers });
    } else {
      for (const line of describe(world, !options.fresh)) printLines(io, line);
    }
    const asked = new Promise<void>((done) => {
      if (io.signal.aborted) done();
      io.signal.addEventListener("abort", () => done(), { once: true });
    });
    await Promise.race([asked, world.failed]);
  } finally {
    await world?.close();
    if (!folder.keep) await rm(folder.path, { recursive: true, force: true });
  }
}

/** `atmicro up`: a complete local world. */
export const upCommand: CommandDefinition = (program, io) => {
  program
    .command("up")
    .description("run a complete local world: authority, atDirectory, an atServer per atSign")
    .argument("[atSigns...]", `whom to serve (${DEFAULT_ATSIGNS.join(" ")})`)
    .option("--folder <folder>", "where to put it, new or empty; else a temporary one")
    .option(
      "--fresh",
      "leave the atSigns unactivated; secrets are in each one's cram-secret",
      false,
    )
    .option("--json", "print one JSON object when ready", false)
    .addHelpText("after", "\nExample:\n  atmicro up @alice @greenhouse --folder world")
    .action((atSigns: string[], options: UpOptions) => up(atSigns, options, io));
};
