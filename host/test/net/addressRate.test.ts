// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressRate, MAX_ADDRESSES } from "../../net/addressRate.ts";

const START = 1_700_000_000_000;
const MINUTE = 60_000;
const PER_MINUTE = 30;

describe("how often something is done from an address", () => {
  const rate = (): AddressRate => new AddressRate(() => PER_MINUTE);

  it("is so many times at once, and again as time passes", () => {
    const some = rate();
    for (let i = 0; i < PER_MINUTE; i++) expect(some.take("192.0.2.1", START)).toBe(true);
    expect(some.take("192.0.2.1", START)).toBe(false);
    expect(some.take("192.0.2.1", START + MINUTE / PER_MINUTE - 1)).toBe(false);
    expect(some.take("192.0.2.1", START + MINUTE / PER_MINUTE)).toBe(true);
    expect(some.take("192.0.2.2", START)).toBe(true);
  });

  it("in a minute is never more than twice as often, whatever comes", () => {
    const visits = fc.array(fc.nat({ max: 3_000 }), { maxLength: 500 });
    fc.assert(
      fc.property(visits, (pauses) => {
        const some = rate();
        const done: number[] = [];
        let now = START;
        for (const pause of pauses) {
          now += pause;
          if (some.take("2001:db8::1", now)) done.push(now);
          const minute = done.filter((time) => time > now - MINUTE);
          expect(minute.length).toBeLessThanOrEqual(2 * PER_MINUTE);
        }
      }),
    );
  });

  it("doesn't count what was given back, and no more than that is given", () => {
    const some = rate();
    for (let i = 0; i < 10 * PER_MINUTE; i++) {
      expect(some.take("192.0.2.1", START)).toBe(true);
      some.giveBack("192.0.2.1", START);
    }
    for (let i = 0; i < PER_MINUTE; i++) some.giveBack("192.0.2.1", START);
    for (let i = 0; i < PER_MINUTE; i++) expect(some.take("192.0.2.1", START)).toBe(true);
    expect(some.take("192.0.2.1", START)).toBe(false);
    some.giveBack("192.0.2.9", START);
    expect(some.size).toBe(1);
  });

  it("is the same for all of a /64", () => {
    const some = rate();
    for (let i = 0; i < PER_MINUTE; i++) some.take(`2001:db8:0:1::${i}`, START);
    expect(some.take("2001:db8:0:1:ffff::1", START)).toBe(false);
    expect(some.take("2001:db8:0:2::1", START)).toBe(true);
  });

  it("is remembered for a minute, and of so many addresses only", () => {
    const some = rate();
    for (let i = 0; i < 3 * MAX_ADDRESSES; i++) {
      some.take(`2001:db8:${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}::1`, START);
    }
    expect(some.size).toBeLessThanOrEqual(MAX_ADDRESSES);
    some.take("192.0.2.1", START + MINUTE);
    expect(some.size).toBe(1);
  });

  it("gains nothing from a clock that is set back, and loses no more than a minute", () => {
    const some = rate();
    for (let i = 0; i < PER_MINUTE; i++) some.take("192.0.2.1", START);
    expect(some.take("192.0.2.1", START - 1_000)).toBe(false);
    expect(some.take("192.0.2.1", START - 1_000 + MINUTE)).toBe(true);
  });
});
