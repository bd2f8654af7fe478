// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_CACHED_KEY_LENGTH, MAX_KEY_LENGTH } from "../../wire/atkey.ts";
import { type Enrolled, enrolled, loginEnrolled } from "../server/enrolled.ts";
import type { Line } from "../server/line.ts";
import { loginAsPeer } from "../server/peerLogin.ts";
import { type Place, World } from "../server/world.ts";

const LONG = "k".repeat(5_000);
const NAME = `@${"n".repeat(60)}`;
const TOO_LONG = /^error:AT0016-.*\bkey length \d+ is greater than max allowed (?:248|255) chars/;
const NO_NAME = /^error:AT00(?:11|03)-.*Cannot be longer than 55 characters/;

const json = (value: unknown): string => JSON.stringify(value);
const flags = { isPublic: false, isBinary: false, isEncrypted: false };

type Who = "anonymous" | "owner" | "peer" | "enrolled";

/** Every form of a command that names a key, `%` for the name. */
const keys: readonly (readonly [Who, string])[] = [
  ["anonymous", "lookup:%@alice"],
  ["anonymous", "lookup:all:%@alice"],
  ["peer", "lookup:%@alice"],
  ["owner", "lookup:%@alice"],
  ["owner", "lookup:bypassCache:true:meta:%@bob"],
  ["owner", "llookup:%@alice"],
  ["owner", "llookup:all:cached:@alice:%@bob"],
  ["owner", "llookup:public:%@alice"],
  ["owner", "plookup:%@bob"],
  ["owner", "plookup:bypassCache:true:all:%@bob"],
  ["owner", "update:%@alice v"],
  ["owner", "update:nc:ttl:1:public:%@alice v"],
  ["owner", "update:@bob:%@alice v"],
  ["owner", `update:json:${json({ atKey: "%", value: "v", sharedBy: "@alice", metadata: flags })}`],
  ["owner", "update:meta:%@alice:ttl:1"],
  ["owner", "delete:%@alice"],
  ["owner", "delete:cached:public:%@bob"],
  ["owner", "notify:@bob:%@alice:v"],
  ["owner", "notify:delete:@alice:%@alice"],
  ["owner", "notify:all:@bob,@carol:%:v"],
  ["owner", "stream:init@bob namespace:% id file 1"],
  ["peer", "notify:id:1:@alice:%@bob:v"],
  ["peer", "notify:id:3:public:%@bob:v"],
  ["peer", "notify:id:2:ttr:1000:@alice:%@bob:v"],
  ["enrolled", "keys:put:public:namespace:__global:keyName:% v"],
  ["enrolled", "keys:put:self:namespace:__global:appName:%:deviceName:d:keyName:n v"],
  ["enrolled", "keys:get:keyName:%"],
  ["enrolled", "keys:delete:keyName:%"],
];

/** Every form of a command that names an atSign, `%` for it. */
const atSigns: readonly (readonly [Who, string])[] = [
  ["anonymous", "from:%"],
  ["anonymous", "to:%"],
  ["anonymous", "lookup:x%"],
  ["owner", "scan:%"],
  ["owner", "lookup:x%"],
  ["owner", "plookup:x%"],
  ["owner", "llookup:x%"],
  ["owner", "llookup:%:x@alice"],
  ["owner", "update:%:x@alice v"],
  ["owner", "update:x% v"],
  [
    "owner",
    `update:json:${json({ atKey: "x", value: "v", sharedBy: "@alice", sharedWith: "%", metadata: flags })}`,
  ],
  ["owner", "delete:%:x@alice"],
  ["owner", "notify:%:x@alice:v"],
  ["owner", "notify:@bob:x%:v"],
  ["owner", "config:block:add:%"],
  ["owner", "config:block:remove:%"],
  ["owner", "stream:init% id file 1"],
];

/** What else an error could quote, `%` for it. */
const others: readonly (readonly [Who, string])[] = [
  ["anonymous", "%"],
  ["anonymous", "%:%"],
  ["anonymous", "pkam:enrollmentId:%:signature"],
  ["anonymous", "cram:%"],
  ["anonymous", "from:@alice:clientConfig:{%}"],
  ["anonymous", 'enroll:request:{"appName":"%","deviceName":"%","namespaces":{"%":"x"}}'],
  ["anonymous", "enroll:%:{}"],
  ["owner", 'enroll:approve:{"enrollmentId":"%"}'],
  ["owner", 'enroll:fetch:{"enrollmentId":"%"}'],
  ["owner", 'enroll:delete:{"enrollmentId":"%"}'],
  ["owner", 'enroll:request:{"appName":"a","deviceName":"d","namespaces":{"%":"x"}}'],
  ["owner", 'enroll:request:{"appName":"a","deviceName":"d","signingAlgo":"%"}'],
  ["enrolled", "enroll:listns:%"],
  ["enrolled", "update:a.%@alice v"],
  ["enrolled", "llookup:a.%@alice"],
  ["enrolled", "notify:messageType:text:@bob:%"],
  ["owner", "config:print:%"],
  ["owner", "config:set:%=1"],
  ["owner", "config:set:inboundMaxLimit=%"],
  ["owner", "notify:status:%"],
  ["owner", "notify:fetch:%"],
  ["owner", "notify:remove:%"],
  ["owner", "notify:notifier:%:@bob:a@alice"],
  ["owner", "scan %("],
  ["owner", "monitor %("],
  ["owner", "sync:from:0:%("],
  ["owner", "stats:3:%("],
  ["owner", "update:ttl:%:x@alice v"],
  ["owner", "update:appMetadata:%:x@alice v"],
  ["owner", "update:json:%"],
  ["owner", "batch:%"],
  ["owner", "otp:put:%:ttl:x"],
  ["owner", "stream:receive %"],
  ["owner", "stream:init@bob startByte:1 id % 1"],
];

const filled = (form: string, name: string): string => form.replaceAll("%", name);

describe("names that are too long", () => {
  let world: World;
  let alice: Place;
  let bob: Place;
  let device: Enrolled;
  const lines = new Map<Who, Line>();
  beforeAll(async () => {
    world = await World.create();
    const changes = { testingMode: true, clientCertificateRequired: false };
    alice = await world.start("@alice", { ...changes, otpDelayThresholdMillis: 2 });
    bob = await world.start("@bob");
    device = await enrolled(alice, { wavi: "rw" });
    device.line.close();
  });
  afterAll(() => world.close());

  function open(who: Who): Promise<Line> {
    switch (who) {
      case "anonymous":
        return alice.open();
      case "owner":
        return alice.owner();
      case "peer":
        return loginAsPeer(world, bob, alice);
      case "enrolled":
        return loginEnrolled(alice, device.id, device.keys);
    }
  }

  /** The reply to a command; a line is kept as long as it lives. */
  async function ask(who: Who, command: string): Promise<string> {
    const line = lines.get(who) ?? (await open(who));
    lines.set(who, line);
    const reply = await line.ask(command);
    if (line.socket.readableEnded || /AT0011/.test(reply)) lines.delete(who);
    return reply;
  }

  const visits = (): Promise<string[]> =>
    alice.store.write((writer) => [...writer.accesses()].map(({ key }) => key ?? ""));

  it.each(keys)("%s: %s is refused before anything is looked up or noted", async (who, form) => {
    await ask(who, "noop:0");
    const before = await visits();
    expect(await ask(who, filled(form, LONG))).toMatch(TOO_LONG);
    // Longer than the limit by the scope and the owner, or even by one.
    expect(await ask(who, filled(form, "k".repeat(MAX_CACHED_KEY_LENGTH)))).toMatch(TOO_LONG);
    expect(await visits()).toEqual(before);
  });

  it.each([
    ["llookup:%@alice", MAX_KEY_LENGTH - "@alice".length],
    ["llookup:public:%@alice", MAX_KEY_LENGTH - "public:@alice".length],
    ["llookup:cached:@alice:%@bob", MAX_CACHED_KEY_LENGTH - "cached:@alice:@bob".length],
    ["lookup:%@alice", MAX_KEY_LENGTH - "@alice:@alice".length],
  ])("%s is looked up with %i characters, and not with one more", async (form, length) => {
    expect(await ask("owner", filled(form, "k".repeat(length)))).toMatch(/^error:AT0015-/);
    expect(await ask("owner", filled(form, "k".repeat(length + 1)))).toMatch(TOO_LONG);
  });

  it.each(atSigns)("%s: %s is no atSign", async (who, form) => {
    const before = await visits();
    expect(await ask(who, filled(form, NAME))).toMatch(NO_NAME);
    lines.delete(who);
    // What doesn't count in an atSign has an end too.
    expect(await ask(who, filled(form, `@a${".".repeat(300)}b`))).toMatch(NO_NAME);
    lines.delete(who);
    expect((await visits()).slice(0, before.length)).toEqual(before);
  });

  it.each([...keys, ...atSigns, ...others])("%s: %s is quoted in part", async (who, form) => {
    for (const sign of ["z", "é", "🦄"]) {
      const line = await open(who);
      line.send(`${filled(form, sign.repeat(4_000))}\nnoop:x\n`);
      const reply = await line.reply().catch(() => line.rest);
      expect(reply.length).toBeGreaterThan(0);
      const runs = reply.match(new RegExp(`(?:${sign})+`, "gu")) ?? [];
      expect(runs.join("").length).toBeLessThanOrEqual(102);
      expect(reply).not.toContain("\ufffd");
      line.close();
    }
  });
});
