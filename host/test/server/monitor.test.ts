// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

const json = (line: string): Record<string, unknown> => {
  expect(line).toMatch(/^notification: \{/);
  return JSON.parse(line.slice("notification: ".length));
};

describe("monitor", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  const tell = (id: string, key = "x.demo"): Promise<string> =>
    owner.ask(`notify:id:${id}:isEncrypted:false:@alice:${key}@alice:${id}`);

  it("needs a login", async () => {
    const line = await alice.open();
    expect(await line.ask("monitor")).toBe(
      "error:AT0401-Exception: Command cannot be executed without auth\n@",
    );
  });

  it("writes nothing at first and then one line a notification", async () => {
    const watch = await alice.owner();
    watch.send("monitor\n");
    await tell("m-1");
    const line = await watch.line();
    expect(line).toMatch(
      /^notification: \{"id":"m-1","from":"@alice","to":"@alice","key":"@alice:x\.demo@alice","value":"m-1","operation":"update","epochMillis":\d+,"messageType":"MessageType\.key","isEncrypted":false,"metadata":\{"encKeyName":null,/,
    );
    expect(watch.rest).toBe("");
  });

  it("tells of updates and deletes with the commit id, also to a filter that doesn't fit", async () => {
    const watch = await alice.owner();
    watch.send("monitor nothing-fits\nnoop:0\n");
    expect(await watch.reply()).toBe("data:ok\n@alice@");
    const commit = /\d+/.exec(await owner.ask("update:s.demo@alice 1"))?.[0];
    expect(json(await watch.line())).toEqual({
      id: "-1",
      from: "@alice",
      to: "@alice",
      key: "statsNotification.@alice",
      value: commit,
      operation: "update",
      epochMillis: expect.any(Number),
      messageType: "MessageType.key",
      isEncrypted: false,
      metadata: null,
    });
    await owner.ask("delete:s.demo@alice");
    expect(json(await watch.line())).toMatchObject({ id: "-1", operation: "delete" });
    await owner.ask("update:privatekey:at_pkam_publickey K");
    expect(json(await watch.line())).toMatchObject({ id: "-1", value: "-1" });
  });

  it("with strict leaves statistics out that don't fit", async () => {
    const watch = await alice.owner();
    watch.send("monitor:strict x.demo\nnoop:0\n");
    await watch.reply();
    await owner.ask("update:t.demo@alice 1");
    await tell("strict-1");
    expect(json(await watch.line()).id).toBe("strict-1");
  });

  it("filters by key or sender, and a second monitor replaces the first", async () => {
    const watch = await alice.owner();
    watch.send("monitor\nmonitor:strict y\\.demo\nnoop:0\n");
    await watch.reply();
    await tell("f-1");
    await tell("f-2", "y.demo");
    expect(json(await watch.line()).id).toBe("f-2");
    const sender = await alice.owner();
    sender.send("monitor:strict ^alice$\nnoop:0\n");
    await sender.reply();
    await tell("f-3");
    expect(json(await sender.line()).id).toBe("f-3");
    expect(watch.rest).toBe("");
  });

  it("replays what came after an instant, oldest first, and each once", async () => {
    await tell("r-1");
    await tell("r-2");
    await tell("r-3");
    const all = JSON.parse((await owner.ask("notify:list:x.demo")).slice(5, -8)) as {
      id: string;
      epochMillis: number;
    }[];
    const times = all.map(({ epochMillis }) => epochMillis);
    expect(times).toEqual([...new Set(times)].sort((p, q) => p - q));
    const second = all.find(({ id }) => id === "r-2")?.epochMillis;
    const watch = await alice.owner();
    watch.send(`monitor:${second} x.demo\n`);
    expect(json(await watch.line()).id).toBe("r-3");
    await tell("r-4");
    expect(json(await watch.line()).id).toBe("r-4");
  });

  it("with multiplexed holds lines back while a request runs", async () => {
    const watch = await alice.owner();
    watch.send("monitor:multiplexed\nnoop:0\n");
    await watch.reply();
    watch.send("noop:150\n");
    await tell("mux-1");
    expect(await watch.reply()).toBe("data:ok\n@alice@");
    expect(json(await watch.line()).id).toBe("mux-1");
  });

  it("without multiplexed doesn't", async () => {
    const watch = await alice.owner();
    watch.send("monitor\nnoop:0\n");
    await watch.reply();
    watch.send("noop:2000\n");
    await tell("now-1");
    expect(json(await watch.line()).id).toBe("now-1");
  });

  it("sends statistics by itself", async () => {
    const ticking = await world.start("@tick", { statsNotificationMillis: 10 });
    const watch = await ticking.owner();
    watch.send("monitor\n");
    expect(json(await watch.line())).toMatchObject({ id: "-1", value: "1" });
    expect(json(await watch.line())).toMatchObject({ id: "-1", value: "1" });
  });

  it("with strategy latest keeps the newest of a notifier while the other is away", async () => {
    const store = alice.store;
    await owner.ask("notify:id:l-1:strategy:latest:notifier:n:@away:a.demo@alice:1");
    await owner.ask("notify:id:l-2:strategy:latest:notifier:n:@away:a.demo@alice:2");
    await owner.ask("notify:id:l-3:strategy:latest:notifier:other:@away:a.demo@alice:3");
    expect(store.notification("l-2")?.status).not.toBe("expired");
    const away = await world.start("@away");
    const watch = await away.owner();
    watch.send("monitor:0\n");
    const got = [json(await watch.line()).id, json(await watch.line()).id];
    expect(got).toEqual(["l-2", "l-3"]);
  });

  it("reports a notification nobody takes as errored, then expired", async () => {
    let now = Date.now();
    const place = await world.start("@clock", { now: () => now, notificationMaxRetries: 2 });
    const line = await place.owner();
    await line.ask("notify:id:e-1:ttln:60000:@unknown:a.demo@clock:1");
    for (;;) {
      const reply = await line.ask("notify:status:e-1");
      if (reply === "data:errored\n@clock@") break;
      expect(reply).toBe("data:queued\n@clock@");
    }
    now += 60_001;
    expect(await line.ask("notify:status:e-1")).toBe("data:expired\n@clock@");
  });
});
