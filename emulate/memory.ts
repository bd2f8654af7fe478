// SPDX-License-Identifier: BSD-3-Clause
// RAM of the running emulated board, read from outside: symbols say where.
import { readFileSync } from "node:fs";
import type { Emulator } from "../boards/emulator/emulator.ts";

/** Addresses of the firmware's symbols, as the build wrote them. */
export type Symbols = Readonly<Record<string, number>>;

/** Bytes of RAM, each the most so far; together they are the whole device. */
export interface MemoryParts {
  /** Variables with a value at start, and code that runs from RAM. */
  readonly data: number;
  /** Variables without the two heaps; the second stage's 256 bytes. */
  readonly bss: number;
  readonly linearMemory: number;
  /** wasm3's code, made of the functions that ran. */
  readonly code: number;
  /** wasm3's other structures: function table, value stack, module. */
  readonly interpreter: number;
  readonly tlsHeap: number;
  readonly stack: number;
}

export interface MemoryPhase {
  readonly name: string;
  readonly peakBytes: number;
  readonly parts: MemoryParts;
}

const STACK_PAINT = 0x57ac_57ac;
const SECOND_STAGE_BYTES = 256;
/** Words of MemoryUsage (device/memoryUsage.h), in its order. */
const USAGE = {
  linear: 0,
  functions: 1,
  valueStack: 2,
  code: 3,
  codeMost: 4,
  interpreterMost: 5,
  tlsMost: 6,
} as const;

export function readSymbols(file: string): Symbols {
  return JSON.parse(readFileSync(file, "utf8")) as Symbols;
}

/** Sizes of the two heaps as the firmware was built with them. */
export interface HeapSizes {
  readonly interpreter: number;
  readonly tls: number;
}

function stackUsed(emulator: Emulator, bottom: number, top: number): number {
  let at = bottom;
  while (at < top && emulator.word(at) === STACK_PAINT) at += 4;
  return top - at;
}

/** The RAM of the device so far, since its last reset. */
export function measureMemory(
  name: string,
  emulator: Emulator,
  symbols: Symbols,
  heaps: HeapSizes,
): MemoryPhase {
  const address = (symbol: string): number => {
    const found = symbols[symbol];
    if (found === undefined) throw new Error(`the firmware has no symbol ${symbol}`);
    return found;
  };
  const size = (start: string, end: string) => address(end) - address(start);
  const usage = (word: keyof typeof USAGE) =>
    emulator.word(address("memory_usage") + 4 * USAGE[word]);
  const [linearMemory, code, most] = [usage("linear"), usage("codeMost"), usage("interpreterMost")];
  const statics = size("bss_start", "ram_end") - heaps.interpreter - heaps.tls;
  const parts: MemoryParts = {
    data: size("ramtext_start", "ramtext_end") + size("data_start", "data_end"),
    bss: statics + SECOND_STAGE_BYTES,
    linearMemory,
    code,
    interpreter: Math.max(0, most - linearMemory - code),
    tlsHeap: usage("tlsMost"),
    stack: stackUsed(emulator, address("stack_bottom"), address("stack_top")),
  };
  const peakBytes = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  return { name, peakBytes, parts };
}
