// SPDX-License-Identifier: BSD-3-Clause
// Whatever a server, a peer or the network lets fail for ever is tried with the pauses, and no more often, than the list says.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AtClient } from "../../client/atClient.ts";
import { awaitApproval } from "../../client/enrollment.ts";
import { openAtServer } from "../../client/session.ts";
import { type Pause, pauseMillis, Retry, type RetryPolicy, retries } from "../../net/retries.ts";
import { alpha } from "../client/identities.ts";
import { HANG_UP } from "./hostileServer.ts";
import { HostileWorld } from "./hostileWorld.ts";

type Name = keyof typeof retries;
const names = Object.keys(retries) as Name[];
const policyOf = (name: Name): RetryPolicy => retries[name];

const MANY = 200;
const DAY = 86_400_000;

let world: HostileWorld;
beforeEach(async () => {
  world = await HostileWorld.start();
});
afterEach(async () => {
  await world.close();
});

describe.each(names)("%s", (name) => {
  const policy = policyOf(name);

  it("has a pause that grows, up to a bound, and an end or none", () => {
    const { firstMillis, factor, mostMillis, tries, jitter } = policy;
    expect(policy.name).toMatch(/^[a-z].{10,}[a-zA-Z]$/);
    expect(firstMillis).toBeGreaterThanOrEqual(50);
    expect(factor).toBeGreaterThanOrEqual(1);
    expect(mostMillis).toBeGreaterThanOrEqual(firstMillis);
    expect(mostMillis).toBeLessThanOrEqual(60_000);
    expect(jitter).toBeGreaterThanOrEqual(0);
    expect(jitter).toBeLessThanOrEqual(0.5);
    expect(Number.isInteger(tries) || tries === Number.POSITIVE_INFINITY).toBe(true);
    // In any day there are no more than this.
    let spent = 0;
    let tried = 1;
    while (tried < tries && spent < DAY && tried < 1_000_000) {
      spent += pauseMillis(policy, tried);
      tried += 1;
    }
    expect(tried).toBeLessThan(1_000_000);
  });

  it("pauses as it says after each failure, and ends when it says", async () => {
    const waited: number[] = [];
    const retry = new Retry(policy, async (millis) => {
      waited.push(millis);
    });
    const tries = Math.min(policy.tries, MANY);
    for (let failure = 1; failure < tries; failure++) expect(await retry.again()).toBe(true);
    expect(await retry.again()).toBe(policy.tries > MANY);
    expectPauses(policy, waited.slice(0, tries - 1));
    retry.reset();
    expect(await retry.again()).toBe(true);
    expectPauses(policy, waited.slice(-1));
  });

  it("ends at once when it is not wanted any more", async () => {
    const stop = new AbortController();
    const again = new Retry({ ...policy, firstMillis: DAY, mostMillis: DAY }).again(stop.signal);
    stop.abort();
    await expect(again).rejects.toMatchObject({ name: "AbortError" });
  });
});

/** That these are the first pauses of a policy. */
function expectPauses(policy: RetryPolicy, waited: readonly number[]): void {
  for (const [index, millis] of waited.entries()) {
    const longest = Math.min(policy.firstMillis * policy.factor ** index, policy.mostMillis);
    expect(millis).toBeLessThanOrEqual(longest);
    expect(millis).toBeGreaterThanOrEqual(longest * (1 - policy.jitter));
  }
}

class Enough extends Error {}

/** Lets something fail until it ends, or has paused often enough; gives its pauses. */
type Scenario = (pause: Pause) => Promise<unknown>;

/** How each is made to fail for ever; those without are parameters of an atServer or given to a library. */
const scenarios: Readonly<Partial<Record<Name, Scenario>>> = {
  directoryLookup: (pause) => {
    world.directory.onCommand(/^alpha/, () => HANG_UP);
    return openAtServer("@alpha", { ...world.network, pause });
  },
  monitorLink: async (pause) => {
    const client = await AtClient.connect({ ...world.network, pause, keys: alpha });
    world.server.onCommand(/^monitor/, () => HANG_UP);
    const monitor = client.monitor({ onNotification: () => undefined });
    try {
      return await monitor.ended;
    } finally {
      await client.close();
    }
  },
  enrollmentApproval: (pause) => {
    world.server.onCommand(/^pkam:/, () => "error:AT0026:enrollment_id: 1 is pending");
    const pending = { ...alpha, enrollmentId: "1", apkamSymmetricKey: alpha.selfEncryptionKey };
    return awaitApproval(pending, { ...world.network, pause });
  },
};

const ROUNDS = 12;

describe("what a server lets fail for ever", () => {
  it.each(Object.entries(scenarios))("%s keeps to its pauses", async (name, scenario) => {
    const policy = policyOf(name as Name);
    const waited: number[] = [];
    const pause: Pause = async (millis) => {
      waited.push(millis);
      if (waited.length >= ROUNDS) throw new Enough();
    };
    await expect(scenario(pause)).rejects.toThrow();
    expect(waited).toHaveLength(Math.min(ROUNDS, policy.tries - 1));
    expectPauses(policy, waited);
  });

  it.each([
    ["a peer without a public key", /^plookup:publickey/, "error:AT0015-key not found"],
    ["a peer whose atServer is away", /^plookup:publickey/, "error:AT0007-not there"],
    ["a public key that is none", /^plookup:publickey/, "data:AAAA"],
  ])("%s is asked for once a request", async (_, line, answer) => {
    world.server.onCommand(line, () => answer);
    const client = await AtClient.connect({ ...world.network, keys: alpha });
    for (let i = 1; i <= 3; i++) {
      await expect(client.notify("@bravo:a.demo@alpha", "x")).rejects.toThrow();
      expect(world.server.count(line)).toBe(i);
    }
    await client.close();
  });

  it("a request that failed is not made again by itself", async () => {
    const client = await AtClient.connect({ ...world.network, keys: alpha });
    world.server.onCommand(/^llookup:/, () => HANG_UP);
    await expect(client.get("a.demo@alpha")).rejects.toMatchObject({ code: "AT0021" });
    expect(world.server.count(/^llookup:/)).toBe(1);
    await client.close();
  });
});

describe("the list is whole", () => {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const sources = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !/^(?:test|.*\/test)\//.test(file),
  );

  /** Every other file that waits or has a timer, and what for: none of them tries again what failed. */
  const timers: Readonly<Record<string, string>> = {
    "cli/serving/certificateFiles.ts": "looks at files every five seconds",
    "cli/process/childProgram.ts": "time-outs for a child to be ready and to end",
    "cli/world/demonstration.ts": "time-out for its progress",
    "cli/serving/ticketKeyFile.ts": "new keys once a day",
    "client/connection.ts": "time-out of a reply",
    "client/monitor.ts": "heartbeats",
    "client/tls.ts": "time-out of a connection",
    "directory/lookups.ts": "a miss is answered late",
    "directory/openConnections.ts": "closes what is idle",
    "directory/redisDirectoryStore.ts": "time-out of a connection",
    "net/departures.ts": "time-out of a departure",
    "net/handshakes.ts": "time-out of handshakes",
    "server/peers/cacheRefresh.ts": "refreshes copies once a day",
    "server/upkeep/compaction.ts": "runs now and then",
    "server/connection/dialogue.ts": "closes after an answer",
    "server/notifications/deliveryMarks.ts": "gathers what is written",
    "net/directoryConnection.ts": "time-out of an answer, and idle time",
    "server/connection/inbound.ts": "time-out of a login",
    "server/connection/lineBudget.ts": "time-out of a line that stands still",
    "server/notifications/monitors.ts": "statistics every fifteen seconds",
    "server/notifications/notifier.ts": "looks at what waits, whose pauses are in the list",
    "server/passcodes/passcodes.ts": "delays answers",
    "server/peers/peerConnection.ts": "time-outs of connections and answers",
    "server/peers/peers.ts": "closes what is idle",
    "server/running/restart.ts": "waits for connections to end",
    "server/server.ts": "removes what expired",
    "server/verbs/noop.ts": "waits as it is asked to",
    "store/backup.ts": "says how far it is",
    "store/storeLock.ts": "gives a server that ends a second to do so",
  };

  it("no other file has a timer that isn't known", () => {
    const waiting = sources.filter((file) =>
      /\bset(?:Timeout|Interval)\b|\bwatchFile\b/.test(readFileSync(join(root, file), "utf8")),
    );
    expect(waiting.filter((file) => timers[file] === undefined)).toEqual(["net/retries.ts"]);
    expect(Object.keys(timers).filter((file) => !waiting.includes(file))).toEqual([]);
  });
});
