// SPDX-License-Identifier: BSD-3-Clause
import { setTimeout as delay } from "node:timers/promises";
import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { Logger } from "pino";
import { formatAddress } from "../net/address.ts";
import { pauseMillis, retries } from "../net/retries.ts";
import {
  type DirectoryEntry,
  type DirectoryStore,
  DirectoryStoreAway,
  directoryKey,
  formatEntry,
  parseEntry,
} from "./directoryStore.ts";

/** Time for one answer of Redis, and for a connection to it, ms. */
const ANSWER_MILLIS = 2_000;
const CONNECT_MILLIS = 5_000;
/** A record every directory's Redis has: it shows that the right data is looked at (atProtocol, atDirectory). */
const PROBE = { key: "ping", value: "pong" };
const REDIS_PORT = 6_379;
/** Errors Redis answers with that pass by themselves. */
const TEMPORARY = /^(?:LOADING|CLUSTERDOWN|TRYAGAIN|READONLY|MASTERDOWN)/;

export interface RedisDirectoryOptions {
  /** `redis://[user@]host[:port][/database]`, `rediss://` for TLS; several, by commas, are nodes of one Cluster. */
  url: string;
  password?: string;
  log: Logger;
}

interface Node {
  host: string;
  port: number;
}

/** Reads the URLs. Throws RangeError with a sentence. */
function parseUrls(text: string): { nodes: [Node, ...Node[]]; options: RedisOptions } {
  const urls = text.split(",").map((part) => {
    if (!URL.canParse(part))
      throw new RangeError(`"${part}" is not a URL: write redis://host:port`);
    return new URL(part);
  });
  const nodes = urls.map(({ hostname, port }) => ({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? REDIS_PORT : Number(port),
  }));
  const [first, ...others] = nodes;
  const [url] = urls;
  if (first === undefined || url === undefined) throw new RangeError("no Redis is named");
  for (const { protocol, password } of urls) {
    if (protocol !== "redis:" && protocol !== "rediss:") {
      throw new RangeError(`${protocol}// is not Redis: write redis://host:port`);
    }
    if (password !== "") throw new RangeError("the password of Redis doesn't belong into its URL");
  }
  const database = url.pathname.slice(1);
  if (!/^\d{0,4}$/.test(database)) throw new RangeError(`"${database}" is not a database number`);
  return {
    nodes: [first, ...others],
    options: {
      ...(url.username !== "" && { username: decodeURIComponent(url.username) }),
      ...(database !== "" && { db: Number(database) }),
      ...(url.protocol === "rediss:" && { tls: { servername: first.host } }),
    },
  };
}

class RedisDirectoryStore implements DirectoryStore {
  private readonly client: Redis | Cluster;

  constructor(client: Redis | Cluster) {
    this.client = client;
  }

  async get(atSign: string): Promise<DirectoryEntry | undefined> {
    const key = directoryKey(atSign);
    const text = await asking(this.client.get(key));
    return text === null ? undefined : parseEntry(text);
  }

  async set(atSign: string, entry: DirectoryEntry): Promise<void> {
    const key = directoryKey(atSign);
    if (key === PROBE.key) throw new RangeError(`@${key} can't be registered in Redis`);
    await asking(this.client.set(key, formatEntry(entry)));
  }

  async remove(atSign: string): Promise<boolean> {
    const key = directoryKey(atSign);
    if (key === PROBE.key) return false;
    return (await asking(this.client.del(key))) === 1;
  }

  async close(): Promise<void> {
    this.client.disconnect();
  }
}

/** Whether Redis itself answered with an error. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** Waits for an answer of Redis; an answer that is an error passes as it is. Throws DirectoryStoreAway without one. */
async function asking<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (isReply(cause) && !TEMPORARY.test(cause.message)) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DirectoryStoreAway(`Redis doesn't answer: ${reason}`, { cause });
  }
}

function pause(times: number): number {
  return pauseMillis(retries.redisConnection, times);
}

/** Tells the log once when Redis goes and once when it is back. */
function watch(client: Redis | Cluster, place: string, log: Logger): void {
  let away = false;
  let reason = "the connection was closed";
  client.on("error", (error: Error) => {
    reason = error.message;
  });
  client.on("close", () => {
    if (!away) log.error({ redis: place, reason }, "Redis is away; lookups fail until it is back");
    away = true;
  });
  client.on("ready", () => {
    if (away) log.info({ redis: place }, "Redis is back");
    away = false;
  });
}

/** Whether a node belongs to a Cluster; one that may not be asked is taken for a single one. */
async function isCluster(client: Redis): Promise<boolean> {
  try {
    return (await client.info("cluster")).includes("cluster_enabled:1");
  } catch (error) {
    if (isReply(error)) return false;
    throw error;
  }
}

async function connectSingle(node: Node, options: RedisOptions): Promise<Redis> {
  const client = new Redis({ ...options, ...node });
  let reason: Error | undefined;
  const keep = (error: Error): void => {
    reason = error;
  };
  client.on("error", keep);
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    throw reason ?? error;
  } finally {
    if (client.status !== "end") client.off("error", keep);
  }
}

async function connectCluster(nodes: Node[], redisOptions: RedisOptions): Promise<Cluster> {
  const client = new Cluster(nodes, {
    redisOptions,
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    clusterRetryStrategy: pause,
    ...(redisOptions.tls && { dnsLookup: (address, found) => found(null, address) }),
  });
  let reason: Error | undefined;
  const keep = (error: Error): void => {
    reason = error;
  };
  client.on("error", keep);
  client.on("node error", keep);
  const late = new AbortController();
  const tooLate = delay(CONNECT_MILLIS, undefined, { signal: late.signal }).then(() => {
    throw new Error("no answer");
  });
  try {
    await Promise.race([client.connect(), tooLate]);
    return client;
  } catch (error) {
    client.disconnect();
    throw reason ?? error;
  } finally {
    late.abort();
  }
}

async function connect(
  nodes: [Node, ...Node[]],
  options: RedisOptions,
  log: Logger,
): Promise<Redis | Cluster> {
  const [node, ...others] = nodes;
  if (others.length === 0) {
    const single = await connectSingle(node, options);
    if (!(await isCluster(single))) return single;
    single.disconnect();
  }
  log.info("Redis is a Cluster");
  const { retryStrategy: _single, lazyConnect: _lazy, ...rest } = options;
  return connectCluster(nodes, rest);
}

/** Makes sure that the data looked at is a directory's. Throws Error with a sentence. */
async function probe(client: Redis | Cluster, place: string): Promise<void> {
  const found = (await client.get(PROBE.key)) ?? (await prepare(client));
  if (found === PROBE.value) return;
  throw new Error(
    `the Redis at ${place} holds no directory: its key "${PROBE.key}" is not "${PROBE.value}"`,
  );
}

/** Marks an empty Redis as a directory's; gives what the probe's key holds then. */
async function prepare(client: Redis | Cluster): Promise<string | null> {
  await client.set(PROBE.key, PROBE.value, "NX");
  return client.get(PROBE.key);
}

/**
 * Opens a directory in Redis or in a Redis Cluster: key the atSign's name without `@`, value `host:port` (atProtocol,
 * atDirectory). Throws Error with a sentence when Redis can't be reached, refuses us, or holds something else. Later
 * absences are logged; Redis is tried again until it is back.
 */
export async function openRedisDirectoryStore({
  url,
  password,
  log,
}: RedisDirectoryOptions): Promise<DirectoryStore> {
  const { nodes, options } = parseUrls(url);
  const place = nodes.map(formatAddress).join(",");
  const settings: RedisOptions = {
    ...options,
    ...(password !== undefined && { password }),
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: ANSWER_MILLIS,
    connectTimeout: CONNECT_MILLIS,
    retryStrategy: pause,
  };
  let client: Redis | Cluster | undefined;
  try {
    client = await connect(nodes, settings, log);
    await probe(client, place);
  } catch (cause) {
    client?.disconnect();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the directory can't be opened in Redis at ${place}: ${reason}`, { cause });
  }
  watch(client, place, log);
  return new RedisDirectoryStore(client);
}
