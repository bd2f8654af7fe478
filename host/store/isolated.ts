// SPDX-License-Identifier: BSD-3-Clause
// Work on the file of a store in a process of its own: reading a page that is gone ends a process, and a process can be
// ended in the middle of what LMDB does in one piece.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { parseOwnJson } from "../wire/json.ts";

const BEGINNING = `
  const { open } = require(${JSON.stringify(createRequire(import.meta.url).resolve("lmdb"))});
  const fail = ({ message }) => {
    console.error(message);
    process.exit(1);
  };
  process.on("uncaughtException", fail);
  process.umask(0o077);
  const [from, to] = process.argv.slice(1);
  const root = open({ path: from, noSubdir: false, readOnly: true, maxDbs: 64 });`;

/** A plain copy of one state, whatever other processes write meanwhile. */
const COPY = `${BEGINNING}
  root.backup(to, false).then(() => process.exit(0), fail);`;

/** Entries between two lines that say how far it is. */
const READ = `${BEGINNING}
  const entries = {};
  let done = 0;
  for (const name of [...root.getKeys()]) {
    entries[name] = 0;
    for (const { value } of root.openDB({ name, encoding: "binary" }).getRange()) {
      value.length;
      entries[name] += 1;
      done += 1;
      if (done % 10000 === 0) console.log(JSON.stringify({ done }));
    }
  }
  const meta = "meta" in entries ? root.openDB({ name: "meta" }) : new Map();
  console.log(JSON.stringify({ entries, schema: meta.get("schema"), lastCommitId: meta.get("lastCommitId") }));`;

/** What the file of a store has in it. */
export interface StoreContents {
  /** How many entries each of its databases has. */
  entries: Record<string, number>;
  schema?: unknown;
  lastCommitId?: number;
}

async function run(
  program: string,
  folders: readonly string[],
  onLine: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const child = spawn(process.execPath, ["-e", program, ...folders], {
    stdio: ["ignore", "pipe", "pipe"],
    killSignal: "SIGKILL",
    ...(signal && { signal }),
  });
  createInterface({ input: child.stdout }).on("line", onLine);
  const [[code], said] = await Promise.all([once(child, "close"), text(child.stderr)]);
  if (code === 0) return;
  const reason = said.trim().split("\n").at(-1);
  throw new Error(code === null || !reason ? "it is damaged" : reason);
}

/**
 * Copies the store in a folder, as it is at one moment, into another folder that has none. Rejects with the reason, which
 * is an AbortError after the signal; what it has made is left then.
 */
export async function copyStore(from: string, to: string, signal?: AbortSignal): Promise<void> {
  await run(COPY, [from, to], () => undefined, signal);
}

/** Reads every entry of the store in a folder, saying now and then how many were read. Rejects as `copyStore`. */
export async function readStore(
  folder: string,
  onEntries: (done: number) => void,
  signal?: AbortSignal,
): Promise<StoreContents> {
  let contents: StoreContents = { entries: {} };
  const take = (line: string): void => {
    const said = parseOwnJson(line) as StoreContents | { done: number };
    if ("done" in said) onEntries(said.done);
    else contents = said;
  };
  await run(READ, [folder], take, signal);
  return contents;
}

/** Whether every entry of the store in a folder can be read. */
export function isReadable(folder: string): boolean {
  const read = spawnSync(process.execPath, ["-e", READ, folder], { stdio: "ignore" });
  return read.status === 0;
}
