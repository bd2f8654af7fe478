// SPDX-License-Identifier: BSD-3-Clause
// Functions as trees of instructions, and the module's bytes made of them.

import { type FunctionType, I32, I64, op, wasmModule } from "../wasmBytes.ts";

export type ValueType = typeof I32 | typeof I64;

/** Instructions that leave one value, or none: their bytes, and the nodes among them. */
export interface Node {
  readonly type: ValueType | null;
  readonly parts: readonly (readonly number[] | Node)[];
}

export interface Signature {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A function; its body leaves the results one after the other. */
export interface TreeFunction extends Signature {
  readonly locals: readonly ValueType[];
  readonly body: readonly Node[];
}

/** A module and the calls to make of it, one after the other. Function `i` is exported as `f` and its number. */
export interface TreeModule {
  readonly types: readonly FunctionType[];
  readonly functions: readonly TreeFunction[];
  /** Pages to which the one page of memory may grow. */
  readonly pagesMost: number;
  readonly calls: readonly { readonly index: number; readonly args: readonly bigint[] }[];
}

/** The names of a module's memory, and of the functions that give its pages and the sum of the globals. */
export const MEMORY = "memory";
export const PAGES = "pages";
export const GLOBALS_SUM = "globals";

/** The globals of every module: one of each type, and the fuel its loops take from. */
export const GLOBALS = { [I32]: 0, [I64]: 1, fuel: 2 } as const;
/** Iterations of loops in all calls of a module. */
const FUEL = 300;
const FIRST_VALUES = [
  { type: I32, init: op.i32(5) },
  { type: I64, init: op.i64(9) },
  { type: I32, init: op.i32(FUEL) },
];

export const isNode = (part: readonly number[] | Node): part is Node => "parts" in part;

export const node = (
  type: ValueType | null,
  ...parts: readonly (readonly number[] | Node)[]
): Node => ({ type, parts });

function append(bytes: number[], { parts }: Node): void {
  for (const part of parts) {
    if (isNode(part)) append(bytes, part);
    else bytes.push(...part);
  }
}

function bytesOf(body: readonly Node[]): number[] {
  const bytes: number[] = [];
  for (const part of body) append(bytes, part);
  return bytes;
}

const get = (global: number) => [0x23, global];
const globalsSum = {
  export: GLOBALS_SUM,
  results: [I64],
  body: [...get(0), 0xac, ...get(1), op.add64, ...get(2), 0xac, op.add64],
};

const pages = { export: PAGES, results: [I32], body: [0x3f, 0] };

/** The module's bytes: memory, the globals, every function exported and in the table. */
export function moduleBytes({ types, functions, pagesMost }: TreeModule): Uint8Array {
  return wasmModule({
    types,
    functions: [
      ...functions.map((f, i) => ({ ...f, export: `f${i}`, body: bytesOf(f.body) })),
      pages,
      globalsSum,
    ],
    table: functions.map((_, i) => i),
    memoryPagesMost: pagesMost,
    exportMemory: MEMORY,
    globals: FIRST_VALUES,
  });
}
