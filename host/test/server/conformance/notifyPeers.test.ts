// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect } from "vitest";
import { enrolled, payloadOf } from "../enrolled.ts";
import type { Line } from "../line.ts";
import { dataOf, notification } from "../notifications.ts";
import { type Place, World } from "../world.ts";
import { converse, data, failure, item, JSON_VERSION, shows } from "./items.ts";

describe("notify between atServers", () => {
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
    alice = await world.start("@alice", { now });
    bob = await world.start("@bob", { now });
    a = await alice.owner(JSON_VERSION);
    b = await bob.owner(JSON_VERSION);
    watch = await bob.owner();
    watch.send("monitor\n");
  });
  afterAll(() => world.close());

  const arrival = async (id: string | undefined): Promise<void> => {
    for (;;) if ((await notification(watch)).id === id) return;
  };

  /** Sends from @alice and waits until @bob has it and @alice knows. */
  const deliver = async (command: string): Promise<string> => {
    const id = dataOf(await a.ask(command));
    await arrival(id);
    await expect.poll(() => a.ask(`notify:status:${id}`)).toBe(data("delivered"));
    return id;
  };

  let delivered: string;
  item(147, "arrives with its value", async () => {
    delivered = await deliver(
      "notify:update:messageType:key:notifier:system:ttr:-1:@bob:email@alice:v",
    );
    await converse(b, [
      ["notify:list:email", shows('"key":"@bob:email@alice","value":"v","operation":"update"')],
    ]);
  });

  item(148, "notify:fetch of the sender", async () => {
    expect(payloadOf(await a.ask(`notify:fetch:${delivered}`))).toMatchObject({
      id: delivered,
      type: "NotificationType.sent",
      notificationStatus: "NotificationStatus.delivered",
    });
  });

  item(149, "without messageType and operation", async () => {
    await deliver("notify:@bob:plain.e2e@alice:v");
    await converse(b, [
      ["notify:list:plain", shows('"key":"@bob:plain.e2e@alice","value":"v","operation":"update"')],
    ]);
  });

  item(150, "a text", async () => {
    await deliver("notify:update:messageType:text:@bob:Hello!");
    await converse(b, [
      ["notify:list:Hello", shows('"key":"@bob:Hello!","value":null,"operation":"update"')],
    ]);
  });

  item(151, "a delete", async () => {
    await deliver("notify:delete:@bob:removed.e2e@alice");
    await converse(b, [["notify:list:removed", shows('"value":null,"operation":"delete"')]]);
  });

  item(152, "a value with spaces", async () => {
    await deliver("notify:update:@bob:spaces.e2e@alice:a value  with spaces");
    await converse(b, [["notify:list:spaces", shows('"value":"a value  with spaces"')]]);
  });

  item(153, "notify:all", async () => {
    const reply = await a.ask("notify:all:@bob:whatsapp@alice:+91-901");
    const id = /^data: \{"@bob":"([-0-9a-f]{36})"\}\n@alice@$/.exec(reply)?.[1];
    await arrival(id);
    await converse(b, [["notify:list:whatsapp", shows('"key":"@bob:whatsapp@alice"')]]);
  });

  item(154, "one with a life of its own is delivered, then expired", async () => {
    const id = await deliver("notify:update:ttln:11000:@bob:brief.e2e@alice:v");
    await converse(b, [["notify:list:brief", shows(id)]]);
    ahead += 11_001;
    await converse(a, [[`notify:status:${id}`, data("expired")]]);
    await converse(b, [["notify:list:brief", data("null", "@bob@")]]);
  });

  item(155, "to an unknown atSign: errored, then expired", async () => {
    const id = dataOf(await a.ask("notify:update:ttln:600000:@xyz:lost.e2e@alice:v"));
    await expect.poll(() => a.ask(`notify:status:${id}`)).toBe(data("errored"));
    ahead += 600_001;
    await converse(a, [[`notify:status:${id}`, data("expired")]]);
  });

  item(156, "with ttr it is cached, and a delete removes the copy", async () => {
    await deliver("notify:update:ttr:-1:ccd:true:@bob:k.e2e@alice:v");
    await converse(b, [["llookup:cached:@bob:k.e2e@alice", data("v", "@bob@")]]);
    await deliver("notify:delete:@bob:k.e2e@alice");
    await converse(b, [["llookup:cached:@bob:k.e2e@alice", failure("AT0015")]]);
  });

  item(157, "many", async () => {
    const sent: string[] = [];
    for (let i = 0; i < 50; i++) sent.push(dataOf(await a.ask(`notify:@bob:many.e2e@alice:${i}`)));
    const received: unknown[] = [];
    while (received.length < sent.length) received.push((await notification(watch)).id);
    expect(received).toEqual(sent);
  });

  item(158, "the cached copy keeps key, value and metadata", async () => {
    await deliver(
      "notify:update:ttr:60000:sharedKeyEnc:abc=:pubKeyCS:cs:@bob:phone.wavi@alice:901",
    );
    expect(payloadOf(await b.ask("llookup:all:cached:@bob:phone.wavi@alice"))).toMatchObject({
      key: "cached:@bob:phone.wavi@alice",
      data: "901",
      metaData: { sharedKeyEnc: "abc=", pubKeyCS: "cs", ttr: 60_000 },
    });
  });

  item(159, "the names of keys and algorithms", async () => {
    const names = {
      encKeyName: "ekn",
      encAlgo: "ea",
      ivNonce: "iv",
      skeEncKeyName: "sekn",
      skeEncAlgo: "sea",
    };
    const options = Object.entries(names)
      .map(([name, value]) => `${name}:${value}`)
      .join(":");
    await deliver(`notify:update:ttr:-1:${options}:@bob:names.wavi@alice:901`);
    const cached = payloadOf(await b.ask("llookup:all:cached:@bob:names.wavi@alice"));
    expect(cached).toMatchObject({ metaData: names });
    const listed = payloadOf(await b.ask("notify:list:names"));
    expect(listed).toMatchObject([{ metadata: names }]);
  });

  item(160, "without ttr nothing is cached", async () => {
    await deliver("notify:update:@bob:uncached.e2e@alice:seen");
    await converse(b, [
      ["notify:list:uncached", shows('"value":"seen"')],
      ["llookup:cached:@bob:uncached.e2e@alice", failure("AT0015")],
    ]);
  });

  item(161, "a monitor from an instant on gets what came since", async () => {
    const ids: string[] = [];
    const since = now() - 1;
    for (let i = 0; i < 5; i++) {
      ids.push(await deliver(`notify:update:@bob:monitor.e2etest@alice:${i}`));
    }
    const late = await bob.owner();
    late.send(`monitor:strict:${since} monitor.e2etest\n`);
    const got: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      const line = await late.line();
      expect(line).toMatch(/^notification: \{"id":/);
      got.push(JSON.parse(line.slice("notification: ".length)).id);
    }
    expect(got).toEqual(ids);
  });

  item(162, "monitors are told of the last commit, by themselves and after an update", async () => {
    const place = await world.start("@beat", { statsNotificationMillis: 20 });
    const line = await place.owner();
    const monitor = await place.owner();
    monitor.send("monitor\n");
    const commit = place.store.lastCommitId();
    const stats = (id: number): RegExp =>
      new RegExp(
        `^notification: \\{"id":"-1","from":"@beat","to":"@beat","key":"statsNotification\\.@beat","value":"${id}","operation":"update","epochMillis":\\d+,"messageType":"MessageType\\.key","isEncrypted":false,"metadata":null\\}$`,
      );
    expect(await monitor.line()).toMatch(stats(commit));
    await converse(line, [["update:x@beat 1", data(String(commit + 1), "@beat@")]]);
    await expect.poll(() => monitor.line()).toMatch(stats(commit + 1));
  });

  item(163, "a monitor's filter looks at key and sender", async () => {
    const byKey = await bob.owner();
    byKey.send("monitor wanted\n");
    const bySender = await bob.owner();
    bySender.send("monitor ^alice$\n");
    await byKey.ask("noop:0");
    await bySender.ask("noop:0");
    await deliver("notify:@bob:other.e2e@alice:1");
    await deliver("notify:@bob:wanted.e2e@alice:2");
    expect((await notification(byKey)).value).toBe("2");
    expect((await notification(bySender)).value).toBe("1");
    expect((await notification(bySender)).value).toBe("2");
  });

  let reader: { id: string; line: Line };
  item(164, "an enrollment's monitor shows what it may read", async () => {
    reader = await enrolled(bob, { wavi: "r" });
    reader.line.send("monitor\n");
    await reader.line.ask("noop:0");
    await deliver("notify:@bob:secret.buzz@alice:1");
    await deliver("notify:@bob:open.wavi@alice:2");
    expect((await notification(reader.line)).value).toBe("2");
  });

  item(165, "a revoked enrollment's monitor is closed", async () => {
    await b.ask(`enroll:revoke:{"enrollmentId":"${reader.id}"}`);
    await deliver("notify:@bob:late.wavi@alice:3");
    expect(await reader.line.closed()).not.toContain("late.wavi");
  });

  item(166, "isEncrypted is true for keys unless it is said to be false", async () => {
    await deliver("notify:@bob:enc.e2e@alice:1");
    await deliver("notify:isEncrypted:false:@bob:plain2.e2e@alice:1");
    expect(payloadOf(await b.ask("notify:list:enc\\.e2e"))).toMatchObject([{ isEncrypted: true }]);
    expect(payloadOf(await b.ask("notify:list:plain2"))).toMatchObject([{ isEncrypted: false }]);
  });
});
