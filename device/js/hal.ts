// SPDX-License-Identifier: BSD-3-Clause
// The board's side of core/hal.ts.
import { randomBytes } from "node:crypto";
import { ACCELERATORS, aes256, modExp } from "./accelerators.ts";
import { STATUS } from "./status.ts";
import type { FileStore } from "./store.ts";

/** Linear memory of the core, as the functions below reach it. */
export interface LinearMemory {
  read(ptr: number, len: number): Uint8Array;
  write(ptr: number, bytes: Uint8Array): void;
}

/** The imports of core.wasm; pointers are offsets in linear memory, lengths are bytes. */
export interface Hal {
  now_ms(): bigint;
  entropy(out: number, len: number): number;
  store_read(id: number, out: number, cap: number): number;
  store_write(id: number, x: number, len: number): number;
  log(level: number, text: number, len: number): void;
  accelerators(): number;
  accel_mod_exp(out: number, x: number, e: number, eLen: number, n: number, nLen: number): number;
  accel_aes256(out: number, x: number, count: number, key: number): void;
  accel_sha256(state: number, blocks: number, count: number): void;
}

export interface HalOptions {
  readonly store: FileStore;
  /** Offers the accelerators of node:crypto. */
  readonly accelerate: boolean;
  /** Takes one line of the log, without line feed. */
  readonly log: (line: string) => void;
}

const LEVELS = ["E", "W", "I", "D"];

/** One line as ESP-IDF prints it: level, milliseconds since start, who, text. */
export function logLine(level: number, nowMs: number, who: string, text: string): string {
  return `${LEVELS[level] ?? "D"} (${Math.floor(nowMs)}) ${who}: ${text}`;
}

const FAULT = -18;

/** The functions core.wasm imports. A failure of this machine becomes a status and a line in the log. */
export function boardHal(memory: LinearMemory, { store, accelerate, log }: HalOptions): Hal {
  const attempt = (what: string, status: number, run: () => number): number => {
    try {
      return run();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log(logLine(0, performance.now(), "board", `${what}: ${reason}`));
      return status;
    }
  };
  return {
    now_ms: () => BigInt(Math.floor(performance.now())),
    entropy: (out, len) =>
      attempt("entropy", STATUS.NoEntropy, () => {
        memory.write(out, randomBytes(len));
        return 0;
      }),
    store_read: (id, out, cap) =>
      attempt(`reading slot ${id}`, STATUS.StoreFailed, () => {
        const value = store.read(id);
        if (value === null) return 0;
        if (value.length > cap >>> 0) return STATUS.NoRoom;
        memory.write(out, value);
        return value.length;
      }),
    store_write: (id, x, len) =>
      attempt(`writing slot ${id}`, STATUS.StoreFailed, () => {
        if (len === 0) store.erase(id);
        else store.write(id, memory.read(x, len));
        return 0;
      }),
    log: (level, text, len) =>
      log(
        logLine(level, performance.now(), "core", Buffer.from(memory.read(text, len)).toString()),
      ),
    accelerators: () => (accelerate ? ACCELERATORS : 0),
    accel_mod_exp: (out, x, e, eLen, n, nLen) =>
      attempt("modular exponentiation", FAULT, () => {
        memory.write(out, modExp(memory.read(x, nLen), memory.read(e, eLen), memory.read(n, nLen)));
        return 0;
      }),
    accel_aes256: (out, x, count, key) =>
      memory.write(out, aes256(memory.read(x, 16 * count), memory.read(key, 32))),
    accel_sha256: () => {
      throw new Error("the core called an accelerator that this board does not offer");
    },
  };
}
