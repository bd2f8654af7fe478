// SPDX-License-Identifier: BSD-3-Clause
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { payloadOf } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { challengeOf, identity, type Place, SECRET, signChallenge, World } from "./world.ts";

const number = /^data:\d+\n@alice@$/;
const success = "data:success\n@alice@";

/** What existing clients write differently from each other; every one of them is understood. */
describe("tolerant reading", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  const options = [
    "ttl:60000",
    "ttb:0",
    "ttr:-1",
    "ccd:TRUE",
    "dataSignature:d",
    "sharedKeyStatus:s",
    "isBinary:False",
    "isEncrypted:tRuE",
    "sharedKeyEnc:e",
    "pubKeyCS:c",
    "pubKeyHash:h",
    "hashingAlgo:sha512",
    "encoding:base64",
    "encKeyName:kn",
    "encAlgo:ea",
    "ivNonce:iv",
    "skeEncKeyName:sn",
    "skeEncAlgo:sa",
    "immutable:FALSE",
  ];
  const kept = {
    ttl: 60_000,
    ttb: 0,
    ttr: -1,
    ccd: true,
    dataSignature: "d",
    isBinary: false,
    isEncrypted: true,
    sharedKeyEnc: "e",
    pubKeyCS: "c",
    pubKeyHash: { hash: "h", algo: "sha512" },
    encoding: "base64",
    encKeyName: "kn",
    encAlgo: "ea",
    ivNonce: "iv",
    skeEncKeyName: "sn",
    skeEncAlgo: "sa",
    immutable: false,
  };
  const rotated = (by: number): string[] => [...options.slice(by), ...options.slice(0, by)];

  it.each([
    ["as published", options],
    ["backwards", options.toReversed()],
    ["beginning at ccd", rotated(3)],
    ["beginning at ivNonce", rotated(15)],
    ["in small letters", options.map((option) => option.toLowerCase())],
  ])("metadata options %s", async (_name, given) => {
    expect(await owner.ask(`update:${given.join(":")}:@bob:t.demo@alice v`)).toMatch(number);
    expect(payloadOf(await owner.ask("llookup:meta:@bob:t.demo@alice"))).toMatchObject(kept);
    expect(await owner.ask(`update:meta:@bob:t.demo@alice:${given.join(":")}`)).toMatch(number);
    expect(payloadOf(await owner.ask("llookup:meta:@bob:t.demo@alice"))).toMatchObject(kept);
  });

  it.each(["ttl:1:ttl:2", "isBinary:", "isBinary:yes", "ttl:", "ttl:1.5", "unheardOf:1"])(
    "not %s",
    async (given) => {
      expect(await owner.ask(`update:${given}:@bob:u.demo@alice v`)).toMatch(
        /^error:AT0003-Invalid syntax : Invalid syntax\. /,
      );
    },
  );

  it("lines that end in CR LF, with spaces around, in several pieces and several in one", async () => {
    expect(await owner.ask("update:public:v.demo@alice 1\r")).toMatch(number);
    expect(await owner.ask("llookup:public:v.demo@alice\r")).toBe("data:1\n@alice@");
    expect(await owner.ask("  llookup:public:v.demo@alice \t\r")).toBe("data:1\n@alice@");
    for (const piece of ["llook", "up:pub", "lic:v.demo@ali", "ce\r"]) owner.send(piece);
    expect(await owner.ask("")).toBe("data:1\n@alice@");
    owner.send("noop:0\r\nllookup:public:v.demo@alice\r\nnoop:0\r\n");
    expect(await owner.reply()).toBe("data:ok\n@alice@");
    expect(await owner.reply()).toBe("data:1\n@alice@");
    expect(await owner.reply()).toBe("data:ok\n@alice@");
  });

  it.each([
    ["base64", (standard: string) => standard],
    [
      "URL-safe base64",
      (standard: string) => Buffer.from(standard, "base64").toString("base64url"),
    ],
    ["base64 without padding", (standard: string) => standard.replace(/=+$/, "")],
    ["CR LF behind it", (standard: string) => `${standard}\r`],
  ])("pkam with %s", async (_name, written) => {
    const line = await alice.open();
    const challenge = challengeOf(await line.ask("from:ALICE\r"));
    const signature = signChallenge(identity("@alpha").privateKey, challenge);
    expect(await line.ask(`PKAM:signingalgo:RSA2048:${written(signature)}`)).toBe(success);
  });

  it("cram as the protocol has it, and nothing near it", async () => {
    const line = await alice.open();
    const digest = async (): Promise<string> =>
      createHash("sha512")
        .update(SECRET + challengeOf(await line.ask("from:@alice")))
        .digest("hex");
    const refused = "error:AT0401-Exception: Authentication Failed\n@";
    expect(await line.ask(`cram:${(await digest()).toUpperCase()}`)).toBe(refused);
    expect(await line.ask(`cram:${(await digest()).slice(0, -1)}`)).toBe(refused);
    expect(await line.ask(`CRAM:${await digest()}\r`)).toBe(success);
  });

  it("verbs in any letter case, and options of theirs", async () => {
    await owner.ask("update:public:w.demo@alice 1");
    for (const command of [
      "LLOOKUP:ALL:PUBLIC:W.DEMO@ALICE",
      "LLookup:All:Public:w.demo@alice",
      "plookup:BYPASSCACHE:TRUE:ALL:w.demo@alice",
    ]) {
      expect(payloadOf(await owner.ask(command)), command).toMatchObject({
        key: "public:w.demo@alice",
        data: "1",
      });
    }
    expect(await owner.ask("SCAN:SHOWHIDDEN:FALSE ^public:w")).toBe(
      'data:["public:w.demo@alice"]\n@alice@',
    );
    const id = /^data:(\S+)\n/.exec(
      await owner.ask("NOTIFY:UPDATE:MESSAGETYPE:KEY:PRIORITY:HIGH:@alice:x.demo@alice:1"),
    )?.[1];
    expect(payloadOf(await owner.ask(`NOTIFY:fetch:${id}`))).toMatchObject({
      priority: "NotificationPriority.high",
    });
    expect(await owner.ask("DELETE:PRIORITY:LOW:PUBLIC:W.demo@Alice")).toMatch(number);
    expect(await owner.ask("OTP:GET:TTL:1000")).toMatch(/^data:\w{6}\n/);
  });
});
