// SPDX-License-Identifier: BSD-3-Clause
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineBudget, type LineHolder } from "../../server/connection/lineBudget.ts";

const KILO = 1_000;
const LIMIT = 1_000 * KILO;

class Holder implements LineHolder {
  stopped = false;
  gone = false;
  standing: LineHolder["standing"];

  constructor(standing: LineHolder["standing"]) {
    this.standing = standing;
  }

  hold(stopped: boolean): void {
    this.stopped = stopped;
  }

  surrender(): void {
    this.gone = true;
  }
}

const holders = (...standings: LineHolder["standing"][]): Holder[] =>
  standings.map((standing) => new Holder(standing));

describe("the budget of unfinished lines", () => {
  it("gives up the largest without a login, as many as it takes", () => {
    const budget = new LineBudget(() => LIMIT);
    const [a, b, c, owner] = holders("anonymous", "anonymous", "anonymous", "owner");
    for (const [i, holder] of [a, b, c].entries()) budget.set(holder as Holder, (i + 1) * 100_000);
    budget.set(owner as Holder, 800 * KILO);
    expect([a, b, c, owner].map((holder) => holder?.gone)).toEqual([false, true, true, false]);
    expect(budget.bytes).toBe(900 * KILO);
    budget.set(owner as Holder, 0);
    expect(budget.bytes).toBe(100 * KILO);
  });

  it("lets the earliest go on, an owner's before a peer's, and all when there is room", () => {
    const budget = new LineBudget(() => LIMIT);
    const [peer, first, second] = holders("peer", "owner", "owner") as [Holder, Holder, Holder];
    budget.set(peer, 500 * KILO);
    budget.set(first, 400 * KILO);
    budget.set(second, 200 * KILO);
    expect([peer, first, second].map(({ stopped }) => stopped)).toEqual([true, false, true]);
    budget.set(first, 9_000 * KILO);
    budget.set(first, 0);
    expect([peer, first, second].map(({ stopped }) => stopped)).toEqual([false, false, false]);
    budget.set(second, 900 * KILO);
    expect([peer, second].map(({ stopped }) => stopped)).toEqual([true, false]);
    budget.set(second, 0);
    expect(peer.stopped).toBe(false);
  });

  it("stops no line that is short", () => {
    const budget = new LineBudget(() => LIMIT);
    const [long, short] = holders("owner", "peer") as [Holder, Holder];
    budget.set(long, 2 * LIMIT);
    budget.set(short, 65_536);
    expect([long, short].map(({ stopped }) => stopped)).toEqual([false, false]);
  });

  it("gives up the line that goes on when it stands still, and the next goes on", async () => {
    const budget = new LineBudget(() => LIMIT, 40);
    const [still, next] = holders("owner", "owner") as [Holder, Holder];
    budget.set(still, 900 * KILO);
    budget.set(next, 900 * KILO);
    expect([still, next].map(({ stopped }) => stopped)).toEqual([false, true]);
    await delay(100);
    expect(still.gone).toBe(true);
    expect([next.gone, next.stopped]).toEqual([false, false]);
    await delay(100);
    expect(next.gone).toBe(false);
  });

  it("never leaves everybody stopped, nor anybody where there is room, nor more without a login than fit", () => {
    const standing = fc.constantFrom("owner", "peer", "anonymous" as const);
    const step = fc.record({ who: fc.nat({ max: 9 }), bytes: fc.nat({ max: 2 * LIMIT }) });
    fc.assert(
      fc.property(fc.array(standing, { minLength: 10 }), fc.array(step), (standings, steps) => {
        const budget = new LineBudget(() => LIMIT);
        const all = holders(...(standings as LineHolder["standing"][]));
        const held = new Map<Holder, number>();
        for (const { who, bytes } of steps) {
          const holder = all[who];
          if (holder === undefined || holder.gone) continue;
          held.set(holder, bytes);
          budget.set(holder, bytes);
          for (const each of all) if (each.gone) held.delete(each);
          const left = [...held].filter(([, size]) => size > 0);
          const total = left.reduce((sum, [, size]) => sum + size, 0);
          expect(budget.bytes).toBe(total);
          const stopped = left.filter(([each]) => each.stopped).length;
          if (total <= LIMIT) expect(all.filter((each) => each.stopped)).toEqual([]);
          else expect(left.some(([each]) => each.standing === "anonymous")).toBe(false);
          const long = left.filter(([, size]) => size > 65_536).length;
          expect(stopped).toBeLessThanOrEqual(Math.max(long - 1, 0));
        }
      }),
    );
  });
});
