// SPDX-License-Identifier: BSD-3-Clause
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ValueCipher } from "../../client/cipher.ts";
import { Monitor, type MonitorOptions } from "../../client/monitor.ts";
import { readNotification } from "../../client/notifications.ts";
import { Records } from "../../client/records.ts";
import { openLoggedIn, Session } from "../../client/session.ts";
import { SharedKeys } from "../../client/sharedKeys.ts";
import { metadataFromJson } from "../../wire/metadata.ts";
import { alpha } from "../client/identities.ts";
import { formatNotification, type Json } from "./hostileServer.ts";
import { HostileWorld } from "./hostileWorld.ts";

const NOW = 1_800_000_000_000;
const DAY = 86_400_000;

let world: HostileWorld;
let monitor: Monitor | undefined;
beforeEach(async () => {
  world = await HostileWorld.start();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await monitor?.close();
  await world.close();
});

const notification = (id: string, epochMillis: unknown): Json => ({
  id,
  from: "@bravo",
  to: "@alpha",
  key: "@alpha:a.demo@bravo",
  operation: "delete",
  epochMillis,
});
const stats = (epochMillis: unknown): Json => ({
  ...notification("-1", epochMillis),
  key: "statsNotification.@alpha",
  value: "7",
  operation: "update",
});

/** A monitor whose atServer sends these on its first connection and hangs up; the monitor commands it then gets. */
async function resumed(
  sent: readonly Json[],
  options: Partial<MonitorOptions> = {},
): Promise<{ commands: string[]; ids: string[] }> {
  const ids: string[] = [];
  const { server } = world;
  let confirmed = false;
  server.onCommand(/^noop:0$/, (_, connection) => {
    if (!connection.isMonitor || confirmed) return "data:ok";
    confirmed = true;
    // Behind the reply that says that the command was taken, and before the end.
    connection.write("data:ok\n@");
    for (const one of sent) connection.write(`${formatNotification(one)}\n`);
    setImmediate(() => connection.end());
    return [];
  });
  monitor = new Monitor(
    (listeners) => openLoggedIn("@alpha", alpha, world.network, listeners),
    async ({ ciphertext: _c, isEncrypted: _e, isText: _t, metadata: _m, ...rest }) => ({
      ...rest,
      value: undefined,
      encrypted: false,
    }),
    { onNotification: ({ id }) => ids.push(id), ...options },
    { pause: async () => undefined },
  );
  await server.until(/^monitor/, 2);
  await monitor.close();
  return { commands: server.lines.filter((line) => line.startsWith("monitor")), ids };
}

describe("a monitor goes on where it was, by the atServer's time", () => {
  it("after the notification received last, also when the atServer's clock went back", async () => {
    const { commands, ids } = await resumed([notification("a", 5_000), notification("b", 4_000)]);
    expect(commands).toEqual(["monitor", "monitor:3999"]);
    expect(ids).toEqual(["a", "b"]);
  });

  it.each([NOW, NOW + 365 * DAY, 8.64e15])(
    "whatever this machine's clock says: %i",
    async (now) => {
      vi.spyOn(Date, "now").mockReturnValue(now);
      const { commands } = await resumed([notification("a", NOW)]);
      expect(commands.at(-1)).toBe(`monitor:${NOW - 1}`);
    },
  );

  it("from the beginning when the clock has jumped so far back that no time is credible: nothing is skipped", async () => {
    vi.spyOn(Date, "now").mockReturnValue(0);
    const { commands, ids } = await resumed([notification("a", NOW)]);
    expect(commands).toEqual(["monitor", "monitor:0"]);
    expect(ids).toEqual(["a"]);
  });

  it("not later for statistics", async () => {
    const sent = [notification("a", 5_000), stats(90_000), stats(Date.now())];
    expect((await resumed(sent)).commands).toEqual(["monitor", "monitor:4999"]);
  });

  it("not later for statistics than it was asked to begin", async () => {
    const { commands } = await resumed([stats(90_000)], { since: 100 });
    expect(commands).toEqual(["monitor:99", "monitor:99"]);
  });

  it("at the time it began when there was no notification; statistics tell which the atServer had then", async () => {
    vi.spyOn(Date, "now").mockReturnValue(NOW + DAY / 2);
    const { commands } = await resumed([stats(NOW), stats(NOW + 60_000)]);
    const [first, second = ""] = commands;
    expect(first).toBe("monitor");
    const since = Number(second.slice("monitor:".length));
    expect(since).toBeLessThanOrEqual(NOW);
    expect(since).toBeGreaterThan(NOW - 60_000);
  });

  it("from the beginning when nothing told", async () => {
    expect((await resumed([])).commands).toEqual(["monitor", "monitor:0"]);
  });
});

describe("a time that can't be", () => {
  const times: readonly unknown[] = [
    Date.now() + 2 * DAY,
    Date.now() * 1_000,
    8.64e15,
    9e15,
    Number.MAX_SAFE_INTEGER,
    1e300,
    Number.MAX_VALUE,
    -1,
    -8.64e15,
    0,
    1.5,
    "",
    "never",
    "1e400",
    "Infinity",
    null,
    true,
    [],
    [7],
    {},
    undefined,
  ];

  it.each(times.map((time) => [JSON.stringify(time) ?? "none", time] as const))(
    "%s: the notification is delivered, and nothing is skipped for it",
    async (_, time) => {
      const sent = [notification("a", 5_000), notification("b", time), stats(time)];
      const { commands, ids } = await resumed(sent);
      expect(commands).toEqual(["monitor", "monitor:4999"]);
      expect(ids).toEqual(["a", "b"]);
    },
  );

  it.each(times.map((time) => [JSON.stringify(time) ?? "none", time] as const))(
    "%s is read as one that a date can show",
    (_, time) => {
      const { epochMillis } = readNotification(JSON.stringify(notification("a", time)));
      expect(Number.isInteger(epochMillis)).toBe(true);
      expect(() => new Date(epochMillis).toISOString()).not.toThrow();
    },
  );
});

describe("the other numbers of an atServer", () => {
  it.each([1e300, -1e300, 1.5, "1e999", "x", Number.MAX_SAFE_INTEGER + 2])(
    "%s in metadata becomes a whole number, or none",
    (number) => {
      const { ttl, ttb, ttr, version } = metadataFromJson({
        ttl: number,
        ttb: number,
        ttr: number,
        version: number,
      });
      for (const read of [ttl, ttb, ttr, version]) {
        if (read !== undefined) expect(Number.isSafeInteger(read)).toBe(true);
      }
    },
  );

  it.each(["", "x", "1e3", "0x10", "1.5", "99999999999999999999", "NaN", "null", " 7"])(
    "%j is no commit id",
    async (answer) => {
      world.server.onCommand(/^(?:update|delete):/, () => `data:${answer}`);
      const session = new Session(() => openLoggedIn("@alpha", alpha, world.network));
      const schedule = { now: () => 0, logins: () => 0 };
      const keys = new SharedKeys(session, alpha, schedule);
      const records = new Records("@alpha", session, new ValueCipher(alpha, keys, false));
      await expect(records.put("a.demo@alpha", "x", {})).rejects.toMatchObject({ code: "AT0014" });
      await expect(records.delete("a.demo@alpha")).rejects.toMatchObject({ code: "AT0014" });
      await session.close();
    },
  );
});
