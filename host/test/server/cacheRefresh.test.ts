// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { millisUntilHour } from "../../server/peers/cacheRefresh.ts";
import { converse, data, hides, shows } from "./conformance/items.ts";
import type { Line } from "./line.ts";
import { notification } from "./notifications.ts";
import { type Place, World } from "./world.ts";

describe("the refresh job", () => {
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
    const config = { now, testingMode: true, directoryCacheMillis: 0 };
    alice = await world.start("@alice", config);
    bob = await world.start("@bob", config);
    a = await alice.owner();
    b = await bob.owner();
    watch = await bob.owner();
    watch.send("monitor\n");
  });
  afterAll(() => world.close());

  const refresh = async (): Promise<void> => {
    await converse(b, [["config:set:doCacheRefreshNow=true", data("ok", "@bob@")]]);
  };
  const cached = (name: string): string => `llookup:cached:${name}@alice`;
  const value = (payload: string): string => data(payload, "@bob@");
  const gone = /^error:AT0015-/;

  /** Shared with @bob, cached there, and changed without a word. */
  async function shareAndChange(name: string, ttr: number): Promise<void> {
    await a.ask(`update:ttr:${ttr}:@bob:${name}@alice old`);
    await notification(watch);
    await a.ask("config:set:autoNotify=false");
    await a.ask(`update:ttr:${ttr}:@bob:${name}@alice new`);
    await a.ask("config:reset:autoNotify");
  }

  it("renews what is due, and leaves the rest", async () => {
    await shareAndChange("due.x", 10);
    await shareAndChange("later.x", 1_000);
    await shareAndChange("forever.x", -1);
    await a.ask("update:public:shown.x@alice old");
    await b.ask("plookup:shown.x@alice");
    await a.ask("update:public:shown.x@alice new");
    ahead += 10_001;
    await refresh();
    await converse(b, [
      [cached("@bob:due.x"), value("new")],
      [cached("@bob:later.x"), value("old")],
      [cached("@bob:forever.x"), value("old")],
      [cached("public:shown.x"), value("new")],
      ["lookup:all:due.x@alice", shows('"key":"cached:@bob:due.x@alice"')],
    ]);
  });

  it("does not write a copy that didn't change", async () => {
    await a.ask("update:ttr:10:@bob:same.x@alice v");
    await notification(watch);
    ahead += 10_001;
    const before = await b.ask("llookup:meta:cached:@bob:same.x@alice");
    await refresh();
    expect(await b.ask("llookup:meta:cached:@bob:same.x@alice")).toBe(before);
  });

  it("drops the copy of what is gone, and keeps it when the other can't be asked", async () => {
    for (const name of ["gone.x", "kept.x"]) {
      await a.ask(`update:ttr:10:@bob:${name}@alice v`);
      await notification(watch);
    }
    await a.ask("delete:@bob:gone.x@alice");
    await notification(watch);
    await converse(b, [[cached("@bob:gone.x"), value("v")]]);
    ahead += 10_001;
    await refresh();
    await converse(b, [
      [cached("@bob:gone.x"), gone],
      ["scan cached", hides("gone.x")],
    ]);
    await world.stop(alice);
    await refresh();
    await converse(b, [[cached("@bob:kept.x"), value("v")]]);
  });

  it("waits for the hour", () => {
    const at = (text: string): number => new Date(text).getTime();
    expect(millisUntilHour(3, at("2026-03-01T02:59:59.000"))).toBe(1_000);
    expect(millisUntilHour(3, at("2026-03-01T03:00:00.000"))).toBe(86_400_000);
    expect(millisUntilHour(0, at("2026-03-01T12:00:00.000"))).toBe(43_200_000);
  });
});
