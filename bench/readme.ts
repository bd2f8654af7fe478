// SPDX-License-Identifier: BSD-3-Clause
// The tables of README.md and bench/README.md, made from bench/results/: between `<!-- name -->` and `<!-- end -->` nothing is
// written by hand.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A file of the repository, from this file's place in build/bench or in bench. */
function inRepository(path: string): string {
  const here = import.meta.url;
  return fileURLToPath(
    new URL(here.includes("/build/bench/") ? `../../${path}` : `../${path}`, here),
  );
}

function result<T>(name: string): T {
  return JSON.parse(readFileSync(inRepository(`bench/results/${name}.json`), "utf8")) as T;
}

type Cells = readonly (string | number)[];

/** A Markdown table; all columns but the first hold numbers. */
function table(head: readonly string[], rows: readonly Cells[]): string {
  const marks = head.map((_, index) => (index === 0 ? "---" : "--:"));
  return [head, marks, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Three significant digits, thousands apart. */
function figure(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return rounded.toLocaleString("en").replaceAll(",", " ");
}

interface CoreResults {
  machine: string;
  node: string;
  operations: { name: string; wasm3Us: number; v8Us: number; nodeCryptoUs: number }[];
}

function operations(): string {
  const { machine, node, operations } = result<CoreResults>("core");
  const rows = operations.map(({ name, wasm3Us, v8Us, nodeCryptoUs }) => [
    name,
    ...[wasm3Us, v8Us, nodeCryptoUs].map(figure),
  ]);
  const head = ["operation", "wasm3, µs", "V8, µs", "node:crypto, µs"];
  return `${machine}, Node ${node}:\n\n${table(head, rows)}`;
}

type Cycles = { cycles: number; nativeCycles: number };
type DeviceResults = {
  rp2040: Record<string, Cycles> & { coldBootToReadingSeconds: number };
};

/** Cycles of a second. */
const CLOCK_HZ = 125_000_000;

const OPERATIONS = {
  p256Sign: "P-256 sign",
  p256Verify: "P-256 verify",
  p256Ecdh: "P-256 ECDH",
  sha256Block: "SHA-256, a block",
  sha256BlockAccelerated: "SHA-256, a block, with the accelerator",
  aes256Block: "AES-256, a block",
  aes256BlockAccelerated: "AES-256, a block, with the accelerator",
  rsa2048Private: "RSA-2048 private",
  rsa2048PrivateAccelerated: "RSA-2048 private, with the accelerator",
  rsa2048Public: "RSA-2048 public",
  rsa2048PublicAccelerated: "RSA-2048 public, with the accelerator",
} as const;

function device(): string {
  const { rp2040 } = result<DeviceResults>("device");
  const rows = Object.entries(OPERATIONS).map(([name, text]) => {
    const { cycles, nativeCycles } = rp2040[name] ?? {
      cycles: Number.NaN,
      nativeCycles: Number.NaN,
    };
    const millis = (cycles * 1000) / CLOCK_HZ;
    return [text, ...[cycles, millis, nativeCycles, cycles / nativeCycles].map(figure)];
  });
  const head = ["operation", "cycles", "ms at 125 MHz", "mbedTLS, cycles", "ratio"];
  const boot = `From a cold boot to the first decrypted reading: ${figure(rp2040.coldBootToReadingSeconds)} s of the device.`;
  return `${table(head, rows)}\n\n${boot}`;
}

type ServerResults = {
  machine: string;
  versions: Record<string, string>;
  rows: Record<string, number>;
};

const megabytes = (bytes: number): string => `${figure(bytes / 1e6)} MB`;

function servers(): string {
  const { machine, versions, rows } = result<ServerResults>("server");
  const value = (name: string): number => rows[name] ?? Number.NaN;
  const times = (name: string): string => `${figure(value(name))} ×`;
  const measured: Cells[] = [
    [
      "notify end to end, both servers durable, 200 B, window 1: median over a bare TLS relay",
      times("notifyP50OverRelay"),
    ],
    ["the same, 99th percentile", `${figure(value("notifyP99Ms"))} ms`],
    [
      "notify, window 64: processor time of the busier server over mosquitto's (QoS 1, TLS, in memory)",
      times("notifyCpuOverMosquitto"),
    ],
    [
      "durable updates, window 64, over a raw log with one flush for 64 records",
      times("updateOverRawLog"),
    ],
    ["idle atServer, 1 000 records, 5 connections: resident", megabytes(value("idleRssBytes"))],
    ["of it anonymous", megabytes(value("idleAnonBytes"))],
    [
      "200 connections, 50 monitors, 100 messages a second: resident, largest of 60 s",
      megabytes(value("loadRssBytes")),
    ],
    ["start with 1 000 000 entries in the commit log", `${figure(value("restartMillionMs"))} ms`],
    [
      "notify under attack by strangers and a hostile peer, three minutes: 99th percentile",
      `${figure(value("hostileP99Ms"))} ms`,
    ],
    [
      "directory lookups over redis-server's TLS GET, 50 connections, no pipelining",
      times("directoryOverRedis"),
    ],
    [
      "directory on disk, 1 000 000 names",
      `${figure(value("directoryBytesPerEntry"))} bytes a name`,
    ],
  ];
  const redis = /v=(\S+)/.exec(versions["redis-server"] ?? "")?.[1];
  const mosquitto = /[\d.]+$/.exec(versions.mosquitto ?? "")?.[0];
  const beside = `${machine}, Node ${versions.node}, mosquitto ${mosquitto}, redis-server ${redis}`;
  return `${beside}:\n\n${table(["", "measured"], measured)}`;
}

type MemoryResults = { rp2040: { peakBytes: number; flashBytes: number } };

/** The ten of the README, each with its command. */
function numbers(): string {
  const { rp2040: memory } = result<MemoryResults>("memory");
  const { rp2040: chip } = result<DeviceResults>("device");
  const { rows: server } = result<ServerResults>("server");
  const cycles = (name: string): number => chip[name]?.cycles ?? Number.NaN;
  const seconds = (name: string): string => `${figure(cycles(name) / CLOCK_HZ)} s`;
  const value = (name: string): number => server[name] ?? Number.NaN;
  const kilobytes = (bytes: number): string => `${figure(bytes / 1e3)} kB`;
  const rows: Cells[] = [
    [
      "RAM of the whole device, emulated RP2040, most in an hour",
      kilobytes(memory.peakBytes),
      "npm run bench:memory",
    ],
    ["its firmware in flash", kilobytes(memory.flashBytes), "npm run bench:memory"],
    [
      "cold boot to the first decrypted reading",
      `${figure(chip.coldBootToReadingSeconds)} s`,
      "npm run bench:device",
    ],
    ["P-256 signature on it, in wasm", seconds("p256Sign"), "npm run bench:device"],
    [
      "RSA-2048 private key on it, with the accelerator",
      seconds("rsa2048PrivateAccelerated"),
      "npm run bench:device",
    ],
    [
      "notify end to end, both servers durable: median over a bare TLS relay",
      `${figure(value("notifyP50OverRelay"))} ×`,
      "npm run bench:server",
    ],
    ["the same, 99th percentile", `${figure(value("notifyP99Ms"))} ms`, "npm run bench:server"],
    [
      "the same under attack, three minutes: 99th percentile",
      `${figure(value("hostileP99Ms"))} ms`,
      "npm run bench:server",
    ],
    ["idle atServer: resident memory", megabytes(value("idleRssBytes")), "npm run bench:server"],
    [
      "start with 1 000 000 entries in the commit log",
      `${figure(value("restartMillionMs"))} ms`,
      "npm run bench:server",
    ],
  ];
  const commanded = rows.map(([what = "", number = "", command = ""]) => [
    what,
    number,
    `\`${command}\``,
  ]);
  return table(["", "", "command"], commanded);
}

type Sections = Readonly<Record<string, () => string>>;

/** Which tables stand in which file of the repository. */
const documents: Readonly<Record<string, Sections>> = {
  "README.md": { numbers },
  "bench/README.md": { device, operations, servers },
};

/** The files with tables, from the repository's root. */
export const documentsWithTables = Object.keys(documents);

/** A file with its tables as bench/results/ has them. Throws Error when a table has no place in it. */
export function withTables(path: string): string {
  let text = readFileSync(inRepository(path), "utf8");
  for (const [name, make] of Object.entries(documents[path] ?? {})) {
    const place = new RegExp(`(<!-- ${name} -->\\n)[^]*?(<!-- end -->)`);
    if (!place.test(text)) throw new Error(`${path} has no place for ${name}`);
    text = text.replace(place, (_, begin: string, end: string) => `${begin}${make()}\n${end}`);
  }
  return text;
}

/** Brings the tables of all files up to date. */
export function writeTables(): void {
  for (const path of documentsWithTables) writeFileSync(inRepository(path), withTables(path));
}
