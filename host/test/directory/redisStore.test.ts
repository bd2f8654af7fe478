// SPDX-License-Identifier: BSD-3-Clause
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Authority, createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { startDirectory } from "../../directory/directory.ts";
import type { DirectoryStore } from "../../directory/directoryStore.ts";
import { openRedisDirectoryStore } from "../../directory/redisDirectoryStore.ts";
import { Line } from "../server/line.ts";
import { hasRedis, RedisServer, startCluster } from "./redisServer.ts";
import { directoryStoreSuite } from "./suite.ts";

const log = pino({ level: "silent" });

describe.skipIf(!hasRedis)("Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.close());

  directoryStoreSuite("Redis", () => openRedisDirectoryStore({ url: redis.url, log }));

  it("has the layout of the original: name without @, host:port, ping", async () => {
    const store = await openRedisDirectoryStore({ url: `${redis.url}/3`, log });
    await store.set("@Layout", { host: "vip.ve.example.zone", port: 25_000 });
    expect(redis.cli("-n", "3", "get", "layout")).toBe("vip.ve.example.zone:25000");
    expect(redis.cli("-n", "3", "get", "ping")).toBe("pong");
    redis.cli("-n", "3", "set", "operator", "host.example:6464");
    redis.cli("-n", "3", "set", "nonsense", "no address");
    expect(await store.get("@operator")).toEqual({ host: "host.example", port: 6464 });
    expect(await store.get("@nonsense")).toBeUndefined();
    expect(await store.get("@ping")).toBeUndefined();
    await expect(store.set("@ping", { host: "h", port: 1 })).rejects.toThrow(
      "@ping can't be registered",
    );
    expect(await store.remove("@ping")).toBe(false);
    await store.close();
  });

  it("refuses a Redis that holds something else", async () => {
    redis.cli("-n", "4", "set", "ping", "other");
    await expect(openRedisDirectoryStore({ url: `${redis.url}/4`, log })).rejects.toThrow(
      `the Redis at 127.0.0.1:${redis.port} holds no directory: its key "ping" is not "pong"`,
    );
  });

  it.each([
    ["127.0.0.1:6379", /is not Redis: write redis|is not a URL: write redis/],
    ["http://127.0.0.1:6379", "http:// is not Redis: write redis://host:port"],
    ["redis://user:secret@127.0.0.1:6379", "the password of Redis doesn't belong into its URL"],
    ["redis://127.0.0.1:6379/x", '"x" is not a database number'],
    ["redis://127.0.0.1:1", "the directory can't be opened in Redis at 127.0.0.1:1: connect ECONN"],
  ])("refuses %s with a sentence", async (url, sentence) => {
    await expect(openRedisDirectoryStore({ url, log })).rejects.toThrow(sentence);
  });

  it("logs in with a password, and says when it is wrong or missing", async () => {
    const locked = await RedisServer.start("--requirepass", "open sesame");
    const url = locked.url;
    const store = await openRedisDirectoryStore({ url, password: "open sesame", log });
    await store.set("@alice", { host: "h", port: 1 });
    expect(await store.get("@alice")).toEqual({ host: "h", port: 1 });
    await store.close();
    await expect(openRedisDirectoryStore({ url, password: "wrong", log })).rejects.toThrow(
      /can't be opened in Redis at \S+: WRONGPASS/,
    );
    await expect(openRedisDirectoryStore({ url, log })).rejects.toThrow(
      /can't be opened in Redis at \S+: NOAUTH/,
    );
    await locked.close();
  });
});

describe.skipIf(!hasRedis)("a directory on Redis", () => {
  let authority: Authority;
  beforeAll(async () => {
    authority = await createAuthority({ name: "test" });
  });

  it("hangs up while Redis is away, says so once, and answers when it is back", async () => {
    const redis = await RedisServer.start("--appendonly", "yes", "--appendfsync", "always");
    const entries: { msg: string; level: number }[] = [];
    let logged = (): void => undefined;
    const stream = {
      write(text: string): void {
        entries.push(JSON.parse(text));
        logged();
      },
    };
    const says = async (msg: string): Promise<void> => {
      while (!entries.some((entry) => entry.msg.startsWith(msg))) {
        await new Promise<void>((resolve) => {
          logged = resolve;
        });
      }
    };
    const tls = await issueCertificate(authority, { hosts: ["localhost"] });
    const store = await openRedisDirectoryStore({ url: redis.url, log: pino({}, stream) });
    await store.set("@alice", { host: "localhost", port: 7 });
    const directory = await startDirectory({ port: 0, host: "127.0.0.1", tls, store, log });
    const open = (): Promise<Line> => Line.open(directory.port, authority.certificate);
    const line = await open();
    expect(await line.ask("alice")).toBe("localhost:7\r\n@");
    expect(await directory.notReady()).toBeUndefined();
    await redis.kill();
    await says("Redis is away");
    for (const asked of [line, await open()]) {
      asked.send("alice\n");
      expect(await asked.closed()).toBe("");
    }
    expect(await directory.notReady()).toMatch(/Redis/);
    await redis.start();
    await says("Redis is back");
    expect(await directory.notReady()).toBeUndefined();
    const again = await open();
    expect(await again.ask("alice")).toBe("localhost:7\r\n@");
    expect(entries.filter(({ msg }) => msg.startsWith("Redis is away"))).toHaveLength(1);
    again.close();
    await directory.close();
    await store.close();
    await redis.close();
  });
});

describe.skipIf(!hasRedis)("a Redis Cluster", () => {
  let nodes: RedisServer[];
  const stores: DirectoryStore[] = [];
  beforeAll(async () => {
    nodes = await startCluster();
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    for (const node of nodes) await node.close();
  });

  const urls = (): string => nodes.map(({ url }) => url).join(",");

  directoryStoreSuite("Redis Cluster", () => openRedisDirectoryStore({ url: urls(), log }));

  it("is found from one node, and spreads the names over all", async () => {
    const store = await openRedisDirectoryStore({ url: nodes[0]?.url ?? "", log });
    stores.push(store);
    for (let i = 0; i < 60; i++) await store.set(`@spread${i}`, { host: "h", port: i + 1 });
    for (let i = 0; i < 60; i++) {
      expect(await store.get(`@spread${i}`)).toEqual({ host: "h", port: i + 1 });
    }
    for (const node of nodes) expect(node.cli("--scan", "--pattern", "spread*")).toMatch(/spread/);
  });
});
