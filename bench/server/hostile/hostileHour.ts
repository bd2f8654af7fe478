// SPDX-License-Identifier: BSD-3-Clause
// One atServer and its atDirectory under attack while an owner and two peers go on: what they feel of it, and what it costs.
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ChildProgram } from "../../../host/cli/process/childProgram.ts";
import { World } from "../../../host/cli/world/world.ts";
import { AtClient } from "../../../host/client/atClient.ts";
import { readKeyFile } from "../../../host/crypto/keyFile.ts";
import { type Memory, mappedBytes, memoryOf } from "../measuring/figures.ts";
import { type Exchanged, exchange } from "./exchange.ts";

const OWNER = "@alice";
const PEERS = ["@bob", "@carol"] as const;
/** Has an atServer and a certificate of this world, and means ill. */
const ATTACKER = "@mallory";
const STORE_FILE = "data.mdb";
const READY_MILLIS = 30_000;
const SAMPLE_MILLIS = 1_000;
/** Pause between two visits of the owner on a new connection, ms. */
const VISIT_MILLIS = 5_000;
const PUBLIC_RECORDS = 500;

/** `storeBytes`: the part of rssBytes that is pages of the store's file, which the kernel takes back when it needs memory. */
export type ServerMemory = Memory & { readonly storeBytes: number };

export type HostileHour = Exchanged & {
  /** The attacked atServer's memory, once a second. */
  readonly memory: readonly ServerMemory[];
  readonly directoryMemory: readonly ServerMemory[];
  /** What the attacked atServer's store grew by, bytes of disk. */
  readonly storeGrowthBytes: number;
  /** ms from the owner's look-up in the directory to an answered request on a new connection. */
  readonly visitMillis: readonly number[];
};

/** Bytes of disk below a folder. */
function diskBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.blocks ?? 0)
    .reduce((sum, blocks) => sum + blocks * 512, 0);
}

/** The owner comes anew: directory, handshake, login, a record written and read. Rejects when one of them fails. */
async function visit(world: World): Promise<void> {
  const keys = await readKeyFile(world.keyFile(OWNER), OWNER);
  const client = await AtClient.connect({ ...world.network, keys });
  const key = `visit.bench${OWNER}`;
  const text = String(Math.random());
  try {
    await client.put(key, text);
    const { value } = await client.get(key);
    if (value !== text) throw new Error(`${key} was read back as ${value}`);
  } finally {
    await client.close();
  }
}

async function visits(world: World, signal: AbortSignal): Promise<number[]> {
  const millis: number[] = [];
  while (!signal.aborted) {
    const start = performance.now();
    await visit(world);
    millis.push(performance.now() - start);
    await delay(VISIT_MILLIS);
  }
  return millis;
}

async function sample(pid: number, signal: AbortSignal): Promise<ServerMemory[]> {
  const samples: ServerMemory[] = [];
  while (!signal.aborted) {
    samples.push({ ...memoryOf(pid), storeBytes: mappedBytes(pid, STORE_FILE) });
    await delay(SAMPLE_MILLIS);
  }
  return samples;
}

function startAttacker(world: World): ChildProgram {
  const program = fileURLToPath(new URL("./attacker.js", import.meta.url));
  const { port } = world.server(OWNER);
  const attacked = [OWNER, String(port), String(world.directory.port)];
  const own = [ATTACKER, String(world.server(ATTACKER).port), world.keyFile(ATTACKER)];
  return new ChildProgram({
    name: "the attacker",
    args: [program, world.authorityFile, ...attacked, ...own],
  });
}

async function attacked(world: World, minutes: number): Promise<HostileHour> {
  const [owner, attacker, ...peers] = await Promise.all(
    [OWNER, ATTACKER, ...PEERS].map((atSign) => world.activate(atSign)),
  );
  if (owner === undefined || attacker === undefined) throw new Error("nobody was activated");
  await attacker.close();
  for (let i = 0; i < PUBLIC_RECORDS; i++) {
    await owner.put(`public:p${i}.bench${OWNER}`, "open to all");
  }
  const store = join(world.folder, OWNER, "store");
  const before = diskBytes(store);
  const hostile = startAttacker(world);
  await hostile.event("attacking", READY_MILLIS);
  const stop = new AbortController();
  const over = delay(minutes * 60_000).then(() => stop.abort());
  const { signal } = stop;
  const sampled = [world.server(OWNER).pid, world.directoryPid].map((pid) => sample(pid, signal));
  try {
    const [exchanged, visitMillis, memory = [], directoryMemory = []] = await Promise.race([
      Promise.all([exchange(owner, peers, signal), visits(world, signal), ...sampled]),
      world.failed,
      hostile.ended.then((reason) => {
        throw reason ?? new Error("the attacker went away");
      }),
    ]);
    await over;
    const storeGrowthBytes = diskBytes(store) - before;
    return { ...exchanged, visitMillis, memory, directoryMemory, storeGrowthBytes };
  } finally {
    stop.abort();
    await hostile.stop();
    await Promise.all([owner, ...peers].map((client) => client.close()));
  }
}

/** Lets a world of its own, in a new folder, be attacked for so many minutes. */
export async function hostileHour(folder: string, minutes: number): Promise<HostileHour> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const world = await World.start({
    folder: join(folder, "world"),
    atSigns: [OWNER, ...PEERS, ATTACKER],
  });
  try {
    return await attacked(world, minutes);
  } finally {
    await world.close();
  }
}
