// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import binaryen from "assemblyscript/binaryen";
import { defaultHal } from "./defaultHal.ts";
import type { Engine, HalFunctions } from "./engine.ts";

const CORE_WASM = new URL("../../../build/primitives.wasm", import.meta.url);

/** What a call did: hashes of the sequence of decisions, and of that together with every address accessed. */
export interface Trace {
  readonly status: number;
  readonly executed: string;
  readonly accessed: string;
  /** Decisions and accesses, to see that something was recorded. */
  readonly events: number;
}

type Expression = string | Expression[];

/** Reads WebAssembly text as nested lists; strings stay as they are written, comments go. */
function parse(text: string): Expression[] {
  const tokens = text.matchAll(/;;[^\n]*|\(;[\s\S]*?;\)|"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+/g);
  const stack: Expression[][] = [[]];
  for (const [token] of tokens) {
    if (token.startsWith(";;") || token.startsWith("(;")) continue;
    if (token === "(") stack.push([]);
    else if (token === ")") {
      const list = stack.pop() ?? [];
      stack.at(-1)?.push(list);
    } else stack.at(-1)?.push(token);
  }
  return stack[0] ?? [];
}

const print = (x: Expression): string =>
  typeof x === "string" ? x : `(${x.map(print).join(" ")})`;

/** Which operands of an instruction, counted from its end, decide what happens next or where memory is touched. */
const DECIDING: Readonly<Record<string, readonly number[]>> = {
  br_if: [1],
  br_table: [1],
  select: [1],
  "memory.fill": [1, 3],
  "memory.copy": [1, 2, 3],
};

/** Instructions that ask no more of their operand than whether it is zero. */
const CONDITIONAL: readonly Expression[] = ["if", "br_if", "select"];

/**
 * Sends each deciding operand through $choose or $decide(number of the place, value), which give the value back; $choose
 * records only whether it is zero.
 */
function tap(x: Expression, place: () => number): Expression {
  if (typeof x === "string") return x;
  const list = x.map((part) => tap(part, place));
  const [head] = list;
  const wrap = (i: number) => {
    const operand = list[i];
    if (operand === undefined) throw new Error(`${print(x)} has too few operands`);
    const report = head !== undefined && CONDITIONAL.includes(head) ? "$choose" : "$decide";
    list[i] = ["call", report, ["i32.const", String(place())], operand];
  };
  if (head === "if") wrap(list.findIndex((part) => Array.isArray(part) && part[0] === "then") - 1);
  else if (typeof head === "string") for (const i of DECIDING[head] ?? []) wrap(list.length - i);
  return list;
}

/**
 * A module that reports the operand of every conditional jump, select, fill and copy, and the address of every load and
 * store (binaryen's instrument-memory).
 */
export function instrumented(wasm: Uint8Array): WebAssembly.Module {
  const source = binaryen.readBinary(wasm);
  source.runPasses(["instrument-memory"]);
  const [tree] = parse(source.emitText());
  source.dispose();
  if (!Array.isArray(tree)) throw new Error("the text of the module was not understood");
  let places = 0;
  const [head = "", ...rest] = tree.map((part) => tap(part, () => places++));
  const reports = ["choose", "decide"].map((name) => {
    const signature = ["func", `$${name}`, ["param", "i32", "i32"], ["result", "i32"]];
    return ["import", '"trace"', `"${name}"`, signature];
  });
  const text = print([head, ...reports, ...rest]);
  const module = binaryen.parseText(text);
  const binary = module.emitBinary();
  module.dispose();
  return new WebAssembly.Module(new Uint8Array(binary));
}

/** The core as it is shipped, instrumented. */
export function instrumentedCore(): WebAssembly.Module {
  return instrumented(readFileSync(CORE_WASM));
}

/** A sequence of 32-bit words as two independent running hashes (FNV-1a and a multiply-rotate), 64 bits together. */
class Sequence {
  #a = 0x811c9dc5;
  #b = 0x2545f491;

  add(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193);
    this.#b = Math.imul(((this.#b << 13) | (this.#b >>> 19)) ^ word, 0x5bd1e995) + 1;
  }

  toString(): string {
    return `${this.#a >>> 0}.${this.#b >>> 0}`;
  }
}

/** An instance whose calls are traced. */
export interface TracedCore extends Engine {
  trace(name: string, ...args: number[]): Trace;
}

/** The imports instrument-memory asks for: addresses are recorded, values pass through. */
function memoryImports(access: (id: number, address: number) => void): Record<string, unknown> {
  const pointer = (id: number, _bytes: number, offset: number, address: number) => {
    access(id, address + offset);
    return address;
  };
  const value = (_id: number, x: unknown) => x;
  const types = ["i32", "i64", "f32", "f64"];
  const values = types.flatMap((type) => [`load_val_${type}`, `store_val_${type}`]);
  return {
    load_ptr: pointer,
    store_ptr: pointer,
    memory_grow_pre: value,
    memory_grow_post: value,
    ...Object.fromEntries(values.map((name) => [name, value])),
  };
}

/** Instantiates an instrumented module with the default board, or with what `hal` puts in its place. */
export function traced(
  module: WebAssembly.Module,
  hal: (engine: Engine) => Partial<HalFunctions> = () => ({}),
): TracedCore {
  let executed = new Sequence();
  let accessed = new Sequence();
  let events = 0;
  const decide = (place: number, value: number) => {
    events += 1;
    executed.add(place);
    executed.add(value);
    accessed.add(~place);
    accessed.add(value);
    return value;
  };
  const choose = (place: number, value: number) => {
    decide(place, value === 0 ? 0 : 1);
    return value;
  };
  const access = (id: number, address: number) => {
    events += 1;
    accessed.add(id);
    accessed.add(address);
  };
  let exports: WebAssembly.Exports = {};
  const memory = () => {
    if (!(exports.memory instanceof WebAssembly.Memory)) throw new Error("no memory");
    return new Uint8Array(exports.memory.buffer);
  };
  const core: TracedCore = {
    name: "traced",
    call(name, ...args) {
      const f = exports[name];
      if (typeof f !== "function") throw new Error(`the module exports no function ${name}`);
      return Number(f(...args) ?? 0);
    },
    read: (ptr, len) => memory().slice(ptr, ptr + len),
    write: (ptr, bytes) => memory().set(bytes, ptr),
    close: () => {
      exports = {};
    },
    trace(name, ...args) {
      executed = new Sequence();
      accessed = new Sequence();
      events = 0;
      const status = core.call(name, ...args);
      return { status, executed: `${executed}`, accessed: `${accessed}`, events };
    },
  };
  const imports = {
    hal: { ...defaultHal(core), ...hal(core) },
    env: memoryImports(access),
    trace: { choose, decide },
  };
  exports = new WebAssembly.Instance(module, imports).exports;
  return core;
}
