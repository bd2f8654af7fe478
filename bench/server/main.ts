// SPDX-License-Identifier: BSD-3-Clause
// `npm run bench:server [measurement …]`: the servers beside mosquitto, redis-server, a bare relay and a bare log.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createAuthority } from "../../host/crypto/certificates.ts";
import { writeTables } from "../readme.ts";
import { measureDirectory } from "./directory.ts";
import { measureHostile } from "./hostile/measure.ts";
import { measureLatency } from "./latency.ts";
import type { Spread } from "./measuring/figures.ts";
import { versionOf } from "./measuring/peerProgram.ts";
import type { RowResult, Rows } from "./measuring/rows.ts";
import { inSetting } from "./measuring/setting.ts";
import { measureIdle, measureLoad } from "./residence.ts";
import { measureRestart } from "./restart.ts";
import { measureThroughput } from "./throughput.ts";
import { measureUpdates } from "./updates.ts";

type Results = {
  machine: string;
  versions: Record<string, string | null>;
  command: "npm run bench:server";
  rows: Rows;
  /** Median and extremes over the rounds. */
  details: Record<string, Spread>;
};

type Measurement = {
  readonly name: string;
  /** The program beside ours that it needs. */
  readonly beside?: "mosquitto" | "redis-server";
  readonly measure: (folder: string) => Promise<RowResult>;
};

const RESULTS = fileURLToPath(new URL("../../../bench/results/server.json", import.meta.url));

const noRows: Rows = {
  notifyP50OverRelay: null,
  notifyP99Ms: null,
  notifyCpuOverMosquitto: null,
  updateOverRawLog: null,
  idleRssBytes: null,
  idleAnonBytes: null,
  loadRssBytes: null,
  restartMillionMs: null,
  directoryOverRedis: null,
  directoryBytesPerEntry: null,
  hostileP99Ms: null,
};

const versions = {
  node: process.version,
  mosquitto: versionOf("mosquitto", "-h") ?? null,
  "redis-server": versionOf("redis-server", "--version") ?? null,
};

const authority = (): ReturnType<typeof createAuthority> =>
  createAuthority({ name: "atmicro bench" });

/** Each has fresh servers, so that none pays for what another left behind. */
const measurements: readonly Measurement[] = [
  { name: "idle", measure: (folder) => inSetting(folder, measureIdle) },
  { name: "latency", measure: (folder) => inSetting(folder, measureLatency) },
  {
    name: "throughput",
    beside: "mosquitto",
    measure: (folder) => inSetting(folder, measureThroughput),
  },
  { name: "updates", measure: (folder) => inSetting(folder, measureUpdates) },
  { name: "load", measure: (folder) => inSetting(folder, measureLoad) },
  {
    name: "directory",
    measure: async (folder) =>
      measureDirectory(folder, await authority(), versions["redis-server"] !== null),
  },
  { name: "hostile", measure: measureHostile },
  { name: "restart", measure: async (folder) => measureRestart(folder, await authority()) },
];

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Only what is measured again changes, when measurements are named. */
function earlier(named: readonly string[]): Pick<Results, "rows" | "details"> {
  if (named.length === 0 || !existsSync(RESULTS)) return { rows: noRows, details: {} };
  const { rows, details } = JSON.parse(readFileSync(RESULTS, "utf8")) as Results;
  return { rows: { ...noRows, ...rows }, details };
}

async function main(named: readonly string[]): Promise<void> {
  const unknown = named.find((name) => !measurements.some((known) => known.name === name));
  if (unknown !== undefined) {
    throw new Error(`"${unknown}" is none of ${measurements.map(({ name }) => name).join(", ")}`);
  }
  const results: Results = {
    machine: `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, ${process.platform} ${process.arch}`,
    versions,
    command: "npm run bench:server",
    ...earlier(named),
  };
  const folder = await mkdtemp(join(tmpdir(), "atmicro-bench-"));
  try {
    for (const { name, beside, measure } of measurements) {
      if (named.length > 0 && !named.includes(name)) continue;
      if (beside !== undefined && versions[beside] === null) continue;
      say(`measuring ${name} …`);
      const { rows, details } = await measure(join(folder, name));
      Object.assign(results.rows, rows);
      Object.assign(results.details, details);
      for (const [detail, { median, min, max }] of Object.entries(details)) {
        process.stdout.write(`${detail.padEnd(30)}${median} (${min} to ${max})\n`);
      }
    }
    mkdirSync(join(RESULTS, ".."), { recursive: true });
    writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
    writeTables();
    say(`written to ${RESULTS} and the READMEs`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main(process.argv.slice(2));
