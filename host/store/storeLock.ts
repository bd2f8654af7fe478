// SPDX-License-Identifier: BSD-3-Clause
// The lock of a server on its store, held for the life of its process: a second server on the same folder would give the same
// commit ids again. LMDB's own locks let any number of processes in, as backups need. This one is flock(2) on a file of the
// folder: the kernel gives it to one open file, in whatever container, and takes it back however the process ends.
import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { jsonLimits, parseJson } from "../wire/json.ts";
import { StoreError } from "./store.ts";

const FILE = "store.lock";
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** A process that was killed just now may take as long to be gone, ms. */
const WAIT_MILLIS = 1_000;
const LOOK_MILLIS = 100;
const PROGRAM_MILLIS = 5_000;

/** Locks the open file it has as descriptor 3: 0 when it got the lock, 1 in silence when another has it. */
type Locker = readonly [program: string, ...args: string[]];

const PERL = `use Fcntl ":flock";
open(my $file, "+<&=", 3) or die "$!\\n";
exit 0 if flock($file, LOCK_EX | LOCK_NB);
exit 1 if $!{EWOULDBLOCK};
die "$!\\n";`;

/** Node has no call for it; each of these is part of every common Linux, perl of macOS too. */
const lockers: readonly Locker[] = [
  ["flock", "-x", "-n", "3"],
  ["perl", "-e", PERL],
];

/** Who has the lock, as it says itself in the lock's file. */
interface Holder {
  readonly pid: number;
  /** Name of the machine; in a container its id or name. */
  readonly host: string;
  /** ISO 8601. */
  readonly since: string;
  /** The kernel's name of the space its process id counts in; empty where there are none. */
  readonly pids: string;
}

export interface StoreLock {
  release(): void;
}

function pidSpace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    const text = readFileSync(path, "utf8");
    const { pid, host, since, pids } = parseJson(text, jsonLimits.file) as Partial<Holder>;
    if (typeof pid !== "number" || typeof host !== "string") return undefined;
    if (typeof since !== "string" || typeof pids !== "string") return undefined;
    return { pid, host, since, pids };
  } catch {
    // It has the lock, and hasn't said yet who it is.
    return undefined;
  }
}

function heldBy(folder: string, holder: Holder | undefined): StoreError {
  const remedy = "stop that server first, or name another folder";
  const place = "busy";
  if (holder === undefined) {
    return new StoreError(`${folder} is served by another process: ${remedy}`, { place });
  }
  const { pid, host, since, pids } = holder;
  const where =
    pids === pidSpace() && host === hostname() ? "" : ` of ${host}, another container or machine`;
  return new StoreError(
    `${folder} is served by process ${pid}${where}, since ${since}: ${remedy}`,
    { place },
  );
}

function cannotLock(folder: string, reason: string): StoreError {
  return new StoreError(
    `${folder} can't be locked against a second server: ${reason}; with --no-lock it is served all the same, and seeing to it that no other server does is up to you`,
    { place: "busy" },
  );
}

/** Whether the open file is locked now; false when another has the lock. Throws StoreError where there is no such lock. */
function tryLock(folder: string, file: number): boolean {
  for (const [program, ...args] of lockers) {
    const { error, status, stderr } = spawnSync(program, args, {
      stdio: ["ignore", "ignore", "pipe", file],
      encoding: "utf8",
      timeout: PROGRAM_MILLIS,
    });
    if (error !== undefined && "code" in error && error.code === "ENOENT") continue;
    if (error !== undefined) throw cannotLock(folder, `${program}: ${error.message}`);
    if (status === 0) return true;
    if (status === 1 && stderr === "") return false;
    throw cannotLock(folder, stderr.trim() || `${program} ended with ${status}`);
  }
  const names = lockers.map(([program]) => program).join(" nor ");
  throw cannotLock(folder, `neither ${names} is installed here`);
}

function openFile(folder: string): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  try {
    mkdirSync(folder, { recursive: true, mode: FOLDER_MODE });
    return openSync(join(folder, FILE), O_RDWR | O_CREAT | O_NOFOLLOW, FILE_MODE);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(`the store in ${folder} can't be opened: ${reason}`, { cause });
  }
}

function sayWho(file: number): void {
  const since = new Date().toISOString();
  const holder: Holder = { pid: process.pid, host: hostname(), since, pids: pidSpace() };
  ftruncateSync(file);
  writeSync(file, `${JSON.stringify(holder)}\n`, 0);
}

/**
 * Locks a store's folder, which is made if need be, until it is released or the process ends, in whatever way; one that has
 * the lock is given `waitMillis` to end. Rejects with StoreError that says who has the lock, or why there can be none.
 */
export async function lockStore(folder: string, waitMillis = WAIT_MILLIS): Promise<StoreLock> {
  const file = openFile(folder);
  try {
    for (let waited = 0; !tryLock(folder, file); waited += LOOK_MILLIS) {
      if (waited >= waitMillis) throw heldBy(folder, readHolder(join(folder, FILE)));
      await delay(LOOK_MILLIS);
    }
    sayWho(file);
  } catch (error) {
    closeSync(file);
    throw error;
  }
  return { release: () => closeSync(file) };
}
