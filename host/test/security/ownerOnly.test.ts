// SPDX-License-Identifier: BSD-3-Clause
// What a server keeps is its owner's alone to read.
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { backUpStore } from "../../store/backup.ts";
import { openLmdbStore } from "../../store/lmdb.ts";
import { closeToOthers } from "../../store/ownerOnly.ts";
import { ServerProcess } from "../server/serverProcess.ts";
import { World } from "../server/world.ts";

let root: string;
let world: World;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "atmicro-modes-"));
  world = await World.create();
});
afterAll(async () => {
  await world.close();
  rmSync(root, { recursive: true });
});

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

function modesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder).map((name) => [name, modeOf(join(folder, name))]);
  return { folder: modeOf(folder), ...Object.fromEntries(names) };
}

it("a store and its lock, of an atServer and of an atDirectory, are made so, whatever the mask", async () => {
  const before = process.umask(0);
  try {
    const [records, names] = [join(root, "records"), join(root, "names")];
    await (await openLmdbStore(records)).close();
    await (await openDirectoryStore(names)).close();
    rmSync(join(records, "lock.mdb"));
    await backUpStore(records, join(root, "backup.mdb"));
    const expected = { folder: "700", "data.mdb": "600", "lock.mdb": "600" };
    expect([modesIn(records), modesIn(names)]).toEqual([expected, expected]);
    expect(modeOf(join(root, "backup.mdb"))).toBe("600");
    expect(process.umask(0)).toBe(0);
  } finally {
    process.umask(before);
  }
});

it("a store that was open to others is closed to them at the start, and the log says so", async () => {
  const server = new ServerProcess(world, "@alice", join(root, "alice"));
  await server.start();
  server.stop();
  await server.exit();
  expect(server.log).not.toContain("open to others");
  const { store } = server;
  const modes = modesIn(store);
  expect(new Set(Object.values(modes))).toEqual(new Set(["700", "600"]));
  for (const name of readdirSync(store)) {
    if (name !== "ticket-keys.json") chmodSync(join(store, name), 0o644);
  }
  chmodSync(store, 0o750);
  await server.start();
  expect(modesIn(store)).toEqual(modes);
  const said = (name: string, mode: string): string =>
    `"path":${JSON.stringify(join(store, name))},"mode":"${mode}","msg":"was open to others; now its owner's alone"`;
  expect(server.log).toContain(said("", "0750"));
  expect(server.log).toContain(said("data.mdb", "0644"));
  expect(server.log).toContain(said("lock.mdb", "0644"));
  expect(server.log).toContain(said("store.lock", "0644"));
  server.stop();
  expect(await server.exit()).toBe(0);
});

it("a folder of somebody else stays as it is, with the reason", async () => {
  const folder = join(root, "theirs");
  await (await openLmdbStore(folder)).close();
  chmodSync(root, 0o755);
  chmodSync(folder, 0o755);
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    const found = closeToOthers(folder);
    if (isRoot) {
      expect(found).toEqual([
        { path: folder, mode: "0755", reason: expect.stringContaining("EPERM") },
      ]);
    } else expect(found).toEqual([{ path: folder, mode: "0755" }]);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
  expect(closeToOthers(join(root, "nowhere"))).toEqual([]);
});
