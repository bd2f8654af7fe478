// SPDX-License-Identifier: BSD-3-Clause
import type { MemoryParts, MemoryPhase } from "../../emulate/memory.ts";

/** What takes part in a device's RAM, in the order of the picture, with words for people. */
export const PARTS: Readonly<Record<keyof MemoryParts, string>> = {
  data: "initialised data, code in RAM",
  bss: "zeroed data",
  linearMemory: "linear memory of the core",
  code: "wasm3: compiled code",
  interpreter: "wasm3: everything else",
  tlsHeap: "TLS",
  stack: "native stack",
};

export const PART_NAMES = Object.keys(PARTS) as (keyof MemoryParts)[];

export interface BoardFigures {
  /** The greatest of the phases. */
  readonly peakBytes: number;
  readonly flashBytes: number;
  readonly phases: readonly MemoryPhase[];
}

/** RAM that has to suffice, and that of the larger chips, in bytes. */
export const BUDGET_BYTES = 128_000;
export const LARGER_BUDGET_BYTES = 192_000;
