// SPDX-License-Identifier: BSD-3-Clause
// What a peer makes an atServer keep: so much and no more, without loss for others, and no longer than eight days.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ServerConfig } from "../../server/config/config.ts";
import { defaults, MAX_NOTIFICATION_MILLIS } from "../../server/config/config.ts";
import { PeerUsage, sizeOfNotification } from "../../server/peers/peerUsage.ts";
import { openLmdbStore } from "../../store/lmdb.ts";
import { openMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import type { Notification } from "../../wire/notification.ts";
import { Random } from "../random.ts";
import type { Line } from "../server/line.ts";
import { loginAsPeer } from "../server/peerLogin.ts";
import { type Place, World } from "../server/world.ts";

const NOTIFICATIONS_FULL =
  "error:AT0028-Exception: No more notifications of @bob are kept until some of them have expired\n@";
const COPIES_FULL =
  "error:AT0028-Exception: No more cached records of @bob are kept until some of them have expired\n@";
const TAKEN = "data:success\n@bob@";

describe("an atServer with little room for each peer", () => {
  let world: World;
  let alice: Place;
  let bob: Place;
  let now: number;
  let id = 0;

  beforeEach(async () => {
    world = await World.create();
    now = Date.now();
    bob = await world.start("@bob");
  });
  afterEach(() => world.close());

  async function startAlice(changes: Partial<ServerConfig>): Promise<Line> {
    alice = await world.start("@alice", { now: () => now, ...changes });
    return await loginAsPeer(world, bob, alice);
  }

  const notify = (line: Line, value: string, options = "", key = "k.demo"): Promise<string> =>
    line.ask(`notify:id:n-${id++}:update${options}:@alice:${key}@bob:${value}`);

  const count = async (): Promise<number> => {
    const list = await (await alice.owner()).ask("notify:list:demo");
    return JSON.parse(list.slice("data:".length, list.lastIndexOf("\n")))?.length ?? 0;
  };

  it("keeps so many notifications of a peer, and others' all the same", async () => {
    const peer = await startAlice({ peerMaxNotifications: 3 });
    const carol = await world.start("@carol");
    const other = await loginAsPeer(world, carol, alice);
    for (let i = 0; i < 3; i++) expect(await notify(peer, "x")).toBe(TAKEN);
    expect(await notify(peer, "x")).toBe(NOTIFICATIONS_FULL);
    expect(await other.ask("notify:id:c-1:update:@alice:k.demo@carol:x")).toBe(
      "data:success\n@carol@",
    );
    expect(await (await alice.owner()).ask("notify:@alice:k.demo@alice:x")).toMatch(/^data:/);
    // What is kept already is still answered as kept.
    expect(await peer.ask("notify:id:n-0:update:@alice:k.demo@bob:x")).toBe(TAKEN);
    expect(await count()).toBe(5);
  });

  it("takes no notification that no monitor could read, however short it is on its way", async () => {
    const peer = await startAlice({});
    const refused = "error:AT0022-Exception: The notification is too long\n@";
    expect(await notify(peer, "\u0001".repeat(1_800_000))).toBe(refused);
    expect(await notify(peer, '"'.repeat(5_200_000))).toBe(refused);
    expect(await notify(peer, "\u0001".repeat(100))).toBe(TAKEN);
    expect(await notify(peer, "ł".repeat(1_000_000))).toBe(TAKEN);
    expect(await count()).toBe(2);
  });

  it("has room again when some have expired, or were removed", async () => {
    const peer = await startAlice({ peerMaxNotifications: 2, notificationCompactionMillis: 20 });
    expect(await notify(peer, "x", ":ttln:60000")).toBe(TAKEN);
    expect(await notify(peer, "x", ":ttln:86400000")).toBe(TAKEN);
    expect(await notify(peer, "x")).toBe(NOTIFICATIONS_FULL);
    await (await alice.owner()).ask(`notify:remove:n-${id - 2}`);
    expect(await notify(peer, "x", ":ttln:60000")).toBe(TAKEN);
    now += 120_000;
    await expect.poll(() => notify(peer, "x")).toBe(TAKEN);
  });

  it("keeps so many bytes of a peer", async () => {
    const peer = await startAlice({ peerMaxNotificationBytes: 30_000 });
    expect(await notify(peer, "x".repeat(20_000))).toBe(TAKEN);
    expect(await notify(peer, "x".repeat(20_000))).toBe(NOTIFICATIONS_FULL);
    expect(await notify(peer, "x".repeat(5_000))).toBe(TAKEN);
    // Every part counts.
    expect(
      await peer.ask(
        `notify:id:long:update:sharedKeyEnc:${"n".repeat(20_000)}:@alice:k.demo@bob:x`,
      ),
    ).toBe(NOTIFICATIONS_FULL);
  });

  it("counts those that are sent without waiting for an answer", async () => {
    const peer = await startAlice({ peerMaxNotifications: 10 });
    const lines = Array.from(
      { length: 40 },
      () => `notify:id:n-${id++}:update:@alice:k.demo@bob:x\n`,
    );
    peer.send(lines.join(""));
    let taken = 0;
    for (const _ of lines) taken += (await peer.reply()).includes("success") ? 1 : 0;
    expect(taken).toBe(10);
    expect(await count()).toBe(10);
  });

  it("keeps so many copies of a peer's records, and goes on renewing them", async () => {
    const peer = await startAlice({ peerMaxCachedRecords: 1, peerMaxCachedBytes: 30_000 });
    const cache = (key: string, value: string) => notify(peer, value, ":ttr:-1", key);
    expect(await cache("one.demo", "1")).toBe(TAKEN);
    expect(await cache("two.demo", "1")).toBe(COPIES_FULL);
    expect(await cache("one.demo", "2")).toBe(TAKEN);
    expect(await cache("one.demo", "x".repeat(40_000))).toBe(COPIES_FULL);
    const owner = await alice.owner();
    expect(await owner.ask("llookup:cached:@alice:one.demo@bob")).toBe("data:2\n@alice@");
    expect(await owner.ask("notify:list:two")).toBe("data:null\n@alice@");
    await owner.ask("delete:cached:@alice:one.demo@bob");
    expect(await cache("two.demo", "1")).toBe(TAKEN);
  });

  it("reads a peer's record it has no room for, without keeping it", async () => {
    await startAlice({ peerMaxCachedRecords: 1 });
    const [owner, other] = [await alice.owner(), await bob.owner()];
    for (const key of ["one.demo", "two.demo"]) {
      await other.ask(`update:ttr:1000:@alice:${key}@bob v-${key}`);
      expect(await owner.ask(`lookup:${key}@bob`)).toBe(`data:v-${key}\n@alice@`);
    }
    expect(await owner.ask("scan cached")).toMatch(
      /^data:\["cached:(?:@alice:one\.demo|public:publickey)@bob"\]/,
    );
  });

  it("gets what a full peer refused once that has room, whatever the number of tries", async () => {
    await startAlice({ peerMaxNotifications: 2, directoryCacheMillis: 0 });
    await world.stop(bob);
    bob = await world.start("@bob", { store: bob.store, notificationMaxRetries: 2 });
    const owner = await bob.owner();
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) {
      const answer = await owner.ask(`notify:ttln:600000:@alice:k${i}.demo@bob:x`);
      ids.push(/^data:(\S+)\n/.exec(answer)?.[1] ?? "");
    }
    const statuses = async (): Promise<string[]> => {
      const found: string[] = [];
      for (const one of ids) found.push((await owner.ask(`notify:status:${one}`)).slice(5, -6));
      return found;
    };
    await expect.poll(statuses).toEqual(["delivered", "delivered", "queued", "queued"]);
    const metrics = async (): Promise<number> => {
      const families = await bob.server.metrics();
      const found = families.find(({ name }) => name.includes("notifications_errored"));
      return Number(found?.samples[0]?.value ?? 0);
    };
    const before = await metrics();
    await expect.poll(metrics).toBeGreaterThan(before + 3);
    expect(await statuses()).toEqual(["delivered", "delivered", "queued", "queued"]);
    const receiver = await alice.owner();
    for (const one of ids.slice(0, 2)) await receiver.ask(`notify:remove:${one}`);
    await expect.poll(statuses).toEqual(ids.map(() => "delivered"));
  });

  it.each([
    ["a peer's", 999_999_999_999_999],
    ["a peer's", MAX_NOTIFICATION_MILLIS + 1],
  ])("cuts %s notification of %i ms to eight days", async (_, life) => {
    const peer = await startAlice({});
    expect(await notify(peer, "x", `:ttln:${life}`)).toBe(TAKEN);
    const found = alice.store.notification(`n-${id - 1}`);
    expect(found).toMatchObject({
      ttl: MAX_NOTIFICATION_MILLIS,
      expiresAt: now + MAX_NOTIFICATION_MILLIS,
    });
  });

  it("cuts own notifications to eight days too, and what a parameter says", async () => {
    await startAlice({ notificationExpiryMillis: MAX_NOTIFICATION_MILLIS * 2 });
    const owner = await alice.owner();
    for (const command of [
      "notify:id:own-1:ttln:999999999999:@bob:k.demo@alice:x",
      "notify:id:own-2:@bob:k.demo@alice:x",
      "notify:id:own-3:ttln:999999999999:@alice:k.demo@alice:x",
      `notify:id:own-4:ttln:${"9".repeat(400)}:@alice:k.demo@alice:x`,
    ]) {
      const answer = await owner.ask(command);
      const [, found = ""] = /^data:(own-\d)\n/.exec(answer) ?? [];
      expect(alice.store.notification(found)?.expiresAt).toBe(now + MAX_NOTIFICATION_MILLIS);
    }
  });
});

describe("what is counted", () => {
  const folder = mkdtempSync(join(tmpdir(), "atmicro-usage-"));
  let stores = 0;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const notification = (id: string, value = "v", from = "@bob"): Notification => ({
    ...{ id, from, to: "@alice", key: `@alice:${id}.demo${from}`, type: "received" },
    ...{ operation: "update", messageType: "key", priority: "low", status: "delivered" },
    ...{ retryCount: 1, strategy: "all", notifier: "SYSTEM", depth: 1, createdAt: 1 },
    ...{ isEncrypted: false, value, expiresAt: 2 },
  });

  const kinds: [string, () => Promise<[Store, () => Promise<Store>]>][] = [
    [
      "memory",
      async () => {
        const store = openMemoryStore();
        return [store, async () => store];
      },
    ],
    [
      "LMDB",
      async () => {
        const path = join(folder, String(stores++));
        let store = await openLmdbStore(path);
        const again = async (): Promise<Store> => {
          await store.close();
          store = await openLmdbStore(path);
          return store;
        };
        return [store, again];
      },
    ],
  ];

  it.each(kinds)("is the same along with every write and counted anew, in %s", async (_, open) => {
    let [store, again] = await open();
    let usage = new PeerUsage(store, "@alice", { ...defaults });
    const random = new Random(7);
    const pick = (count: number): number => random.below(count);
    for (let round = 0; round < 300; round++) {
      const from = ["@bob", "@carol", "@alice"][pick(3)] ?? "";
      const name = `n${pick(6)}`;
      const key = `cached:@alice:${name}.demo${from}`;
      await store.write((writer) => {
        const choice = pick(6);
        if (choice === 0) writer.putNotification(notification(name, "v".repeat(pick(50)), from));
        if (choice === 1) writer.removeNotification(name);
        if (choice === 2)
          writer.putDelivery(name, { status: "errored", retryCount: 2, priority: "low" });
        if (choice === 3)
          writer.put(key, { value: "ü".repeat(pick(50)), metadata: { ttl: pick(9) } });
        if (choice === 4) writer.remove(key, false);
        if (choice === 5) writer.put(`@bob:${name}.demo@alice`, { value: "x", metadata: {} });
      });
      if (round % 50 !== 49) continue;
      const running = snapshot(usage);
      store = await again();
      usage = new PeerUsage(store, "@alice", { ...defaults });
      expect(snapshot(usage)).toEqual(running);
    }
    expect(usage.of("notifications", "@alice")).toEqual({ count: 0, bytes: 0 });
    await store.write((writer) => {
      for (const [id] of [...store.notifications()].map(([, found]) => [found.id] as const)) {
        writer.removeNotification(id);
      }
      for (const [key] of [...store.records("cached:")]) writer.remove(key, false);
    });
    for (const peer of ["@bob", "@carol"]) {
      expect(usage.of("notifications", peer)).toEqual({ count: 0, bytes: 0 });
      expect(usage.of("cached", peer)).toEqual({ count: 0, bytes: 0 });
    }
    await store.close();
  });

  it("is counted anew after a write failed", async () => {
    const store = openMemoryStore();
    await store.write((writer) => writer.putNotification(notification("1")));
    const usage = new PeerUsage(store, "@alice", { ...defaults });
    usage.notification(undefined, notification("2"));
    usage.failed();
    usage.notification(undefined, notification("3"));
    expect(usage.of("notifications", "@bob").count).toBe(1);
  });

  it("counts what is reserved until it is given back, and lets in what takes no room", async () => {
    const store = openMemoryStore();
    const usage = new PeerUsage(store, "@alice", { ...defaults, peerMaxNotifications: 1 });
    const wanted = { count: 1, bytes: sizeOfNotification(notification("1")) };
    const release = usage.reserve("notifications", "@bob", wanted);
    expect(() => usage.reserve("notifications", "@bob", wanted)).toThrow("No more notifications");
    usage.reserve("notifications", "@carol", wanted)();
    usage.reserve("notifications", "@bob", { count: 0, bytes: -5 })();
    release();
    usage.reserve("notifications", "@bob", wanted)();
    expect(usage.of("notifications", "@bob")).toEqual({ count: 0, bytes: 0 });
  });
});

function snapshot(usage: PeerUsage): unknown {
  return ["@bob", "@carol", "@alice"].map((peer) => [
    usage.of("notifications", peer),
    usage.of("cached", peer),
  ]);
}
