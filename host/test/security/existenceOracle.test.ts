// SPDX-License-Identifier: BSD-3-Clause
// Nobody finds out by an answer whether a passcode, or anything else of the atServer's own, is there.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Enrolled, enrolled } from "../server/enrolled.ts";
import type { Line } from "../server/line.ts";
import { dataOf } from "../server/notifications.ts";
import { loginAsPeer } from "../server/peerLogin.ts";
import { type Place, World } from "../server/world.ts";

let world: World;
let alice: Place;
const lines = new Map<string, Line>();
/** Names of which the first is there and the second isn't; of the same length. */
let pairs: (readonly [there: string, missing: string])[];

beforeAll(async () => {
  world = await World.create();
  alice = await world.start("@alice", { enrollmentMaxRequests: 100 });
  const bob = await world.start("@bob");
  const owner = await alice.owner();
  const other: Enrolled = await enrolled(alice, { wavi: "rw" });
  const otp = dataOf(await owner.ask("otp:get:ttl:3600000")).toLowerCase();
  await owner.ask("otp:put:PERMANENT1");
  await owner.ask("config:block:add:@mallory");
  const nobody = "0".repeat(other.id.length);
  pairs = [
    [`private:${otp}.__otp@alice`, "private:0o0o0o.__otp@alice"],
    ["private:spp.__otp@alice", "private:spq.__otp@alice"],
    ["private:blocklist@alice", "private:blocklisu@alice"],
    ["privatekey:at_secret", "privatekey:at_secreu"],
    [`${other.id}.new.enrollments.__manage@alice`, `${nobody}.new.enrollments.__manage@alice`],
    [
      `${other.id}.default_enc_private_key.__manage@alice`,
      `${nobody}.default_enc_private_key.__manage@alice`,
    ],
  ];
  for (const [there] of pairs) expect(alice.store.record(there), there).toBeDefined();
  lines.set("nobody", await alice.open());
  lines.set("a peer", await loginAsPeer(world, bob, alice));
  lines.set("an application", (await enrolled(alice, { notes: "rw" })).line);
  lines.set("one that reads all", (await enrolled(alice, { "*": "rw" })).line);
  lines.set("one that looks at enrollments", (await enrolled(alice, { __manage: "r" })).line);
});
afterAll(() => world.close());

/** Every command that takes a key, or a pattern of keys. */
const commands: readonly ((key: string) => string)[] = [
  (key) => `keys:get:keyName:${key}`,
  (key) => `keys:delete:keyName:${key}`,
  (key) => `keys:get:private:keyName:${key}`,
  (key) => `batch:${JSON.stringify([{ id: 1, command: `keys:get:keyName:${key}` }])}`,
  ...["", "meta:", "all:"].flatMap((operation) => [
    (key: string) => `llookup:${operation}${key}`,
    (key: string) => `lookup:${operation}${key}`,
    (key: string) => `lookup:${operation}${key.replace(/^private(?:key)?:/, "")}`,
  ]),
  (key) => `llookup:public:${key}`,
  (key) => `llookup:cached:${key}`,
  (key) => `update:${key} X`,
  (key) => `update:nc:${key} X`,
  (key) => `update:meta:${key}:isBinary:true`,
  (key) =>
    `update:json:${JSON.stringify({
      atKey: key.replace(/@alice$/, ""),
      value: "X",
      sharedBy: "@alice",
      metadata: { isPublic: false, isBinary: false, isEncrypted: false },
    })}`,
  (key) => `scan ${key.split("@")[0]}`,
  (key) => `scan:showhidden:true ${key.split("@")[0]}`,
  (key) => `scan:cl ${key.split("@")[0]}`,
  (key) => `sync:from:-1:limit:5:${key.split("@")[0]}`,
  (key) => `stats:3:${key.split("@")[0]}`,
  (key) => `notify:list:${key.split("@")[0]?.split(":").at(-1)}`,
  // Refused by their own names, or removing nothing that is there.
  (key) => (key.includes("at_secre") ? "noop:0" : `delete:${key}`),
];

describe.each([
  "nobody",
  "a peer",
  "an application",
  "one that reads all",
  "one that looks at enrollments",
])("%s", (who) => {
  it("gets the same answer whether something is there or not", async () => {
    const line = lines.get(who);
    if (line === undefined) throw new Error(who);
    for (const [there, missing] of pairs) {
      for (const command of commands) {
        const asked = async (key: string): Promise<string> =>
          (await line.ask(command(key))).replaceAll(key, "KEY").replaceAll(bare(key), "KEY");
        const answers = [await asked(there), await asked(missing)];
        expect(answers[0], command(there)).toBe(answers[1]);
        expect(alice.store.record(there), command(there)).toBeDefined();
      }
    }
  });
});

/** A key as errors name it to who asked by less than all of it. */
const bare = (key: string): string => key.replace(/^private(?:key)?:/, "");
