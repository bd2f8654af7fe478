// SPDX-License-Identifier: BSD-3-Clause
// What the rows are measured on: two atServers with their owners, and the programs beside them.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ChildProgram } from "../../../host/cli/process/childProgram.ts";
import { World } from "../../../host/cli/world/world.ts";
import type { AtClient } from "../../../host/client/atClient.ts";
import { type Authority, createAuthority } from "../../../host/crypto/certificates.ts";
import { type AtKeys, readKeyFile } from "../../../host/crypto/keyFile.ts";
import type { Endpoint } from "./rawLink.ts";

const READY_MILLIS = 120_000;

/** A program of ours that said where it listens. */
export type OwnProgram = Endpoint & {
  readonly pid: number;
  close(): Promise<void>;
};

/** An atSign of the setting. */
export type Party = {
  readonly client: AtClient;
  readonly keys: AtKeys;
  readonly endpoint: Endpoint;
  readonly pid: number;
};

export type Setting = {
  /** Of its own, on the disk that the stores are on too. */
  readonly folder: string;
  /** Signs the certificates of the programs beside ours. */
  readonly authority: Authority;
  readonly world: World;
  readonly alice: Party;
  readonly bob: Party;
};

async function party(world: World, atSign: string): Promise<Party> {
  const client = await world.activate(atSign);
  const { port, pid } = world.server(atSign);
  const endpoint = { port, authority: world.authority };
  return { client, keys: await readKeyFile(world.keyFile(atSign), atSign), endpoint, pid };
}

/** Makes a setting in a new folder, hands it to `use` and ends every process of it. */
export async function inSetting<T>(
  folder: string,
  use: (setting: Setting) => Promise<T>,
): Promise<T> {
  mkdirSync(folder, { mode: 0o700 });
  const authority = await createAuthority({ name: "atmicro bench" });
  const world = await World.start({
    folder: join(folder, "world"),
    atSigns: ["@alice", "@bob"],
  });
  try {
    const alice = await party(world, "@alice");
    const bob = await party(world, "@bob");
    const used = await use({ folder, authority, world, alice, bob });
    await Promise.all([alice.client.close(), bob.client.close()]);
    return used;
  } finally {
    await world.close();
  }
}

/** Starts a program of ours under Node; it tells where it listens. `authority` is the PEM that its certificate needs. */
export async function startOwn(
  name: string,
  args: readonly string[],
  authority: string,
): Promise<OwnProgram> {
  const program = new ChildProgram({ name, args });
  const { port } = await program.event("listening", READY_MILLIS);
  const { pid } = program;
  if (typeof port !== "number" || pid === undefined) throw new Error(`${name} has no port`);
  return { port, pid, authority, close: () => program.stop() };
}
