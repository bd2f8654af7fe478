// SPDX-License-Identifier: BSD-3-Clause
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

const DAY = 86_400_000;

interface Pushed {
  id: string;
  epochMillis: number;
}

describe("an atServer whose clock goes back a day", () => {
  let world: World;
  let shift: number;
  let place: Place;
  beforeEach(async () => {
    world = await World.create();
    shift = 0;
    place = await world.start("@alice", { now });
  });
  afterEach(() => world.close());

  const now = (): number => Date.now() + shift;

  const commit = async (line: Line, value: string): Promise<number> =>
    Number(/^data:(\d+)\n/.exec(await line.ask(`update:k.demo@alice ${value}`))?.[1]);

  const tell = async (line: Line, id: string): Promise<void> => {
    const reply = await line.ask(`notify:id:${id}:ttln:${10 * DAY}:@alice:x.demo@alice:1`);
    expect(reply).toBe(`data:${id}\n@alice@`);
  };

  async function watch(since: number): Promise<Line> {
    const line = await place.owner();
    line.send(`monitor:strict:selfNotifications:${since} demo@\n`);
    return line;
  }

  const next = async (line: Line): Promise<Pushed> =>
    JSON.parse((await line.line()).slice("notification: ".length));

  it("keeps connections, logins, values and the order of commits", async () => {
    const owner = await place.owner();
    const first = await commit(owner, "1");
    await owner.ask(`update:ttl:${DAY}:t.demo@alice short`);
    shift -= DAY;
    expect(await commit(owner, "2")).toBe(first + 2);
    expect(await owner.ask("llookup:k.demo@alice")).toBe("data:2\n@alice@");
    expect(await owner.ask("llookup:t.demo@alice")).toBe("data:short\n@alice@");
    const again = await place.owner();
    expect(await again.ask("otp:get")).toMatch(/^data:\w{6}\n@alice@$/);
    shift += 2 * DAY;
    expect(await again.ask("llookup:t.demo@alice")).toBe("data:null\n@alice@");
  });

  it("lets no monitor miss what came after, not even over a restart", async () => {
    const owner = await place.owner();
    await tell(owner, "before");
    const before = await next(await watch(0));
    expect(before).toMatchObject({ id: "before" });
    shift -= DAY;
    await tell(owner, "after");
    const after = await next(await watch(before.epochMillis));
    expect(after.id).toBe("after");
    expect(after.epochMillis).toBeGreaterThan(before.epochMillis);
    await world.stop(place);
    place = await world.start("@alice", { now, store: place.store });
    await tell(await place.owner(), "restarted");
    const restarted = await next(await watch(after.epochMillis));
    expect(restarted.id).toBe("restarted");
    expect(restarted.epochMillis).toBeGreaterThan(after.epochMillis);
  });

  it("doesn't wait the day before it tries a peer again", async () => {
    const owner = await place.owner();
    const peer = await world.start("@peer");
    await world.stop(peer);
    await owner.ask(`notify:id:late:ttln:${10 * DAY}:@peer:x.demo@alice:1`);
    let status = "";
    while (status !== "data:errored\n@alice@") status = await owner.ask("notify:status:late");
    shift -= DAY;
    const back = await world.start("@peer", { store: peer.store });
    const reader = await back.owner();
    reader.send("monitor:strict:0 demo@\n");
    expect((await next(reader)).id).toBe("late");
  });
});
