// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import { sizeInWords } from "../../server/running/statistics.ts";
import { enrolled, payloadOf } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { type Place, World } from "./world.ts";

const NOW = 1_700_000_000_000;
const NOW_IN_WORDS = "2023-11-14 22:13:20.000Z";

interface Shown {
  id: string;
  name: string;
  value: unknown;
}

const names = [
  "activeInboundConnections",
  "activeOutboundConnections",
  "lastCommitID",
  "secondaryStorageSize",
  "topAtSigns",
  "topKeys",
  "secondaryServerVersion",
  "LastLoggedInDatetime",
  "diskSize",
  "LastPkam",
  "NotificationCount",
  "CommitLogCompactionStats",
  "AccessLogCompactionStats",
  "NotificationCompactionStats",
  "LatestCommitEntryOfEachKey",
];

describe("stats", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let now = NOW;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now: () => now, version: "3.1.2", statsTopKeys: 2 });
    owner = await alice.owner();
  });
  afterAll(() => world.close());

  const value = async (id: number | string, line = owner): Promise<unknown> => {
    const [shown] = payloadOf(await line.ask(`stats:${id}`)) as Shown[];
    return shown?.value;
  };
  const text = async (id: number | string, line = owner): Promise<unknown> =>
    JSON.parse(String(await value(id, line)));

  it("needs a login", async () => {
    expect(await (await alice.open()).ask("stats:3")).toBe(
      "error:AT0401-Exception: Command cannot be executed without auth\n@",
    );
  });

  it("writes a space behind data: and between the objects", async () => {
    expect(await owner.ask("stats:7,3")).toBe(
      'data: [{"id":"7","name":"secondaryServerVersion","value":"3.1.2"}, {"id":"3","name":"lastCommitID","value":"1"}]\n@alice@',
    );
    expect(await owner.ask("STATS:2")).toBe(
      'data: [{"id":"2","name":"activeOutboundConnections","value":"0"}]\n@alice@',
    );
    expect(await owner.ask("stats:7,7,7")).toBe(await owner.ask("stats:7"));
  });

  it("without ids shows the fifteen, in their order", async () => {
    const shown = payloadOf(await owner.ask("stats")) as Shown[];
    expect(shown.map(({ id }) => id)).toEqual(names.map((_, i) => String(i + 1)));
    expect(shown.map(({ name }) => name)).toEqual(names);
    expect(payloadOf(await owner.ask("sTaTs"))).toHaveLength(15);
  });

  it("18: until when the certificate is valid, also once it was renewed", async () => {
    const renewed = await issueCertificate(world.authority, {
      hosts: ["localhost"],
      notAfter: new Date(NOW + 3.5 * 86_400_000),
      notBefore: new Date(NOW),
    });
    alice.server.useIdentity(renewed);
    expect(await value(18)).toEqual({ validTo: "2023-11-18T10:13:20.000Z", daysLeft: 3 });
    now += 4 * 86_400_000;
    expect(await value(18)).toMatchObject({ daysLeft: -1 });
    now = NOW;
    alice.server.useIdentity(alice.config.tls);
  });

  it.each([
    "stats:0",
    "stats:-1",
    "stats:19",
    "stats:99",
    "stats:",
    "stats:1,",
    "stats:,1",
    "stats:1,0",
    "stats:a",
    "stats:1:x",
    "stats:33:x",
    "stats:3:",
    "stats 3",
    "statsx",
    "stats:3:(",
  ])("refuses %s", async (command) => {
    expect(await owner.ask(command)).toMatch(/^error:AT0003-Invalid syntax : Invalid syntax\. /);
  });

  it("1, 16 and 17: connections, by who they are", async () => {
    const small = await world.start("@small", { now: () => now });
    const line = await small.owner();
    await small.open();
    expect(await value(1, line)).toBe("2");
    expect(await value(16, line)).toEqual({ total: 2, self: 1, other: 0, anon: 1 });
    now += 1_500;
    const asked = await small.open();
    await asked.ask("from:@small");
    const time = { created: "2023-11-14T22:13:20.000Z", lastAccessed: "2023-11-14T22:13:20.000Z" };
    const later = { created: "2023-11-14T22:13:21.500Z", lastAccessed: "2023-11-14T22:13:21.500Z" };
    const detailed = await value(17, line);
    expect(detailed).toMatchObject({
      total: 3,
      self: { count: 1, list: [{ from: "@small", created: time.created }] },
      other: { count: 0, list: [] },
      anon: {
        count: 2,
        list: [
          { from: null, ...time },
          { from: "@small", ...later },
        ],
      },
    });
    asked.close();
    await once(asked.socket, "close");
  });

  it("2 and 5: connections to peers, and whose atServers logged in how often", async () => {
    const carol = await (await world.start("@carol")).owner();
    await owner.ask("update:@carol:x.demo@alice 1");
    expect(await carol.ask("lookup:x.demo@alice")).toBe("data:1\n@carol@");
    expect(Number(await value(2))).toBeGreaterThan(0);
    const bob = await (await world.start("@bob")).owner();
    await bob.ask("lookup:x.demo@alice");
    const visits = (await text(5)) as Record<string, number>;
    expect(Object.keys(visits).sort()).toEqual(["@bob", "@carol"]);
    for (const count of Object.values(visits)) expect(count).toBeGreaterThan(0);
    expect(await value(16)).toMatchObject({ other: expect.any(Number) });
  });

  it("3: the last commit id, at once, and of the keys a regular expression fits", async () => {
    const commit = async (command: string): Promise<string> =>
      String(/^data:(\d+)\n/.exec(await owner.ask(command))?.[1]);
    const first = await commit("update:a.wavi@alice 1");
    expect(await owner.ask("stats:3")).toBe(
      `data: [{"id":"3","name":"lastCommitID","value":"${first}"}]\n@alice@`,
    );
    const second = await commit("update:a.buzz@alice 1");
    expect(await value("3:\\.wavi@")).toBe(first);
    expect(await value("3:.*")).toBe(second);
    const deleted = await commit("delete:a.wavi@alice");
    expect(await value("3:\\.wavi@")).toBe(deleted);
    const open = await commit("update:public:open@alice 1");
    expect(await value("3:nothing-fits")).toBe(open);
    await owner.ask("update:privatekey:at_pkam_publickey x");
    expect(await value(3)).toBe(open);
  });

  it("3 and 15: with an enrollment only its namespaces, and what sharing needs", async () => {
    const { line } = await enrolled(alice, { wavi: "r" });
    await owner.ask("update:b.wavi@alice 1");
    const mine = await value(3);
    await owner.ask("update:b.buzz@alice 1");
    expect(await value(3, line)).toBe(mine);
    expect(await value(3)).toBe(String(Number(mine) + 1));
    await owner.ask("update:@bob:shared_key@alice k");
    expect(await value(3, line)).toBe(String(Number(mine) + 2));
    const keys = Object.keys((await text(15, line)) as object);
    expect(keys).toEqual([
      "public:signing_publickey@alice",
      "a.wavi@alice",
      "public:open@alice",
      "b.wavi@alice",
      "@bob:shared_key@alice",
    ]);
  });

  it("3: null when nothing is there", async () => {
    const { line } = await enrolled(alice, { lonely: "rw" });
    await alice.store.write((writer) => {
      for (const { key } of [...writer.commitsAfter(-1)]) writer.forgetCommit(key);
    });
    expect(await value(3)).toBe("null");
    expect(await value(3, line)).toBe("null");
    expect(await value(15)).toBe("{}");
  });

  it("15: the latest commit of each key, filtered", async () => {
    await owner.ask("update:c.wavi@alice 1");
    await owner.ask("update:meta:c.wavi@alice:ttl:60000");
    const last = Number(await value(3));
    await owner.ask("delete:c.buzz@alice");
    expect(await text(15)).toEqual({
      "c.wavi@alice": [last, "#"],
      "c.buzz@alice": [last + 1, "-"],
    });
    expect(await text("15:wavi")).toEqual({ "c.wavi@alice": [last, "#"] });
  });

  it("4 and 9: the size of the store", async () => {
    const bytes = await value(4);
    expect(bytes).toBe(alice.store.bytes());
    expect(await value(9)).toBe(sizeInWords(Number(bytes)));
  });

  it("6: the keys looked up most, no more than configured", async () => {
    await owner.ask("update:public:often.wavi@alice 1");
    await owner.ask("update:public:seldom.wavi@alice 1");
    await owner.ask("update:public:once.wavi@alice 1");
    const line = await alice.open();
    for (let i = 0; i < 30; i++) await line.ask("lookup:often.wavi@alice");
    for (let i = 0; i < 20; i++) await line.ask("lookup:seldom.wavi@alice");
    await line.ask("lookup:once.wavi@alice");
    expect(await value(6)).toBe('{"often.wavi@alice":30,"seldom.wavi@alice":20}');
    const { line: other } = await enrolled(alice, { buzz: "rw" });
    expect(await value(6, other)).not.toContain("wavi");
  });

  it("8 and 10: when somebody was last there, and when pkam last succeeded", async () => {
    const quiet = await world.start("@quiet", { now: () => now });
    now = NOW;
    const line = await quiet.cram();
    expect(await value(8, line)).toBe(NOW_IN_WORDS);
    expect(await value(10, line)).toBe("Not Available");
    await quiet.owner();
    now += 60_000;
    await (await quiet.open()).ask("from:@quiet");
    expect(await value(10, line)).toBe(NOW_IN_WORDS);
    expect(await value(8, line)).toBe("2023-11-14 22:14:20.000Z");
  });

  it("11: notifications by what they are", async () => {
    const place = await world.start("@count", { notificationMaxRetries: 2 });
    const line = await place.owner();
    await line.ask("notify:@count:a.demo@count:1");
    await line.ask("notify:delete:@count:a.demo@count");
    await line.ask("notify:messageType:text:@count:hello");
    await line.ask("notify:id:gone:@nobody:a.demo@count:1");
    for (;;) {
      if ((await line.ask("notify:status:gone")) === "data:errored\n@count@") break;
    }
    expect(await text(11, line)).toEqual({
      total: 4,
      type: { sent: 1, received: 3 },
      status: { delivered: 3, failed: 1, queued: 0 },
      operations: { update: 3, delete: 1 },
      messageType: { key: 3, text: 1 },
      createdOn: expect.any(Number),
    });
  });
});

describe("compaction", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.create();
  });
  afterAll(() => world.close());

  it("12 to 14: says nothing before its first run", async () => {
    const line = await (await world.start("@idle")).owner();
    const shown = payloadOf(await line.ask("stats:12,13,14")) as Shown[];
    expect(shown.map(({ value }) => value)).toEqual(["{}", "{}", "{}"]);
  });

  it.each([
    ["a share of the access log", { accessLogCompactionPercentage: 60 }, 4],
    ["all of it that is too old", { accessLogCompactionPercentage: 0 }, 8],
    ["what either says", { accessLogCompactionPercentage: 10, accessLogExpiryMillis: 500 }, 5],
    ["nothing", { accessLogCompactionPercentage: 0, accessLogExpiryMillis: 1_296_000_001 }, 10],
  ])("drops %s", async (_what, tuning, left) => {
    const place = await world.start("@trimmed", {
      now: () => NOW,
      accessLogCompactionMillis: 1_000,
      ...tuning,
    });
    const line = await place.owner();
    // Two are older than fifteen days, and three more than half a second.
    const ages = [1_296_000_001, 1_296_000_001, 501, 501, 501, 500, 3, 2, 1, 0];
    await place.store.write((writer) => {
      writer.trimAccesses(0);
      for (const age of ages) writer.logAccess({ atSign: "@x", verb: "v", time: NOW - age });
    });
    const run = async (): Promise<{ preCompactionEntriesCount?: number }> => {
      const [shown] = payloadOf(await line.ask("stats:13")) as Shown[];
      return JSON.parse(String(shown?.value));
    };
    // The runs after it begin with what it left.
    await expect
      .poll(run, { timeout: 30_000, interval: 20 })
      .toMatchObject({ preCompactionEntriesCount: 10, postCompactionEntriesCount: left });
  });

  it("drops the oldest three tenths of the access log and expired notifications, and tells", async () => {
    let now = NOW;
    const place = await world.start("@busy", {
      now: () => now,
      commitLogCompactionMillis: 20,
      accessLogCompactionMillis: 20,
      notificationCompactionMillis: 20,
    });
    const line = await place.owner();
    await place.store.write((writer) => {
      writer.trimAccesses(0);
      for (let i = 0; i < 10; i++) writer.logAccess({ atSign: "@x", verb: `v${i}`, time: NOW });
    });
    await line.ask("notify:ttln:1:@busy:a.demo@busy:1");
    now += 2;
    await line.ask("notify:@busy:b.demo@busy:1");
    /** What statistic `id` says once a run left `entries`. */
    const seen = async (id: number, entries: number): Promise<Record<string, unknown>> => {
      for (;;) {
        const [shown] = payloadOf(await line.ask(`stats:${id}`)) as Shown[];
        const stats = JSON.parse(String(shown?.value));
        if (stats.preCompactionEntriesCount === entries) return stats;
      }
    };
    expect(await seen(12, 2)).toEqual({
      atCompactionType: "AtCommitLog",
      lastCompactionRun: expect.stringMatching(/^2023-11-14 22:13:20\.00\dZ$/),
      compactionDurationInMills: expect.any(Number),
      preCompactionEntriesCount: 2,
      postCompactionEntriesCount: 2,
      deletedKeysCount: 0,
    });
    expect(await seen(13, 3)).toMatchObject({
      atCompactionType: "AtAccessLog",
      postCompactionEntriesCount: 3,
      deletedKeysCount: 0,
    });
    expect([...place.store.accesses()].map(({ verb }) => verb)).toEqual(["v7", "v8", "v9"]);
    expect(await seen(14, 1)).toMatchObject({ atCompactionType: "AtNotificationKeystore" });
    expect([...place.store.notifications()].map(([, { key }]) => key)).toEqual([
      "@busy:b.demo@busy",
    ]);
    expect(place.store.record("privatekey:accesslogcompactionstats")).toBeDefined();
    expect(place.store.commitOf("privatekey:accesslogcompactionstats")).toBeUndefined();
  });
});

describe("a size in words", () => {
  it.each([
    [0, '{"size":"0","unit":"B"}'],
    [1, '{"size":"1.00","units":"B"}'],
    [1_023, '{"size":"1023.00","units":"B"}'],
    [1_024, '{"size":"1.00","units":"KB"}'],
    [1_229, '{"size":"1.20","units":"KB"}'],
    [1_048_576, '{"size":"1.00","units":"MB"}'],
    [5_368_709_120, '{"size":"5.00","units":"GB"}'],
    [2 ** 50, '{"size":"1024.00","units":"TB"}'],
  ])("%d", (bytes, words) => {
    expect(sizeInWords(bytes)).toBe(words);
  });
});
