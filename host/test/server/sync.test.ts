// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { enrolled, payloadOf } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

const NOW = 1_700_000_000_000;

interface Entry {
  atKey: string;
  value: string | null;
  metadata: Record<string, string> | null;
  commitId: number;
  operation: string;
}

describe("sync", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let start: number;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", {
      now: () => NOW,
      syncPageLimit: 4,
      syncBufferSize: 10_000,
    });
    owner = await alice.owner();
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    start = alice.store.lastCommitId();
  });

  const entries = async (rest: string, line = owner): Promise<Entry[]> =>
    payloadOf(await line.ask(`sync:${rest}`)) as Entry[];
  const keys = async (rest: string, line = owner): Promise<string[]> =>
    (await entries(rest, line)).map(({ atKey }) => atKey);
  const put = async (key: string, value = "1"): Promise<number> =>
    Number(/^data:(\d+)\n/.exec(await owner.ask(`update:${key}@alice ${value}`))?.[1]);

  it("needs a login", async () => {
    expect(await (await alice.open()).ask("sync:from:-1:limit:5")).toBe(
      "error:AT0401-Exception: Command cannot be executed without auth\n@",
    );
  });

  it("shows a new atServer's own keys, and nothing above the last", async () => {
    const fresh = await (await world.start("@fresh")).owner();
    const found = await entries("from:-1:limit:10", fresh);
    expect(found.map(({ atKey, commitId, operation }) => [atKey, commitId, operation])).toEqual([
      ["public:signing_publickey@fresh", 0, "*"],
      ["@fresh:signing_privatekey@fresh", 1, "*"],
    ]);
    expect(await fresh.ask("sync:from:1:limit:10")).toBe("data:[]\n@fresh@");
    expect(await fresh.ask("sync:from:99999999999999999999:limit:10")).toBe("data:[]\n@fresh@");
  });

  it("gives value and metadata, every metadata value a text, byte for byte", async () => {
    const app = Buffer.from('{"ü":[1]}').toString("base64");
    await owner.ask(
      `update:ttl:60000:isEncrypted:true:ivNonce:n:pubKeyHash:h:hashingAlgo:sha512:appMetadata:${app}:@bob:a.wavi@alice Wert "ü"`,
    );
    const time = "2023-11-14 22:13:20.000Z";
    expect(await owner.ask(`sync:from:${start}:limit:5`)).toBe(
      `data:${JSON.stringify([
        {
          atKey: "@bob:a.wavi@alice",
          value: 'Wert "ü"',
          metadata: {
            createdBy: "@alice",
            updatedBy: "@alice",
            createdAt: time,
            updatedAt: time,
            expiresAt: "2023-11-14 22:14:20.000Z",
            status: "active",
            version: "0",
            ttl: "60000",
            isBinary: "false",
            isEncrypted: "true",
            pubKeyHash: '{"hash":"h","algo":"sha512"}',
            ivNonce: "n",
            appMetadata: app,
          },
          commitId: start + 1,
          operation: "*",
        },
      ])}\n@alice@`,
    );
  });

  it("has one entry a key, its latest, and deletes without value", async () => {
    for (let i = 0; i < 5; i++) await put("b.wavi", String(i));
    await owner.ask("update:meta:b.wavi@alice:ttl:5000");
    await owner.ask("delete:c.wavi@alice");
    expect(await entries(`from:${start}:limit:4`)).toMatchObject([
      { atKey: "b.wavi@alice", value: "4", commitId: start + 6, operation: "#" },
      {
        atKey: "c.wavi@alice",
        value: null,
        metadata: null,
        commitId: start + 7,
        operation: "-",
      },
    ]);
  });

  it("gives pages: at most the limit asked for, at most the configured one", async () => {
    for (const name of ["p1", "p2", "p3", "p4", "p5"]) await put(`${name}.wavi`);
    expect(await entries(`from:${start}:limit:0`)).toEqual([]);
    expect(await entries(`from:${start}:limit:1`)).toHaveLength(1);
    expect(await entries(`from:${start}:limit:3`)).toHaveLength(3);
    expect(await entries(`from:${start}:limit:4`)).toHaveLength(4);
    expect(await entries(`from:${start}:limit:500`)).toHaveLength(4);
    expect(await entries(`from:${start}`)).toHaveLength(4);
    const seen: string[] = [];
    for (let from = start; ; ) {
      const page = await entries(`from:${from}:limit:2`);
      if (page.length === 0) break;
      seen.push(...page.map(({ atKey }) => atKey));
      from = page.at(-1)?.commitId ?? from;
    }
    expect(seen).toEqual(["p1", "p2", "p3", "p4", "p5"].map((name) => `${name}.wavi@alice`));
  });

  it("fills a page past entries the filter leaves out", async () => {
    for (let i = 0; i < 10; i++) await put(`q${i}.buzz`);
    await put("q.persona");
    expect(await keys(`from:${start}:limit:1:\\.persona@`)).toEqual(["q.persona@alice"]);
  });

  it("ends a page before the buffer's limit, but gives a single entry of any size", async () => {
    await put("big1.wavi", "v".repeat(20_000));
    await put("small1.wavi", "v".repeat(4_600));
    await put("small2.wavi", "v".repeat(4_600));
    await put("small3.wavi", "v".repeat(4_600));
    expect(await keys(`from:${start}:limit:4`)).toEqual(["big1.wavi@alice"]);
    expect(await keys(`from:${start + 1}:limit:4`)).toEqual([
      "small1.wavi@alice",
      "small2.wavi@alice",
    ]);
  });

  it("counts the buffer's limit in bytes of the answer", async () => {
    const first = await world.start("@exact", { now: () => NOW });
    const line = await first.owner();
    await line.ask("update:a.wavi@exact ü");
    await line.ask("update:b.wavi@exact ü");
    const reply = await line.ask("sync:from:1:limit:2");
    const bytes = Buffer.byteLength(reply) - "data:\n@exact@".length;
    await world.stop(first);
    for (const [syncBufferSize, count] of [
      [bytes, 2],
      [bytes - 1, 1],
    ] as const) {
      const place = await world.start("@exact", { store: first.store, syncBufferSize });
      expect(await entries("from:1:limit:2", await place.owner())).toHaveLength(count);
      await world.stop(place);
    }
    await first.store.close();
  });

  it("always gives what sharing needs, whatever the regular expression", async () => {
    await put("@bob:shared_key");
    await put("shared_key.bob");
    await put("public:publickey");
    await put("public:open");
    await put("public:closed.wavi");
    await put("nothing.wavi");
    expect(await keys(`from:${start}:limit:9:no-such-key`)).toEqual([
      "@bob:shared_key@alice",
      "shared_key.bob@alice",
      "public:publickey@alice",
      "public:open@alice",
    ]);
  });

  it("gives an enrollment its namespaces and the keys of sharing, and with * everything", async () => {
    const { line } = await enrolled(alice, { wavi: "rw", "at_contact.buzz": "r" });
    const from = alice.store.lastCommitId();
    await put("r.wavi");
    await put("r.buzz");
    await put("x.at_contact.buzz");
    await put("plain");
    await put("shared_key.carol");
    const seen = await entries(`from:${from}:limit:9`, line);
    expect(seen.map(({ atKey, commitId }) => [atKey, commitId])).toEqual([
      ["r.wavi@alice", from + 1],
      ["x.at_contact.buzz@alice", from + 3],
      ["shared_key.carol@alice", from + 5],
    ]);
    const { line: all } = await enrolled(alice, { "*": "r" });
    expect(await keys(`from:${from}:limit:9`, all)).toEqual([
      "r.wavi@alice",
      "r.buzz@alice",
      "x.at_contact.buzz@alice",
      "plain@alice",
    ]);
    const { line: manager } = await enrolled(alice, { __manage: "r" });
    expect(await keys(`from:${from}:limit:9`, manager)).toEqual(["shared_key.carol@alice"]);
  });

  it("keeps the atServer's own signing key from every enrollment", async () => {
    const signing = "@alice:signing_privatekey@alice";
    const { line } = await enrolled(alice, { wavi: "rw", __manage: "rw" });
    expect(await keys("from:-1:limit:1", line)).toEqual(["public:signing_publickey@alice"]);
    expect(await keys("from:0:limit:1", line)).not.toContain(signing);
    const { line: all } = await enrolled(alice, { "*": "rw", __manage: "rw" });
    expect(await keys("from:0:limit:9", all)).not.toContain(signing);
    expect(await keys("from:0:limit:1")).toEqual([signing]);
  });

  it("leaves old deletes out, except the very last entry of those asked for", async () => {
    await put("s.wavi");
    await owner.ask("delete:s.wavi@alice");
    await put("t.wavi");
    await put("u.buzz");
    await owner.ask("delete:u.buzz@alice");
    const [gone, kept, last] = [start + 2, start + 3, start + 5];
    const ids = async (rest: string): Promise<number[]> =>
      (await entries(rest)).map(({ commitId }) => commitId);
    expect(await ids(`from:${start}:limit:4`)).toEqual([gone, kept, last]);
    expect(await ids(`from:${start}:limit:4:skipDeletesUntil:${gone - 1}`)).toEqual([
      gone,
      kept,
      last,
    ]);
    expect(await ids(`from:${start}:limit:4:skipDeletesUntil:${gone}`)).toEqual([kept, last]);
    expect(await ids(`from:${start}:limit:4:skipDeletesUntil:${last}`)).toEqual([kept, last]);
    expect(await ids(`from:${start}:limit:1:skipDeletesUntil:${last}`)).toEqual([kept]);
    expect(await ids(`from:${start}:skipDeletesUntil:${last}:wavi`)).toEqual([kept]);
    expect(await ids(`from:${kept}:skipDeletesUntil:${last}:buzz`)).toEqual([last]);
  });

  it("passes over entries whose record is gone, whose key is none, and uncommitted keys", async () => {
    await alice.store.write((writer) => {
      writer.put("gone.wavi@alice", { value: "", metadata: {} }, "*");
      writer.remove("gone.wavi@alice", false);
      writer.put("not,a,key@alice", { value: "", metadata: {} }, "*");
    });
    await owner.ask("update:public:_hidden.wavi@alice 1");
    const last = await put("v.wavi");
    expect(await entries(`from:${start}:limit:4`)).toMatchObject([{ commitId: last }]);
  });

  it("answers to its old name", async () => {
    await put("w.wavi");
    await put("w.buzz");
    expect(await owner.ask(`sync:${start}`)).toBe(await owner.ask(`sync:from:${start}:limit:4`));
    expect(await keys(`${start}:buzz`)).toEqual(["w.buzz@alice"]);
    expect(await keys(`${start}:^w\\.`)).toEqual(["w.wavi@alice", "w.buzz@alice"]);
  });

  it.each([
    "sync:",
    "sync:.buzz@",
    "sync:-2",
    "sync:x",
    "sync:from:",
    "sync:from:-2:limit:5",
    "sync:from:x:limit:5",
    "sync:from:1:limit:",
    "sync:from:1:limit:-1",
    "sync:from:1:limit:x",
    "sync:from:1:skipDeletesUntil:x",
    "sync:from:1:limit:5:",
    "sync:from:1:limit:5:(",
  ])("refuses %s", async (command) => {
    expect(await owner.ask(command)).toMatch(/^error:AT0003-Invalid syntax : Invalid syntax\. /);
  });

  it("is no command without a colon", async () => {
    expect(await owner.ask("sync .buzz@")).toBe(
      "error:AT0003-Invalid syntax : invalid command\n@alice@",
    );
  });
});
