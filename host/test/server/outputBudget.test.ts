// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { SLICE_BYTES } from "../../server/connection/longReply.ts";
import { OutputBudget, type OutputHolder } from "../../server/connection/outputBudget.ts";
import { PushQueue } from "../../server/connection/pushQueue.ts";

const LIMIT = 1_000_000;

class Holder implements OutputHolder {
  gone = false;
  standing: OutputHolder["standing"];

  constructor(standing: OutputHolder["standing"]) {
    this.standing = standing;
  }

  giveUp(): void {
    this.gone = true;
  }
}

function budgetAt(): { budget: OutputBudget; wait: (millis: number) => void } {
  let now = 0;
  const budget = new OutputBudget(
    () => LIMIT,
    () => now,
  );
  return {
    budget,
    wait: (millis) => {
      now += millis;
    },
  };
}

const text = (fill: string, length: number): string => fill.repeat(length);

describe("the budget of output", () => {
  it("counts equal texts once, and until the last holder has let go", () => {
    const { budget } = budgetAt();
    const claims = [new Holder("anonymous"), new Holder("peer"), new Holder("owner")].map(
      (holder) => budget.claim(holder, text("a", 400_000)),
    );
    expect(budget.bytes).toBeLessThan(401_000);
    for (const claim of claims) {
      expect(budget.bytes).toBeGreaterThan(400_000);
      claim.release();
      claim.release();
    }
    expect(budget.bytes).toBe(0);
  });

  it("counts two bytes for each character of a text that needs them", () => {
    const { budget } = budgetAt();
    budget.claim(new Holder("owner"), text("ł", 100_000));
    expect(budget.bytes).toBeGreaterThan(200_000);
  });

  it("gives up those without a login, then peers, then owners but the newest", () => {
    const { budget } = budgetAt();
    const owners = [new Holder("owner"), new Holder("owner"), new Holder("owner")];
    const [peer, stranger] = [new Holder("peer"), new Holder("anonymous")];
    budget.set(owners[0] as Holder, 300_000);
    budget.set(peer, 300_000);
    budget.set(stranger, 300_000);
    budget.set(owners[1] as Holder, 300_000);
    expect([stranger, peer, ...owners].map(({ gone }) => gone)).toEqual([
      ...[true, false],
      ...[false, false, false],
    ]);
    budget.set(owners[1] as Holder, 900_000);
    expect(peer.gone).toBe(true);
    expect(owners.map(({ gone }) => gone)).toEqual([true, false, false]);
    budget.set(owners[2] as Holder, 5_000_000);
    expect(owners.map(({ gone }) => gone)).toEqual([true, true, false]);
    expect(budget.bytes).toBe(5_000_000);
  });

  it("gives up who has held most for longest, not who has just begun", () => {
    const { budget, wait } = budgetAt();
    const [small, slow, fresh] = [1, 2, 3].map(() => new Holder("anonymous")) as [
      Holder,
      Holder,
      Holder,
    ];
    budget.set(small, 1_000);
    budget.set(slow, 400_000);
    wait(10_000);
    budget.set(fresh, 800_000);
    expect([small.gone, slow.gone, fresh.gone]).toEqual([false, true, false]);
  });

  it("empties what a holder that was given up still points to", () => {
    const { budget, wait } = budgetAt();
    const [first, second] = [new Holder("anonymous"), new Holder("anonymous")];
    const claim = budget.claim(first, text("a", 600_000));
    const line = budget.claim(first, Buffer.alloc(100));
    wait(1);
    budget.claim(second, text("b", 600_000));
    expect(first.gone).toBe(true);
    expect(claim.output).toHaveLength(0);
    expect(line.output).toHaveLength(0);
    claim.release();
    expect(budget.bytes).toBeLessThan(601_000);
  });

  it("forgets what a connection held that is over", () => {
    const { budget } = budgetAt();
    const holder = new Holder("owner");
    budget.set(holder, 10);
    budget.claim(holder, "text");
    budget.forget(holder);
    expect(budget.bytes).toBe(0);
  });
});

describe("the lines that wait for a monitor", () => {
  /** A socket that takes so much, and what it was given. */
  class Target {
    ready = true;
    taken = true;
    readonly given: string[] = [];

    write(bytes: Buffer): void {
      this.given.push(bytes.toString("latin1"));
      if (bytes.length >= SLICE_BYTES) this.taken = false;
      this.ready = this.taken;
    }

    overflow(): void {
      throw new Error("overflow");
    }

    read(queue: PushQueue): void {
      this.taken = true;
      this.ready = true;
      queue.flow();
    }
  }

  it("are written in slices, with nothing in the middle of one, and held until they are written", () => {
    const { budget } = budgetAt();
    const target = new Target();
    const queue = new PushQueue(target, budget, new Holder("owner"));
    const long = Buffer.alloc(3 * SLICE_BYTES + 1, "l");
    queue.push(long);
    queue.push(Buffer.from("next\n"));
    expect(target.given).toHaveLength(1);
    expect(queue.inLine).toBe(true);
    expect(budget.bytes).toBeGreaterThan(long.length);
    queue.follow(Buffer.from("reply"));
    for (let i = 0; i < 3; i++) target.read(queue);
    expect(target.given.join("")).toBe(`${long.toString()}replynext\n`);
    expect(Math.max(...target.given.map(({ length }) => length))).toBe(SLICE_BYTES);
    expect([queue.inLine, budget.bytes]).toEqual([false, 0]);
  });

  it("are let go of when the connection is given up", () => {
    const { budget } = budgetAt();
    const target = new Target();
    const queue = new PushQueue(target, budget, new Holder("owner"));
    for (let i = 0; i < 3; i++) queue.push(Buffer.alloc(2 * SLICE_BYTES));
    queue.clear();
    expect([queue.inLine, budget.bytes]).toEqual([false, 0]);
  });
});
