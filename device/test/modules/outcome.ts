// SPDX-License-Identifier: BSD-3-Clause
// What becomes of a module's calls: under V8, the oracle, and under an interpreter.

import { I64 } from "../wasmBytes.ts";
import { GLOBALS_SUM, MEMORY, moduleBytes, PAGES, type TreeModule } from "./tree.ts";

/** What every call gave, in the order of callsOf(): a number, or the trap's name; and memory's bytes. */
export interface Outcome {
  readonly calls: readonly (bigint | string)[];
  readonly memory: Uint8Array;
}

/** A call as it is made: an export's name and its arguments. */
export interface Call {
  readonly name: string;
  readonly args: readonly bigint[];
}

/** The calls of a module, and those that give its globals and the pages of its memory. */
export const callsOf = (module: TreeModule): Call[] => [
  ...module.calls.map(({ index, args }) => ({ name: `f${index}`, args })),
  { name: GLOBALS_SUM, args: [] },
  { name: PAGES, args: [] },
];

/** Traps as WebAssembly's specification tells them apart, by what V8 and wasm3 call them. */
const TRAPS: readonly (readonly [trap: string, names: RegExp])[] = [
  ["unreachable", /unreachable/],
  ["divide by zero", /(divide|remainder) by zero/],
  ["overflow", /divide result unrepresentable|integer overflow/],
  ["memory", /memory access out of bounds|out of bounds memory access/],
  ["table", /table index|null function|signature mismatch|type mismatch|undefined element/],
];

/** The trap's name; undefined: the text is of none. */
export const trapOf = (text: string): string | undefined =>
  TRAPS.find(([, names]) => names.test(text))?.[0];

const PAGE = 65_536;

/** An instance of a module; a call that ends in a trap throws. */
export interface Running {
  call(name: string, ...args: (number | bigint)[]): number | bigint | undefined;
  read(ptr: number, len: number): Uint8Array;
}

/** Makes the calls; an error that is no trap is thrown again. */
export function outcomeOf(module: TreeModule, running: Running): Outcome {
  const types = new Map(module.functions.map(({ params }, i) => [`f${i}`, params]));
  const calls = callsOf(module).map(({ name, args }) => {
    const given = args.map((arg, i) => (types.get(name)?.[i] === I64 ? arg : Number(arg)));
    try {
      return BigInt(running.call(name, ...given) ?? 0);
    } catch (error) {
      const trap = trapOf(String(error));
      if (trap === undefined) throw error;
      return trap;
    }
  });
  return { calls, memory: running.read(0, Number(calls.at(-1)) * PAGE) };
}

function runningOnV8(bytes: Uint8Array): Running {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  const memory = exports[MEMORY];
  if (!(memory instanceof WebAssembly.Memory)) throw new Error("the module has no memory");
  return {
    call(name, ...args) {
      const run = exports[name];
      if (typeof run !== "function") throw new Error(`the module exports no ${name}`);
      return run(...args);
    },
    read: (ptr, len) => new Uint8Array(memory.buffer, ptr, len),
  };
}

export const outcomeOnV8 = (module: TreeModule): Outcome =>
  outcomeOf(module, runningOnV8(moduleBytes(module)));

/** The first thing in which an outcome differs from what is wanted; undefined: nothing. */
export function difference(module: TreeModule, wanted: Outcome, got: Outcome): string | undefined {
  for (const [i, { name, args }] of callsOf(module).entries()) {
    if (wanted.calls[i] === got.calls[i]) continue;
    return `${name}(${args.join(", ")}) is ${got.calls[i]}, not ${wanted.calls[i]}`;
  }
  if (Buffer.compare(wanted.memory, got.memory) === 0) return undefined;
  const byte = wanted.memory.findIndex((value, i) => value !== got.memory[i]);
  return `byte ${byte} of memory is ${got.memory[byte]}, not ${wanted.memory[byte]}`;
}
