// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect } from "vitest";
import { payloadOf } from "../enrolled.ts";
import type { Line } from "../line.ts";
import { notification } from "../notifications.ts";
import { loginAsPeer } from "../peerLogin.ts";
import { type Place, World } from "../world.ts";
import {
  committed,
  converse,
  data,
  failure,
  item,
  items,
  JSON_VERSION,
  shows,
  syntaxError,
} from "./items.ts";

describe("lookup, plookup and the cache", () => {
  let world: World;
  let alice: Place;
  let bob: Place;
  let a: Line;
  let b: Line;
  let watch: Line;
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now, testingMode: true });
    bob = await world.start("@bob", { now });
    a = await alice.owner(JSON_VERSION);
    b = await bob.owner(JSON_VERSION);
    watch = await bob.owner();
    watch.send("monitor\n");
  });
  afterAll(() => world.close());

  const ofBob = (payload: string): string => data(payload, "@bob@");
  /** Sends on @alice's connection and waits until @bob's atServer was told. */
  const tell = async (command: string): Promise<void> => {
    await a.ask(command);
    await notification(watch);
  };

  item(167, "reads what is shared", async () => {
    await tell("update:@bob:special-code@alice v");
    await converse(b, [["lookup:special-code@alice", ofBob("v")]]);
  });

  item(168, "reads what is public", async () => {
    await a.ask("update:public:phone@alice 99");
    await converse(b, [["plookup:phone@alice", ofBob("99")]]);
  });

  items(() => b, {
    169: [["plookup:mobile@alice@bob", syntaxError]],
    170: [
      ["plookup:no-key@alice", failure("AT0015", "public:no-key@alice does not exist in keystore")],
    ],
  });

  item(171, "reads a public key of emoji", async () => {
    await a.ask("update:public:🦄🦄@alice 🐎");
    await converse(b, [["plookup:🦄🦄@alice", ofBob("🐎")]]);
  });

  item(172, "keeps a copy of what was public", async () => {
    await a.ask("update:public:key-1@alice 1");
    await converse(b, [
      ["plookup:key-1@alice", ofBob("1")],
      ["scan key-1", ofBob('["cached:public:key-1@alice"]')],
    ]);
  });

  item(173, "shows a changed public record at once", async () => {
    await a.ask("update:public:key-1@alice 2");
    await converse(b, [["plookup:key-1@alice", ofBob("2")]]);
  });

  item(174, "a shared record with ttr is cached", async () => {
    await tell("update:ttr:-1:@bob:key-2@alice v");
    await converse(b, [["llookup:cached:@bob:key-2@alice", ofBob("v")]]);
  });

  item(175, "a delete removes a copy that cascades", async () => {
    await tell("update:ttr:1000:ccd:true:@bob:key-3@alice v");
    await converse(b, [["llookup:cached:@bob:key-3@alice", ofBob("v")]]);
    await tell("notify:delete:@bob:key-3@alice");
    await converse(b, [["llookup:cached:@bob:key-3@alice", failure("AT0015")]]);
  });

  item(176, "a delete leaves a copy that doesn't", async () => {
    await tell("update:ttr:1000:ccd:false:@bob:key-4@alice v");
    await tell("notify:delete:@bob:key-4@alice");
    await converse(b, [["llookup:cached:@bob:key-4@alice", ofBob("v")]]);
  });

  item(177, "deleting the record removes a copy that cascades", async () => {
    await tell("update:ttr:1000:ccd:true:@bob:key-5@alice v");
    await tell("delete:@bob:key-5@alice");
    await converse(b, [["llookup:cached:@bob:key-5@alice", failure("AT0015")]]);
  });

  item(178, "the copy answers until it is bypassed", async () => {
    await tell("update:ttr:1000:@bob:key-6@alice old");
    await converse(a, [
      ["config:set:autoNotify=false", data("ok")],
      ["update:ttr:1000:@bob:key-6@alice new", committed],
      ["config:reset:autoNotify", data("ok")],
    ]);
    await converse(b, [
      ["lookup:key-6@alice", ofBob("old")],
      ["lookup:bypassCache:true:key-6@alice", ofBob("new")],
      ["lookup:key-6@alice", ofBob("new")],
    ]);
  });

  item(179, "a copy that has to be refreshed is fetched again", async () => {
    await tell("update:ttr:10:@bob:key-7@alice old");
    await a.ask("config:set:autoNotify=false");
    await a.ask("update:ttr:10:@bob:key-7@alice new");
    await a.ask("config:reset:autoNotify");
    await converse(b, [
      ["lookup:all:key-7@alice", shows('"key":"cached:@bob:key-7@alice","data":"old"')],
    ]);
    ahead += 10_001;
    await converse(b, [
      ["lookup:all:key-7@alice", shows('"key":"@bob:key-7@alice","data":"new"')],
      ["lookup:all:key-7@alice", shows('"key":"cached:@bob:key-7@alice","data":"new"')],
    ]);
  });

  item(180, "a copy whose original is gone is dropped", async () => {
    await tell("update:ttr:10:ccd:false:@bob:key-8@alice v");
    await tell("delete:@bob:key-8@alice");
    await converse(b, [
      ["lookup:key-8@alice", ofBob("v")],
      [
        "lookup:bypassCache:true:key-8@alice",
        failure("AT0015", "@bob:key-8@alice does not exist in keystore"),
      ],
      ["llookup:cached:@bob:key-8@alice", failure("AT0015")],
    ]);
  });

  item(181, "a peer's new public key sets the shared key aside", async () => {
    await a.ask("update:public:publickey@alice KEY1");
    await converse(b, [
      ["update:shared_key.alice@bob wrapped", committed],
      ["plookup:publickey@alice", ofBob("KEY1")],
    ]);
    await a.ask("update:public:publickey@alice KEY2");
    await converse(b, [
      ["plookup:bypassCache:true:publickey@alice", ofBob("KEY2")],
      ["llookup:cached:public:publickey@alice", ofBob("KEY2")],
      ["scan shared_key", /^data:\["shared_key\.alice\.until\.\d{13}@bob"\]\n@bob@$/],
    ]);
  });

  items(() => alice.open(), {
    182: [
      [
        "lookup:private@alice",
        "error:AT0015-Exception: public:private@alice does not exist in keystore\n@",
      ],
    ],
  });

  item(183, "shapes of all and meta, by who asks", async () => {
    await a.ask("update:public:poly@alice for all");
    await a.ask("update:@bob:poly@alice for bob");
    await a.ask("update:@alice:poly@alice for me");
    const anonymous = await alice.open();
    const peer = await loginAsPeer(world, bob, alice);
    const expected: [Line, string, string][] = [
      [anonymous, "public:poly@alice", "for all"],
      [peer, "@bob:poly@alice", "for bob"],
      [a, "@alice:poly@alice", "for me"],
      [b, "@bob:poly@alice", "for bob"],
    ];
    for (const [line, key, value] of expected) {
      const all = payloadOf(await line.ask("lookup:all:poly@alice"));
      expect(all).toMatchObject({ key, data: value, metaData: { createdBy: "@alice" } });
      expect(Object.keys(all as object)).toEqual(["key", "data", "metaData"]);
      const meta = payloadOf(await line.ask("lookup:meta:poly@alice"));
      expect(meta).toMatchObject({ createdBy: "@alice", version: 0, isEncrypted: false });
    }
  });

  items(() => b, {
    184: [
      [
        "llookup:all:cached:@bob:key-2@alice",
        shows('"key":"cached:@bob:key-2@alice","data":"v"', '"ttr":-1'),
      ],
    ],
  });
});
