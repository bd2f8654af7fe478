// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FromRate, MAX_LOOKUPS_PER_ADDRESS } from "../../server/access/fromRate.ts";
import type { Session } from "../../server/access/session.ts";
import { defaults } from "../../server/config/config.ts";
import type { Line } from "../server/line.ts";
import { loginAsPeer } from "../server/peerLogin.ts";
import { identity, type Place, pkamLine, World } from "../server/world.ts";

const LIMITS = { ownFromPerMinute: 20, otherFromPerMinute: 5 };
const MINUTE = 60_000;

describe("from, said without a login behind it", () => {
  let world: World;
  let alice: Place;
  let now = 1_700_000_000_000;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now: () => now, ...LIMITS });
  });
  afterAll(() => world.close());

  const tooMany =
    "error:AT0028-Exception: Too many logins were begun from here: try again in a minute\n@";
  const unknown = /^error:AT0007-/;
  let names = 0;
  const invented = (): string => `from:@nobody${names++}`;
  const login = async (line: Line): Promise<string> =>
    line.ask(await pkamLine(line, "@alice", identity("@alpha").privateKey));

  it("asks the directory only so often for an address, on however many connections", async () => {
    const lines = await Promise.all([1, 2, 3].map(() => alice.open("127.0.0.2")));
    const replies: string[] = [];
    for (let i = 0; i < 12; i++) replies.push(await (lines[i % 3] as Line).ask(invented()));
    expect(replies.filter((reply) => unknown.test(reply))).toHaveLength(LIMITS.otherFromPerMinute);
    expect(replies.filter((reply) => reply === tooMany)).toHaveLength(
      12 - LIMITS.otherFromPerMinute,
    );
    const other = await alice.open("127.0.0.3");
    expect(await other.ask(invented())).toMatch(unknown);
    now += MINUTE;
    expect(await (lines[0] as Line).ask(invented())).toMatch(unknown);
  });

  it("keeps the owner's logins apart from those of others", async () => {
    await alice.owner(undefined, "127.0.0.4");
    const line = await alice.open("127.0.0.4");
    for (let i = 0; i < LIMITS.otherFromPerMinute; i++) await line.ask(invented());
    expect(await line.ask(invented())).toBe(tooMany);
    for (let i = 0; i < 3 * LIMITS.ownFromPerMinute; i++) {
      // On a new connection each time, as clients do.
      const client = await alice.open("127.0.0.4");
      expect(await login(client)).toBe("data:success\n@alice@");
      client.close();
    }
  });

  it("is limited for the owner too, where nobody logs in", async () => {
    const line = await alice.open("127.0.0.5");
    for (let i = 0; i < LIMITS.ownFromPerMinute; i++) {
      expect(await line.ask("from:@alice")).toMatch(/^data:_/);
    }
    expect(await line.ask("from:@alice")).toBe(tooMany);
    expect(await (await alice.open("127.0.0.6")).ask("from:@alice")).toMatch(/^data:_/);
    now += MINUTE;
    expect(await login(line)).toBe("data:success\n@alice@");
  });

  it("isn't limited for peers that log in", async () => {
    const bob = await world.start("@bob");
    for (let i = 0; i < 3 * LIMITS.otherFromPerMinute; i++) {
      (await loginAsPeer(world, bob, alice)).close();
    }
  });

  it("isn't given back by logins that weren't counted", async () => {
    const line = await alice.owner(undefined, "127.0.0.7");
    const other = await alice.open("127.0.0.7");
    for (let i = 0; i < LIMITS.ownFromPerMinute; i++) await other.ask("from:@alice");
    expect(await other.ask("from:@alice")).toBe(tooMany);
    expect(await login(line)).toBe("data:success\n@alice@");
    expect(await other.ask("from:@alice")).toBe(tooMany);
  });

  it("has so many look-ups under way from an address, and others' beside them", async () => {
    const rate = new FromRate({ ...defaults }, () => now);
    const from = (remoteAddress: string): Session => ({ remoteAddress }) as Session;
    let end: () => void = () => {};
    const answered = new Promise<void>((resolve) => {
      end = resolve;
    });
    const begin = (address: string): Promise<void> => rate.during(from(address), () => answered);
    const many = Array.from({ length: MAX_LOOKUPS_PER_ADDRESS }, () => begin("127.0.0.2"));
    await expect(begin("127.0.0.2")).rejects.toMatchObject({ code: "AT0028" });
    const other = begin("127.0.0.3");
    end();
    await Promise.all([...many, other]);
    await begin("127.0.0.2");
    const failing = rate.during(from("127.0.0.2"), () => Promise.reject(new Error("no answer")));
    await expect(failing).rejects.toThrow("no answer");
    await Promise.all(Array.from({ length: MAX_LOOKUPS_PER_ADDRESS }, () => begin("127.0.0.2")));
  });
});
