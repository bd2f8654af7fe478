// SPDX-License-Identifier: BSD-3-Clause
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLmdbStore } from "../../store/lmdb.ts";
import { ServerProcess } from "./serverProcess.ts";
import { World } from "./world.ts";

const hasLimits = spawnSync("prlimit", ["--version"]).status === 0;
if (!hasLimits) console.log("prlimit is not there: the test of a full disk is left out");

/** Lets no file of a process grow beyond so many bytes, which LMDB meets as it meets a full disk. */
function limitFiles(pid: number | undefined, bytes: number | "unlimited"): void {
  execFileSync("prlimit", ["--pid", String(pid), `--fsize=${bytes}:`]);
}

describe.skipIf(!hasLimits)("an atServer whose disk is full", () => {
  const folder = mkdtempSync(join(tmpdir(), "atmicro-full-"));
  let world: World;
  let server: ServerProcess;
  beforeAll(async () => {
    world = await World.create();
    server = new ServerProcess(world, "@alice", folder);
    await server.start();
    await server.activate();
  });
  afterAll(async () => {
    server.kill();
    await server.exit();
    await world.close();
    rmSync(folder, { recursive: true });
  });

  it("says so, goes on answering, keeps what it confirmed, and writes again when there is room", async () => {
    const owner = await server.owner();
    const value = "v".repeat(100_000);
    const kept: string[] = [];
    limitFiles(server.pid, statSync(join(server.store, "data.mdb")).size + 1_000_000);
    let reply = "";
    for (let i = 0; reply === "" || reply.startsWith("data:"); i++) {
      if (i > 0) kept.push(`k${i - 1}.demo@alice`);
      reply = await owner.ask(`update:k${i}.demo@alice ${value}`);
    }
    expect(reply).toBe("error:AT0010-Internal server error : The store can't be written\n@alice@");
    const failed = `k${kept.length}.demo@alice`;
    expect(server.log).toMatch(/"reason":"the store in [^"]* can't be written: /);
    // Nothing else is disturbed: others log in, read what is there, and are told what isn't.
    const other = await server.owner();
    for (const key of kept)
      expect(await other.ask(`llookup:${key}`)).toBe(`data:${value}\n@alice@`);
    expect(await other.ask(`llookup:${failed}`)).toMatch(/^error:AT0015-/);
    const many = await Promise.all(
      [owner, other].map((line) => line.ask(`update:m.demo@alice ${"v".repeat(2_000_000)}`)),
    );
    for (const answer of many) expect(answer).toMatch(/^error:AT0010-/);
    limitFiles(server.pid, "unlimited");
    expect(await owner.ask(`update:${failed} ${value}`)).toMatch(/^data:\d+\n@alice@$/);
    server.kill();
    await server.exit();
    const store = await openLmdbStore(server.store);
    for (const key of [...kept, failed]) expect(store.record(key)?.value).toBe(value);
    expect(store.record("m.demo@alice")).toBeUndefined();
    await store.close();
  });
});
