// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrolled } from "../server/enrolled.ts";
import type { Line } from "../server/line.ts";
import { dataOf } from "../server/notifications.ts";
import { type Place, World } from "../server/world.ts";

const grants = {
  reads: { wavi: "r", buzz: "r" },
  readsAll: { "*": "r" },
  manages: { __manage: "rw", wavi: "r" },
  writes: { wavi: "r", buzz: "rw" },
  writesAll: { "*": "rw" },
} as const;
type Who = keyof typeof grants;
const everybody = Object.keys(grants) as Who[];
const writers: readonly Who[] = ["writes", "writesAll"];
const removers: readonly Who[] = ["writesAll"];

const INSTANT = "2100-01-01T00:00:00.000Z";
const OPTIONS = ["ttl:1", "ttl:60000", "ttb:1", "immutable:true", "ttl:60000:ttb:60000"];

/** Whatever ends a record, hides it, or keeps it as it is for ever. */
function takingAway(key: string): string[] {
  const json = (more: Record<string, unknown>): string =>
    `update:json:${JSON.stringify({
      atKey: key.replace(/^@bob:|@alice$/g, ""),
      value: "KEY",
      sharedBy: "@alice",
      ...(key.startsWith("@bob:") && { sharedWith: "@bob" }),
      metadata: { isPublic: false, isBinary: false, isEncrypted: false, ...more },
    })}`;
  return [
    ...OPTIONS.flatMap((option) => [`update:meta:${key}:${option}`, `update:${option}:${key} KEY`]),
    ...[`eAt:${INSTANT}`, `aAt:${INSTANT}`].flatMap((option) => [
      `update:meta:${key}:${option}`,
      `update:${option}:${key} KEY`,
    ]),
    `update:nc:${key} KEY`,
    ...[{ ttl: 1 }, { ttb: 1 }, { immutable: true }].map(json),
  ];
}

describe("the keys two atSigns share", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  const lines = new Map<Who, Line>();
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { autoNotify: false, enrollmentMaxRequests: 100 });
    owner = await alice.owner();
    for (const who of everybody) lines.set(who, (await enrolled(alice, { ...grants[who] })).line);
  });
  afterAll(() => world.close());

  const keys = ["@bob:shared_key@alice", "shared_key.bob@alice"];
  const ask = (who: Who, command: string): Promise<string> => {
    const line = lines.get(who);
    if (line === undefined) throw new Error(who);
    return line.ask(command);
  };
  const reset = async (): Promise<void> => {
    for (const key of keys) await owner.ask(`update:${key} KEY`);
  };
  const value = (key: string): string | null | undefined => alice.store.record(key)?.value;
  const json = (key: string): string =>
    `update:json:${JSON.stringify({
      atKey: key.replace(/^@bob:|@alice$/g, ""),
      value: "FORGED",
      sharedBy: "@alice",
      ...(key.startsWith("@bob:") && { sharedWith: "@bob" }),
      metadata: { isPublic: false, isBinary: false, isEncrypted: false },
    })}`;

  describe.each(everybody)("with %s", (who) => {
    const writing = writers.includes(who);
    const removing = removers.includes(who);

    it.each(keys)("%s is read", async (key) => {
      await reset();
      expect(await ask(who, `llookup:${key}`)).toBe("data:KEY\n@alice@");
      expect(await ask(who, "sync:from:-1:limit:25:nothing-fits")).toContain(`"${key}"`);
    });

    it.each(keys)(`%s is ${writing ? "" : "not "}written`, async (key) => {
      for (const command of [
        `update:${key} FORGED`,
        json(key),
        `batch:[{"id":1,"command":"update:${key} FORGED"}]`,
      ]) {
        await reset();
        const reply = await ask(who, command);
        expect(value(key), command).toBe(writing ? "FORGED" : "KEY");
        if (!writing) expect(reply, command).toMatch(/AT0009/);
      }
      await reset();
      const meta = await ask(who, `update:meta:${key}:ttr:60:isEncrypted:true`);
      expect(meta).toMatch(writing ? /^data:\d+\n/ : /^error:AT0009-/);
      expect(alice.store.record(key)?.metadata.ttr).toBe(writing ? 60 : undefined);
      await owner.ask(`delete:${key}`);
    });

    it.each(keys)(`%s ${removing ? "can" : "can't"} be made to go or to stay`, async (key) => {
      for (const command of takingAway(key)) {
        for (const batched of [false, true]) {
          await owner.ask(`delete:force:${key}`);
          await reset();
          const reply = await ask(
            who,
            batched ? `batch:${JSON.stringify([{ id: 1, command }])}` : command,
          );
          if (removing) expect(reply, command).toMatch(/^data:/);
          else {
            expect(reply, command).toMatch(/AT0009/);
            expect(alice.store.record(key)?.metadata, command).toMatchObject({ version: 0 });
            expect(value(key)).toBe("KEY");
          }
        }
      }
      await owner.ask(`delete:force:${key}`);
    });

    it("a notification doesn't make @bob's copy go or stay, nor is one taken away", async () => {
      const told = removing ? /^data:/ : /^error:AT0009-/;
      for (const option of [...OPTIONS, `eAt:${INSTANT}`, `aAt:${INSTANT}`]) {
        const command = `notify:update:ttr:-1:${option}:@bob:shared_key@alice:KEY`;
        expect(await ask(who, command), command).toMatch(told);
      }
      for (const option of ["ttl:1", "ttb:1"]) {
        const command = `notify:all:${option}:ttr:-1:@bob:shared_key@alice:KEY`;
        expect(await ask(who, command), command).toMatch(told);
      }
      const id = dataOf(await owner.ask("notify:@bob:shared_key@alice:KEY"));
      expect(await ask(who, `notify:remove:${id}`)).toMatch(told);
    });

    it("@bob is told of a new one by who may write it, of its end by who may remove it", async () => {
      const told = await ask(who, "notify:@bob:shared_key@alice:KEY");
      expect(told).toMatch(writing ? /^data:/ : /^error:AT0009-/);
      const all = await ask(who, "notify:all:@bob:shared_key@alice:KEY");
      expect(all).toMatch(writing ? /^data:/ : /^error:AT0009-/);
      for (const command of [
        "notify:delete:@bob:shared_key@alice",
        "notify:all:delete:@bob:shared_key@alice",
      ]) {
        expect(await ask(who, command), command).toMatch(removing ? /^data:/ : /^error:AT0009-/);
      }
    });

    it.each(keys)(`%s is ${removing ? "" : "not "}removed`, async (key) => {
      for (const command of [
        `delete:${key}`,
        `delete:nc:${key}`,
        `delete:force:${key}`,
        `batch:[{"id":1,"command":"delete:${key}"}]`,
      ]) {
        await reset();
        const reply = await ask(who, command);
        expect(value(key), command).toBe(removing ? undefined : "KEY");
        if (!removing) expect(reply, command).toMatch(/AT0009/);
      }
    });

    it("what only looks like one is judged by its namespace", async () => {
      for (const key of [
        "@bob:shared_key.wavi@alice",
        "public:shared_key@alice",
        "@bob:x.shared_key.bob@alice",
        "shared_key@alice",
        "shared_key.bob.until@alice",
      ]) {
        const reply = await ask(who, `update:${key} 1`);
        expect(reply, key).toMatch(who === "writesAll" ? /^data:\d+\n/ : /^error:AT0009-/);
      }
    });

    it("none is made by the keys verb", async () => {
      const names = ["@bob:shared_key@alice:x", "shared_key.bob@alice", "x@alice:shared_key.bob"];
      for (const name of names) {
        await ask(who, `keys:put:public:namespace:__global:keyType:k:keyName:${name} FORGED`);
        await ask(who, `keys:delete:keyName:${name}`);
      }
      for (const key of keys) {
        await reset();
        expect(await ask(who, `keys:delete:keyName:${key}`)).toMatch(/^error:AT0009-/);
        expect(value(key)).toBe("KEY");
      }
    });
  });
});
