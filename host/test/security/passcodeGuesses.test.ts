// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  MAX_WRONG_OF_ADDRESS,
  MAX_WRONG_OF_ALL,
  MAX_WRONG_OF_KNOWN,
  PasscodeGuesses,
} from "../../server/passcodes/passcodeGuesses.ts";
import { MAX_WAITING } from "../../server/passcodes/passcodes.ts";
import { parameters, request } from "../server/conformance/applicant.ts";
import type { Line } from "../server/line.ts";
import { dataOf, notification } from "../server/notifications.ts";
import { type Place, World } from "../server/world.ts";

const START = 1_700_000_000_000;
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

const admitted = /^data:.*"status":"pending"\}\n@$/;
const wrong = "error:AT0011-Exception: invalid otp. Cannot process enroll request\n@";
const unseen = /^error:AT0028-Exception: Too many wrong passcodes.*wasn't looked at.*\n@$/;

const guess = (otp: string): string => request(parameters({ wavi: "rw" }, { otp }));
const address = (number: number): string => `127.0.${1 + (number >> 8)}.${number & 255}`;

describe("guesses of passcodes", () => {
  let world: World;
  let now = START;
  beforeAll(async () => {
    world = await World.create();
  });
  afterAll(() => world.close());

  const start = (atSign: string, otpDelayBaseMillis = 1): Promise<Place> =>
    world.start(atSign, { now: () => now, enrollmentMaxRequests: 1_000_000, otpDelayBaseMillis });
  const passcode = async (place: Place, command = "otp:get"): Promise<string> =>
    dataOf(await (await place.owner()).ask(command));

  it("aren't looked at while a wrong one of their address is answered, hung up or not", async () => {
    const place = await start("@slow", HOUR);
    const otp = await passcode(place);
    const attacker = await place.open(address(1));
    attacker.send(`${guess("WRONG1")}\n`);
    const second = await place.open(address(1));
    // The first is being answered when what came after it is.
    await expect.poll(() => second.ask(guess(otp))).toMatch(unseen);
    attacker.close();
    await attacker.closed();
    const third = await place.open(address(1));
    for (let i = 0; i < 3; i++) expect(await third.ask(guess(otp))).toMatch(unseen);
    expect(await (await place.open(address(2))).ask(guess(otp))).toMatch(admitted);
  });

  it("that come together from one address are looked at one by one", async () => {
    const place = await start("@burst", HOUR);
    const otp = await passcode(place);
    const lines = await Promise.all(Array.from({ length: 8 }, () => place.open(address(1))));
    for (const line of lines) line.send(`${guess("WRONG1")}\n`);
    const late = await place.open(address(1));
    await expect.poll(() => late.ask(guess(otp))).toMatch(unseen);
    // All but one were refused at once; that one waits.
    await expect
      .poll(() => lines.filter((line) => unseen.test(line.received.slice(1))))
      .toHaveLength(7);
    expect(lines.filter((line) => line.received === "@")).toHaveLength(1);
  });

  it("are five a minute from an address, right ones not counted", async () => {
    const place = await start("@five");
    const line = await place.open(address(1));
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < MAX_WRONG_OF_ADDRESS; i++) {
        expect(await line.ask(guess("WRONG1"))).toBe(wrong);
        const otp = i < MAX_WRONG_OF_ADDRESS - 1 ? await passcode(place) : undefined;
        if (otp !== undefined) expect(await line.ask(guess(otp))).toMatch(admitted);
      }
      const otp = await passcode(place);
      expect(await line.ask(guess(otp))).toMatch(unseen);
      now += MINUTE - 1;
      expect(await line.ask(guess(otp))).toMatch(unseen);
      now += 1;
      expect(await line.ask(guess(otp))).toMatch(admitted);
    }
  });

  it("are twenty a minute from all, half of them from addresses that weren't wrong within the hour", async () => {
    const place = await start("@twenty");
    const open = (count: number): Promise<Line[]> =>
      Promise.all(Array.from({ length: count }, (_, i) => place.open(address(i))));
    const lines = await open(3 * MAX_WRONG_OF_ALL);
    const looked = async (some: readonly Line[], otp = "WRONG1"): Promise<number> => {
      const replies = await Promise.all(some.map((line) => line.ask(guess(otp))));
      expect(replies.filter((reply) => reply !== wrong && !unseen.test(reply))).toEqual([]);
      return replies.filter((reply) => reply === wrong).length;
    };
    const known = lines.slice(0, MAX_WRONG_OF_ALL);
    expect(await looked(known)).toBe(MAX_WRONG_OF_ALL);
    expect(await looked(lines)).toBe(0);
    now += MINUTE;
    expect(await looked(known)).toBe(MAX_WRONG_OF_KNOWN);
    const otp = await passcode(place);
    expect(await lines[0]?.ask(guess(otp))).toMatch(unseen);
    expect(await lines.at(-1)?.ask(guess(otp))).toMatch(admitted);
    expect(await looked(lines.slice(MAX_WRONG_OF_ALL))).toBe(MAX_WRONG_OF_KNOWN);
    now += HOUR;
    expect(await looked(await open(MAX_WRONG_OF_ALL))).toBe(MAX_WRONG_OF_ALL);
  });

  it("never end a one-time passcode", async () => {
    const place = await start("@once");
    const otp = await passcode(place);
    const lines = await Promise.all(
      Array.from({ length: 10 * MAX_WRONG_OF_KNOWN }, (_, i) => place.open(address(i))),
    );
    let looked = 0;
    for (let round = 0; round < 4; round++) {
      const replies = await Promise.all(lines.map((line) => line.ask(guess("WRONG1"))));
      looked += replies.filter((reply) => reply === wrong).length;
      now += MINUTE;
    }
    expect(looked).toBeGreaterThan(3 * MAX_WRONG_OF_KNOWN);
    expect(await (await place.open(address(200))).ask(guess(otp))).toMatch(admitted);
  });

  it("that can be none, or none are given, take nobody's place", async () => {
    const place = await start("@none");
    const line = await place.open(address(1));
    for (const otp of ["", " ", "WRONG 1", "ä", "A".repeat(1_000)]) {
      for (let i = 0; i < MAX_WRONG_OF_ADDRESS; i++) expect(await line.ask(guess(otp))).toBe(wrong);
    }
    expect(await line.ask(guess(await passcode(place)))).toMatch(admitted);
  });

  it("are against a thousand one-time passcodes at most", async () => {
    const place = await start("@many");
    const owner = await place.owner();
    const get = JSON.stringify(Array.from({ length: MAX_WAITING }, () => ({ command: "otp:get" })));
    expect(await owner.ask(`batch:${get}`)).not.toContain("error_code");
    expect(await owner.ask("otp:get")).toMatch(/^error:AT0028-.*1000 one-time passcodes wait/);
    now += HOUR;
    expect(await (await place.owner()).ask("otp:get")).toMatch(/^data:[A-Z1-9]{6}\n/);
  });

  describe("of a semi-permanent passcode", () => {
    const SPP = "PERMANENT1";

    async function suspend(place: Place): Promise<void> {
      for (let i = 0; i < MAX_WRONG_OF_ALL; i++) {
        const line = await place.open(address(i));
        expect(await line.ask(guess("WRONG1"))).toBe(wrong);
        line.close();
        now += 10 * SECOND;
      }
    }

    it("suspend it after 20 in a day, tell the owner once, and last over a restart", async () => {
      const place = await start("@lasting");
      await passcode(place, `otp:put:${SPP}`);
      const watch = await place.owner();
      watch.send("monitor:selfNotifications\n");
      for (let i = 0; i < MAX_WRONG_OF_ALL - 1; i++) {
        now += MINUTE;
        expect(await (await place.open(address(i))).ask(guess("WRONG1"))).toBe(wrong);
      }
      expect(await (await place.open(address(100))).ask(guess(SPP))).toMatch(admitted);
      await suspend(place);
      const told = async (): Promise<Record<string, unknown>> => {
        const found = await notification(watch);
        return String(found.key).startsWith("spp.") ? found : told();
      };
      expect(await told()).toMatchObject({
        key: "spp.suspended.__manage@lasting",
        value: '{"suspended":true,"wrongPasscodes":20}',
      });
      now += MINUTE;
      const late = await place.open(address(100));
      expect(await late.ask(guess(SPP))).toBe(wrong);
      await world.stop(place);
      const again = await world.start("@lasting", { ...place.config, port: 0 });
      expect(await (await again.open(address(101))).ask(guess(SPP))).toBe(wrong);
      const otp = await passcode(again);
      expect(await (await again.open(address(102))).ask(guess(otp))).toMatch(admitted);
      await passcode(again, `otp:put:${SPP}`);
      expect(await (await again.open(address(103))).ask(guess(SPP))).toMatch(admitted);
      expect(watch.received.match(/spp\.suspended/g)).toHaveLength(1);
    });

    it("don't suspend it when a day lies between", async () => {
      const place = await start("@daily");
      await passcode(place, `otp:put:${SPP}`);
      for (let day = 0; day < 3; day++) {
        for (let i = 0; i < MAX_WRONG_OF_ALL - 1; i++) {
          now += MINUTE;
          expect(await (await place.open(address(i))).ask(guess("WRONG1"))).toBe(wrong);
        }
        expect(await (await place.open(address(100))).ask(guess(SPP))).toMatch(admitted);
        now += 24 * HOUR;
      }
    });

    it("aren't counted against the next one", async () => {
      const place = await start("@next");
      await passcode(place, `otp:put:${SPP}`);
      for (let i = 0; i < MAX_WRONG_OF_ALL - 1; i++) {
        now += MINUTE;
        expect(await (await place.open(address(i))).ask(guess("WRONG1"))).toBe(wrong);
      }
      await passcode(place, "otp:put:ANOTHER1");
      now += MINUTE;
      const line = await place.open(address(100));
      expect(await line.ask(guess(SPP))).toBe(wrong);
      expect(await line.ask(guess("ANOTHER1"))).toMatch(admitted);
    });
  });

  it("from 100 addresses during an hour keep nobody with the right one out for more than a minute", async () => {
    const place = await start("@hour");
    const addresses = 100;
    const lines = await Promise.all(
      Array.from({ length: addresses }, (_, i) => place.open(address(i))),
    );
    const began = now;
    let looked = 0;
    let guesser = 0;
    for (let second = 0; second < HOUR / SECOND; second += 10) {
      // More than the limits let through, from each address more than one a minute.
      const some = Array.from({ length: 20 }, () => lines[guesser++ % addresses] as Line);
      const replies = await Promise.all(some.map((line) => line.ask(guess("WRONG1"))));
      looked += replies.filter((reply) => reply === wrong).length;
      now += 10 * SECOND;
      if (second % 600 !== 590) continue;
      const otp = await passcode(place);
      const device = await place.open(address(1_000 + second));
      const asked = now;
      let reply = await device.ask(guess(otp));
      while (unseen.test(reply) && now - asked < MINUTE) {
        now += 5 * SECOND;
        reply = await device.ask(guess(otp));
      }
      expect(reply).toMatch(admitted);
      device.close();
    }
    expect(looked).toBeLessThanOrEqual(((now - began) / MINUTE + 1) * MAX_WRONG_OF_ALL);
    expect(looked).toBeGreaterThan(500);
  });
});

describe("the limits of wrong passcodes", () => {
  /** Guesses as they come: from which of some addresses, how long after the one before. */
  const attack = fc.array(
    fc.record({ from: fc.nat({ max: 40 }), after: fc.integer({ min: 0, max: 20 * SECOND }) }),
    { minLength: 50, maxLength: 400 },
  );

  it("hold in every minute, whatever comes", () => {
    fc.assert(
      fc.property(attack, (guesses) => {
        const limits = new PasscodeGuesses(1, 55_000);
        const judged: { from: number; time: number; known: boolean }[] = [];
        let time = START;
        for (const { from, after } of guesses) {
          time += after;
          const known = judged.some((each) => each.from === from && each.time > time - HOUR);
          if (limits.refusal(address(from), time) !== undefined) continue;
          limits.wrong(address(from), time);
          limits.answered(address(from));
          judged.push({ from, time, known });
          const minute = judged.filter((each) => each.time > time - MINUTE);
          expect(minute.length).toBeLessThanOrEqual(MAX_WRONG_OF_ALL);
          expect(minute.filter((each) => each.from === from).length).toBeLessThanOrEqual(
            MAX_WRONG_OF_ADDRESS,
          );
          expect(minute.filter((each) => each.known).length).toBeLessThanOrEqual(
            MAX_WRONG_OF_KNOWN,
          );
        }
      }),
    );
  });

  it("take a /64 for one address", () => {
    const limits = new PasscodeGuesses(1, 55_000);
    for (let i = 0; i < MAX_WRONG_OF_ADDRESS; i++) {
      limits.wrong(`2001:db8:0:1::${i}`, START);
      limits.answered(`2001:db8:0:1::${i}`);
    }
    expect(limits.refusal("2001:db8:0:1:ffff::1", START)?.reason).toBe("address");
    expect(limits.refusal("2001:db8:0:2::1", START)).toBeUndefined();
  });

  it("keep no more than an hour of judged ones, from however many addresses", () => {
    const limits = new PasscodeGuesses(1, 55_000);
    let most = 0;
    for (let i = 0; i < 50_000; i++) {
      const from = `2001:db8:${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}::1`;
      const time = START + i * 200;
      if (limits.refusal(from, time) !== undefined) continue;
      limits.wrong(from, time);
      limits.answered(from);
      most = Math.max(most, limits.size);
    }
    expect(most).toBeLessThanOrEqual(60 * MAX_WRONG_OF_ALL);
  });

  it("neither end nor last for ever when the clock is set back", () => {
    const limits = new PasscodeGuesses(1, 55_000);
    for (let i = 0; i < MAX_WRONG_OF_ADDRESS; i++) {
      limits.wrong("192.0.2.1", START);
      limits.answered("192.0.2.1");
    }
    const back = START - 10 * HOUR;
    expect(limits.refusal("192.0.2.1", back)?.reason).toBe("address");
    expect(limits.refusal("192.0.2.1", back + MINUTE)).toBeUndefined();
  });
});
