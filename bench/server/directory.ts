// SPDX-License-Identifier: BSD-3-Clause
// Lookups on warm connections beside redis-server, and what a name takes on disk.
import { statSync } from "node:fs";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { atmicroProgram } from "../../host/cli/process/program.ts";
import type { Authority } from "../../host/crypto/certificates.ts";
import { openDirectoryStore } from "../../host/directory/lmdbDirectoryStore.ts";
import { median, rounded, spread } from "./measuring/figures.ts";
import { issueInto, startRedis } from "./measuring/peerProgram.ts";
import { type Endpoint, openLink, readUntil } from "./measuring/rawLink.ts";
import type { RowResult } from "./measuring/rows.ts";
import { startOwn } from "./measuring/setting.ts";

const NAMES = 1_000_000;
/** Names registered at a time: what a transaction changes lies on disk twice until two more have followed. */
const BATCH = 1_000;
const CONNECTIONS = 50;
const ROUNDS = 7;
const LOOKUPS = 20_000;
const HOST = "node17.example.net";
const FIRST_PORT = 10_000;
const PORTS = 50_000;
/** Odd, so that the names come in an order that is not theirs, each once. */
const STEP = 387_420_489;

/** The name with a number: ten characters. */
const nameOf = (index: number): string => `device${(index % NAMES).toString(36).padStart(4, "0")}`;
const portOf = (index: number): number => FIRST_PORT + (index % PORTS);

async function fill(path: string): Promise<void> {
  const store = await openDirectoryStore(path);
  for (let start = 0; start < NAMES; start += BATCH) {
    const writes = Array.from({ length: BATCH }, (_, i) => {
      const index = ((start + i) * STEP) % NAMES;
      return store.set(`@${nameOf(index)}`, { host: HOST, port: portOf(index) });
    });
    await Promise.all(writes);
  }
  await store.close();
}

/** One request at a time on each connection; every reply has `replyBytes`. Gives requests a second. */
async function ask(
  links: readonly TLSSocket[],
  request: (index: number) => string,
  replyBytes: number,
): Promise<number> {
  const start = performance.now();
  let next = 0;
  const turns = links.map(
    (link) =>
      new Promise<void>((resolve) => {
        let missing = 0;
        const send = (): void => {
          missing = replyBytes;
          link.write(request((next++ * STEP) % NAMES));
        };
        const take = (chunk: Buffer): void => {
          missing -= chunk.length;
          if (missing > 0) return;
          if (next < LOOKUPS) send();
          else {
            link.off("data", take);
            resolve();
          }
        };
        link.on("data", take);
        send();
      }),
  );
  await Promise.all(turns);
  return (next * 1000) / (performance.now() - start);
}

async function openLinks(endpoint: Endpoint): Promise<TLSSocket[]> {
  return await Promise.all(Array.from({ length: CONNECTIONS }, () => openLink(endpoint)));
}

async function setAll(link: TLSSocket): Promise<void> {
  for (let start = 0; start < NAMES; start += BATCH) {
    const indexes = Array.from({ length: BATCH }, (_, i) => start + i);
    const taken = readUntil(link, "$2\r\nok\r\n");
    const sets = indexes.map((index) => `SET ${nameOf(index)} ${HOST}:${portOf(index)}\r\n`);
    link.write(`SET done ok\r\n${sets.join("")}GET done\r\n`);
    await taken;
  }
}

/** Both hold 1 000 000 names; ours on disk, redis-server in memory. */
export async function measureDirectory(
  folder: string,
  authority: Authority,
  withRedis: boolean,
): Promise<RowResult> {
  const path = join(folder, "directory", "store");
  await fill(path);
  const bytesPerEntry = rounded(statSync(join(path, "data.mdb")).size / NAMES);
  if (!withRedis) return { rows: { directoryBytesPerEntry: bytesPerEntry }, details: {} };
  const tls = await issueInto(join(folder, "directory"), authority);
  const ours = await startOwn(
    "the atDirectory",
    [
      ...[atmicroProgram(), "directory", "serve", "--host", "127.0.0.1", "--port", "0"],
      ...["--certificate", tls.certificate, "--private-key", tls.privateKey],
      ...["--store", path, "--log-level", "warn"],
    ],
    authority.certificate,
  );
  const redis = await startRedis(join(folder, "redis"), authority);
  const filler = await openLink(redis);
  await setAll(filler);
  filler.destroy();
  const redisLinks = await openLinks(redis);
  const ownLinks = await openLinks(ours);
  // The greeting comes once.
  await Promise.all(ownLinks.map((link) => readUntil(link, "@")));
  const address = `${HOST}:${FIRST_PORT}`.length;
  const get = (): Promise<number> =>
    ask(redisLinks, (index) => `GET ${nameOf(index)}\r\n`, address + `$${address}\r\n\r\n`.length);
  const lookup = (): Promise<number> =>
    ask(ownLinks, (index) => `${nameOf(index)}\n`, address + "\r\n@".length);
  await get();
  await lookup();
  const lookups: number[] = [];
  const gets: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const theirs = await get();
    const own = await lookup();
    gets.push(theirs);
    lookups.push(own);
    ratios.push(own / theirs);
  }
  for (const link of [...redisLinks, ...ownLinks]) link.destroy();
  await redis.close();
  await ours.close();
  return {
    rows: {
      directoryOverRedis: rounded(median(ratios)),
      directoryBytesPerEntry: bytesPerEntry,
    },
    details: {
      directoryOverRedis: spread(ratios),
      lookupsPerSecond: spread(lookups),
      redisGetsPerSecond: spread(gets),
    },
  };
}
