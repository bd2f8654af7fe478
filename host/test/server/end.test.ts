// SPDX-License-Identifier: BSD-3-Clause
// An atServer that is asked to end: what runs is answered, what was answered is kept, the exit code is 0.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ServerProcess } from "./serverProcess.ts";
import { World } from "./world.ts";

let world: World;
let folder: string;

beforeAll(async () => {
  world = await World.create();
  folder = mkdtempSync(join(tmpdir(), "atmicro-end-"));
});

afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

it("answers the running command on SIGTERM, ends with 0 and has lost nothing", async () => {
  const server = new ServerProcess(world, "@term", join(folder, "term"));
  await server.start();
  await server.activate();
  const owner = await server.owner();
  expect(await owner.ask("update:kept@term value")).toMatch(/^data:\d+\n@term@$/);
  // Both lines arrive together, so the second runs when the first is answered.
  owner.send("noop:0\nnoop:1000\n");
  expect(await owner.reply()).toBe("data:ok\n@term@");
  server.stop();
  expect(await owner.reply()).toBe("data:ok\n@term@");
  expect(await server.exit()).toBe(0);
  await server.start();
  expect(await (await server.owner()).ask("llookup:kept@term")).toBe("data:value\n@term@");
  server.stop();
  expect(await server.exit()).toBe(0);
});
