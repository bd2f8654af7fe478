// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PasscodeDelays } from "../../server/passcodes/passcodeGuesses.ts";
import { parameters, request } from "./conformance/applicant.ts";
import { converse } from "./conformance/items.ts";
import type { Line } from "./line.ts";
import { dataOf } from "./notifications.ts";
import { type Place, World } from "./world.ts";

const NOW = 1_700_000_000_000;

describe("the delay behind wrong passcodes", () => {
  it("grows as Fibonacci's numbers and stays at the first above the threshold", () => {
    const delays = new PasscodeDelays(1_000, 55_000);
    const seconds = Array.from({ length: 12 }, () => delays.next(NOW) / 1_000);
    expect(seconds).toEqual([1, 2, 3, 5, 8, 13, 21, 34, 55, 55, 55, 55]);
  });

  it("begins again when the threshold has passed since the last wrong one", () => {
    const delays = new PasscodeDelays(1_000, 55_000);
    expect([delays.next(NOW), delays.next(NOW), delays.next(NOW + 54_999)]).toEqual([
      1_000, 2_000, 3_000,
    ]);
    expect(delays.next(NOW + 54_999 + 55_000)).toBe(1_000);
  });
});

describe("passcodes", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let visitor: Line;
  let now = NOW;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now: () => now, enrollmentMaxRequests: 100 });
    owner = await alice.owner();
    visitor = await alice.open();
  });
  afterAll(() => world.close());

  const ask = (otp: string): Promise<string> =>
    visitor.ask(request(parameters({ wavi: "rw" }, { otp })));
  const admitted = /^data:.*"status":"pending"\}\n@$/;
  const refused = "error:AT0011-Exception: invalid otp. Cannot process enroll request\n@";

  it("live five minutes, or as long as was asked", async () => {
    const usual = dataOf(await owner.ask("otp:get"));
    const brief = dataOf(await owner.ask("otp:get:ttl:1000"));
    now += 1_001;
    expect(await ask(brief)).toBe(refused);
    now += 298_999;
    expect(await ask(usual)).toMatch(admitted);
    const late = dataOf(await owner.ask("otp:get"));
    now += 300_001;
    expect(await ask(late)).toBe(refused);
  });

  it("are used up by one of two requests that come together", async () => {
    const otp = dataOf(await owner.ask("otp:get"));
    const other = await alice.open();
    const replies = await Promise.all([
      ask(otp),
      other.ask(request(parameters({ wavi: "rw" }, { otp }))),
    ]);
    expect(replies.filter((reply) => admitted.test(reply))).toHaveLength(1);
    expect(replies.filter((reply) => reply === refused)).toHaveLength(1);
  });

  it("of which only one is semi-permanent, with a life of its own if wanted", async () => {
    await converse(owner, [
      ["otp:put:FIRST1", "data:ok\n@alice@"],
      ["otp:put:SECOND2:ttl:1000", "data:ok\n@alice@"],
    ]);
    expect(await ask("FIRST1")).toBe(refused);
    expect(await ask("second2")).toMatch(admitted);
    expect(await ask("SECOND2")).toMatch(admitted);
    now += 1_001;
    expect(await ask("SECOND2")).toBe(refused);
  });

  it("are found where older servers kept them", async () => {
    // More wrong ones in a minute aren't looked at.
    now += 60_000;
    await alice.store.write((writer) => {
      writer.put("private:abc123@alice", { value: "ABC123", metadata: {} });
      writer.put("private:spp@alice", { value: "OLDSPP1", metadata: {} });
    });
    expect(await ask("ABC123")).toMatch(admitted);
    expect(await ask("ABC123")).toBe(refused);
    expect(await ask("OLDSPP1")).toMatch(admitted);
    expect(await ask("oldspp1")).toMatch(admitted);
  });

  it.each(["otp:put:SHORT", "otp:put:has space", "otp:get:ttl:x", "otp:drop"])(
    "are not made by %s",
    async (command) => {
      const line = await alice.owner();
      expect(await line.ask(command)).toMatch(/^error:AT00(?:03|11)-/);
    },
  );
});
