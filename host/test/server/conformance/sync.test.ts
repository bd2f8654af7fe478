// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect } from "vitest";
import { enrolled, payloadOf } from "../enrolled.ts";
import type { Line } from "../line.ts";
import { dataOf } from "../notifications.ts";
import { type Place, World } from "../world.ts";
import { converse, data, item, items, JSON_VERSION, syntaxError } from "./items.ts";

interface Entry {
  atKey: string;
  value: string | null;
  metadata: Record<string, string> | null;
  commitId: number;
  operation: string;
}

/** Bytes of one answer. */
const BUFFER = 2_000;

describe("sync", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { syncBufferSize: BUFFER });
    owner = await alice.owner(JSON_VERSION);
  });
  afterAll(() => world.close());

  const put = async (command: string): Promise<number> => Number(dataOf(await owner.ask(command)));
  const sync = async (from: number, rest = "", line = owner): Promise<Entry[]> =>
    payloadOf(await line.ask(`sync:from:${from}:limit:10${rest}`)) as Entry[];

  item(185, "a filter that fits shows the write", async () => {
    const id = await put("update:public:twitter.persona@alice x");
    const entries = await sync(id - 1, ":.persona");
    expect(entries).toMatchObject([
      { atKey: "public:twitter.persona@alice", value: "x", commitId: id, operation: "*" },
    ]);
  });

  items(() => owner, {
    186: [["sync:.buzz@", syntaxError]],
    187: [["sync .buzz@", syntaxError]],
  });

  item(188, "a key that was written five times occurs once", async () => {
    const start = alice.store.lastCommitId();
    for (let i = 1; i <= 5; i++) await put(`update:often.wavi@alice ${i}`);
    const entries = await sync(start);
    expect(entries.map(({ atKey, value, commitId }) => [atKey, value, commitId])).toEqual([
      ["often.wavi@alice", "5", start + 5],
    ]);
  });

  item(189, "the last commit id grows by one for each write", async () => {
    const start = alice.store.lastCommitId();
    for (let i = 1; i <= 3; i++) {
      expect(await put(`update:grown${i}.wavi@alice v`)).toBe(start + i);
      await converse(owner, [
        ["stats:3", data(` [{"id":"3","name":"lastCommitID","value":"${start + i}"}]`)],
      ]);
    }
    await converse(owner, [["update:public:_hidden@alice v", data("-1")]]);
    expect(alice.store.lastCommitId()).toBe(start + 3);
  });

  item(190, "an enrollment gets its namespaces, with their commit ids", async () => {
    const { line } = await enrolled(alice, { wavi: "rw", buzz: "r" });
    const start = alice.store.lastCommitId();
    const wavi = await put("update:mine.wavi@alice 1");
    await put("update:not.mine@alice 1");
    const buzz = await put("update:also.buzz@alice 1");
    const entries = await sync(start, "", line);
    expect(entries.map(({ atKey, commitId }) => [atKey, commitId])).toEqual([
      ["mine.wavi@alice", wavi],
      ["also.buzz@alice", buzz],
    ]);
  });

  items(() => owner, {
    191: [["sync:from:-1:limit:10:nothing-fits-this", /^data:\[.*\]\n@alice@$/]],
  });

  item(192, "an entry larger than the buffer comes alone, and none overflows it", async () => {
    const start = alice.store.lastCommitId();
    const large = "v".repeat(BUFFER);
    await put(`update:large1.wavi@alice ${large}`);
    await put(`update:large2.wavi@alice ${large}`);
    const first = await sync(start);
    expect(first.map(({ atKey }) => atKey)).toEqual(["large1.wavi@alice"]);
    const second = await sync(first[0]?.commitId ?? -1);
    expect(second.map(({ atKey }) => atKey)).toEqual(["large2.wavi@alice"]);
  });

  item(193, "a deleted key has neither value nor metadata", async () => {
    await put("update:short.wavi@alice 1");
    const id = await put("delete:short.wavi@alice");
    expect(await sync(id - 1)).toEqual([
      { atKey: "short.wavi@alice", value: null, metadata: null, commitId: id, operation: "-" },
    ]);
  });

  item(194, "stats:3 of an enrollment counts its namespaces only", async () => {
    const { line } = await enrolled(alice, { wavi: "rw" });
    const mine = await put("update:counted.wavi@alice 1");
    await put("update:counted.buzz@alice 1");
    await converse(line, [
      ["stats:3", data(` [{"id":"3","name":"lastCommitID","value":"${mine}"}]`)],
    ]);
  });
});
