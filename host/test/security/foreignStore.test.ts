// SPDX-License-Identifier: BSD-3-Clause
// A server that is started on a folder of somebody or something else takes it up for its own and spoils it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { open } from "lmdb";
import { afterAll, describe, expect, it } from "vitest";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { openLmdbStore } from "../../store/lmdb.ts";
import { SCHEMA_VERSION } from "../../store/store.ts";
import { ServerProcess } from "../server/serverProcess.ts";
import { World } from "../server/world.ts";

const ATMICRO = fileURLToPath(new URL("../../../build/host/cli/main.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "atmicro-foreign-"));
afterAll(() => rmSync(root, { recursive: true }));
let made = 0;
const fresh = (): string => join(root, String(made++));
const dataOf = (folder: string): Buffer => readFileSync(join(folder, "data.mdb"));

/** A store that an earlier version kept for an atSign, without saying whose it is. */
async function unmarked(folder: string, ...atSigns: string[]): Promise<void> {
  const store = await openLmdbStore(folder);
  await store.write((writer) => {
    for (const atSign of atSigns) {
      writer.put(`public:signing_publickey${atSign}`, { value: "K", metadata: {} });
      writer.put(`cached:public:signing_publickey@zoe`, { value: "K", metadata: {} });
    }
    writer.put("x.demo@alice", { value: "1", metadata: {} }, "*");
  });
  await store.close();
}

const opened = async (folder: string, owner?: string): Promise<void> =>
  (await openLmdbStore(folder, Date.now, owner)).close();

describe("the store of an atSign", () => {
  it("is refused to another by name, whether new or of an earlier version, and left as it is", async () => {
    const [marked, old] = [fresh(), fresh()];
    await opened(marked, "@alice");
    await unmarked(old, "@alice");
    for (const folder of [marked, old]) {
      const before = dataOf(folder);
      const refused = opened(folder, "@bob");
      await expect(refused).rejects.toThrow(
        `the store in ${folder} is @alice's, not @bob's: name the folder of @bob, or a new one`,
      );
      await expect(refused).rejects.toMatchObject({ place: "foreign" });
      expect(dataOf(folder).equals(before)).toBe(true);
      await opened(folder, "@alice");
    }
    await expect(opened(old, "@bob")).rejects.toThrow("is @alice's, not @bob's");
  });

  it("stays its own when two atServers were started there by mistake before", async () => {
    const folder = fresh();
    await unmarked(folder, "@alice", "@bob");
    await expect(opened(folder, "@carol")).rejects.toThrow("is @alice's, not @carol's");
    await opened(folder, "@bob");
    await expect(opened(folder, "@alice")).rejects.toThrow("is @bob's, not @alice's");
  });

  it("of a newer program isn't marked", async () => {
    const folder = fresh();
    await unmarked(folder, "@alice");
    const raw = open({ path: folder, maxDbs: 16 });
    await raw.openDB({ name: "meta" }).put("schema", SCHEMA_VERSION + 1);
    await raw.close();
    const before = dataOf(folder);
    await expect(opened(folder, "@alice")).rejects.toThrow("a newer atmicro wrote it");
    expect(dataOf(folder).equals(before)).toBe(true);
  });

  it("is refused by the program with 2, and serves its own atSign on", async () => {
    const world = await World.create();
    const folder = fresh();
    const alice = new ServerProcess(world, "@alice", folder);
    const bob = new ServerProcess(world, "@bob", folder);
    await alice.start();
    alice.stop();
    expect(await alice.exit()).toBe(0);
    await expect(bob.start()).rejects.toThrow(
      `the store in ${alice.store} is @alice's, not @bob's`,
    );
    expect(await bob.exit()).toBe(2);
    await alice.start();
    alice.stop();
    await alice.exit();
    await world.close();
  });
});

describe("a store of another kind", () => {
  it("is refused by an atServer and by an atDirectory, and left as it is", async () => {
    const [names, records, other] = [fresh(), fresh(), fresh()];
    await (await openDirectoryStore(names)).close();
    await opened(records, "@alice");
    const raw = open({ path: other, maxDbs: 16 });
    await raw.openDB({ name: "things" }).put("a", 1);
    await raw.close();
    const before = [names, records, other].map(dataOf);
    for (const folder of [names, other]) {
      await expect(opened(folder, "@alice")).rejects.toThrow(
        `what is in ${folder} is not the store of an atServer: name the folder of one, or a new one`,
      );
    }
    for (const folder of [records, other]) {
      await expect(openDirectoryStore(folder)).rejects.toThrow(
        `what is in ${folder} is not the store of an atDirectory: name the folder of one, or a new one`,
      );
    }
    expect([names, records, other].map(dataOf)).toEqual(before);
  });

  it("is refused by the command line with 2", async () => {
    const folder = fresh();
    await opened(folder, "@alice");
    const get = [ATMICRO, "directory", "get", "@alice", "--store", folder];
    const { status, stderr } = spawnSync(process.execPath, get, { encoding: "utf8" });
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining("is not the store of an atDirectory"),
    ]);
  });
});
