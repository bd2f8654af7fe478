// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { data } from "./conformance/items.ts";
import { payloadOf } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { dataOf, notification } from "./notifications.ts";
import { type Place, World } from "./world.ts";

describe("delivery to an atServer that is away", () => {
  let world: World;
  let alice: Place;
  let a: Line;
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  beforeAll(async () => {
    world = await World.create();
    const config = { now, directoryCacheMillis: 0, notificationMaxRetries: 1_000 };
    alice = await world.start("@alice", config);
    a = await alice.owner();
  });
  afterAll(() => world.close());

  const send = async (command: string, line = a): Promise<string> =>
    dataOf(await line.ask(command));
  const fetch = async (id: string, line = a): Promise<Record<string, string>> =>
    payloadOf(await line.ask(`notify:fetch:${id}`)) as Record<string, string>;
  const status = (id: string, line = a): Promise<string> => line.ask(`notify:status:${id}`);
  /** The values a monitor of a place is shown, as many as wanted. */
  async function values(place: Place, count: number): Promise<unknown[]> {
    const watch = await place.owner();
    watch.send("monitor:0\n");
    const received: unknown[] = [];
    while (received.length < count) received.push((await notification(watch)).value);
    watch.close();
    return received;
  }

  it("is tried again and again, a step lower each time, until the other is there", async () => {
    const bob = await world.start("@bob");
    await world.stop(bob);
    const id = await send("notify:update:priority:high:@bob:n.x@alice:1");
    await expect
      .poll(async () => (await fetch(id)).notificationStatus)
      .toBe("NotificationStatus.errored");
    await expect.poll(async () => Number((await fetch(id)).retryCount)).toBeGreaterThan(3);
    expect((await fetch(id)).priority).toBe("NotificationPriority.low");
    const again = await world.start("@bob", { store: bob.store });
    await expect.poll(() => status(id), { timeout: 10_000 }).toBe(data("delivered"));
    expect(await values(again, 1)).toEqual(["1"]);
  });

  it("keeps the order they were made in, whatever their priority", async () => {
    const carol = await world.start("@carol");
    await world.stop(carol);
    const sent: string[] = [];
    for (const priority of ["low", "high", "medium", "high", "low"]) {
      const value = `${priority}${sent.length}`;
      await send(`notify:update:priority:${priority}:@carol:n.x@alice:${value}`);
      sent.push(value);
    }
    const again = await world.start("@carol", { store: carol.store });
    expect(await values(again, sent.length)).toEqual(sent);
  });

  it("ends with the notification's life", async () => {
    const dan = await world.start("@dan");
    await world.stop(dan);
    const brief = await send("notify:update:ttln:1000:@dan:n.x@alice:brief");
    await expect.poll(() => status(brief)).toBe(data("errored"));
    ahead += 1_001;
    const lasting = await send("notify:update:ttln:600000:@dan:n.x@alice:lasting");
    const again = await world.start("@dan", { store: dan.store });
    await expect.poll(() => status(lasting), { timeout: 10_000 }).toBe(data("delivered"));
    expect(await status(brief)).toBe(data("expired"));
    expect(await values(again, 1)).toEqual(["lasting"]);
  });

  it("is given up after as many tries as are configured, also by the next start", async () => {
    const config = { now, directoryCacheMillis: 0, notificationMaxRetries: 3 };
    const erin = await world.start("@erin", config);
    const line = await erin.owner();
    const frank = await world.start("@frank");
    await world.stop(frank);
    const lost = await send("notify:@frank:n.x@erin:lost", line);
    await expect.poll(async () => (await fetch(lost, line)).retryCount).toBe("3");
    await world.stop(erin);
    const restarted = await world.start("@erin", { ...config, store: erin.store });
    const next = await restarted.owner();
    const back = await world.start("@frank", { store: frank.store });
    const kept = await send("notify:@frank:n.x@erin:kept", next);
    await expect.poll(() => status(kept, next)).toBe("data:delivered\n@erin@");
    expect(await values(back, 1)).toEqual(["kept"]);
    expect(await fetch(lost, next)).toMatchObject({
      notificationStatus: "NotificationStatus.errored",
      retryCount: "3",
    });
  });

  it("does not wait for others that are away", async () => {
    await world.directoryStore.set("@gone", { host: "localhost", port: 1 });
    const hank = await world.start("@hank");
    for (let i = 0; i < 5; i++) await send(`notify:@gone:n.x@alice:${i}`);
    const id = await send("notify:@hank:n.x@alice:here");
    await expect.poll(() => status(id)).toBe(data("delivered"));
    expect(await values(hank, 1)).toEqual(["here"]);
  });
});
