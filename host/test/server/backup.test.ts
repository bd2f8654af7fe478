// SPDX-License-Identifier: BSD-3-Clause
// A backup of an atServer that is busy, restored under a second atServer.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openLmdbStore } from "../../store/lmdb.ts";
import { ServerProcess } from "./serverProcess.ts";
import { World } from "./world.ts";

const ATMICRO = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));
const CONNECTIONS = 3;
const BACKUPS = 3;

let world: World;
let folder: string;

beforeAll(async () => {
  world = await World.create();
  folder = mkdtempSync(join(tmpdir(), "atmicro-backup-"));
});

afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

async function atmicro(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, [ATMICRO, ...args, "--json"]);
  return JSON.parse(stdout);
}

/** Writes rising numbers into records of its own until it is told to end. */
class Load {
  readonly acknowledged: number[] = [];
  private ending = false;
  private readonly work: Promise<void>[];

  constructor(server: ServerProcess) {
    this.work = Array.from({ length: CONNECTIONS }, (_, i) => this.write(server, i));
  }

  /** Resolves when each connection had so many acknowledged. */
  async reached(number: number): Promise<void> {
    while (this.acknowledged.filter((n) => n >= number).length < CONNECTIONS) {
      await Promise.race([setImmediate(), ...this.work]);
    }
  }

  async end(): Promise<void> {
    this.ending = true;
    await Promise.all(this.work);
  }

  private async write(server: ServerProcess, i: number): Promise<void> {
    const owner = await server.owner();
    for (let n = 0; !this.ending; n++) {
      const reply = await owner.ask(`update:n${i}.load@alice ${n} ${"v".repeat(2_000)}`);
      expect(reply).toMatch(/^data:\d+\n@alice@$/);
      this.acknowledged[i] = n;
    }
    owner.close();
  }
}

it("holds what was acknowledged, and a server goes on from it", async () => {
  const server = new ServerProcess(world, "@alice", join(folder, "first"));
  await server.start();
  await server.activate();
  const load = new Load(server);
  const backups: { file: string; least: number[]; said: Record<string, unknown> }[] = [];
  for (let i = 0; i < BACKUPS; i++) {
    await load.reached(20 * (i + 1));
    const file = join(folder, `backup${i}.mdb`);
    const least = [...load.acknowledged];
    const said = await atmicro("server", "backup", "--store", server.store, "--to", file);
    backups.push({ file, least, said });
  }
  await load.end();
  server.stop();
  expect(await server.exit()).toBe(0);

  for (const [i, { file, least, said }] of backups.entries()) {
    const target = join(folder, `restored${i}`, "store");
    const restored = await atmicro("server", "restore", "--from", file, "--store", target);
    expect(restored).toEqual({ ...said, file: undefined, store: target });
    const store = await openLmdbStore(target);
    expect(said.records).toBe([...store.records()].length);
    expect(said.commitId).toBe(store.lastCommitId());
    for (const [connection, number] of least.entries()) {
      const value = store.record(`n${connection}.load@alice`)?.value;
      expect(Number(value?.split(" ")[0])).toBeGreaterThanOrEqual(number);
    }
    // A record and its commit are one transaction, so neither is there without the other.
    const commits = [...store.commitsAfter(-1)];
    expect(commits.at(-1)?.commitId).toBe(store.lastCommitId());
    for (const { key } of commits) expect(store.record(key), key).toBeDefined();
    await store.close();
  }

  mkdirSync(join(folder, "restored0"), { recursive: true });
  const again = new ServerProcess(world, "@alice", join(folder, "restored0"));
  await again.start();
  const owner = await again.owner();
  const last = Number(backups[0]?.said.commitId);
  expect(await owner.ask("update:after.load@alice x")).toBe(`data:${last + 1}\n@alice@`);
  again.stop();
  expect(await again.exit()).toBe(0);
});
