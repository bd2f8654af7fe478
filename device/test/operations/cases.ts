// SPDX-License-Identifier: BSD-3-Clause
// The operations the core uses, as WebAssembly's specification defines them (core specification, 4.3 and 4.4): one table
// of modules' functions, arguments and what has to come out. Each operation stands in every shape wasm3 distinguishes:
// operands in its register or in slots.

import { I32, I64, leb, type ModuleFunction, op, TypeList, wasmModule } from "../wasmBytes.ts";

/** Bytes of linear memory the cases are made for. */
export const MEMORY_BYTES = 4096;

export interface Case {
  readonly name: string;
  readonly args: readonly bigint[];
  /** The result, an i32 sign-extended; or the text of the trap. */
  readonly wanted: bigint | string;
}

export interface TestFunction extends ModuleFunction {
  readonly export: string;
}

export const TRAP = {
  bounds: "[trap] out of bounds memory access",
  divide: "[trap] integer divide by zero",
  overflow: "[trap] integer overflow",
  unreachable: "[trap] unreachable executed",
  stack: "[trap] value stack overflow",
  calls: "[trap] call depth exceeded",
} as const;

type Width = 32 | 64;
type Binary = (a: bigint, b: bigint, width: Width) => bigint | string;

const signed = (x: bigint, width: number) => BigInt.asIntN(width, x);
const unsigned = (x: bigint, width: number) => BigInt.asUintN(width, x);
const lowest = (width: Width) => -(1n << BigInt(width - 1));
const bool = (x: boolean) => (x ? 1n : 0n);
const count = (b: bigint, width: Width) => b & BigInt(width - 1);

function rotate(x: bigint, by: bigint, width: Width): bigint {
  const whole = unsigned(x, width);
  return (whole << by) | (whole >> (BigInt(width) - by));
}

const BINARY: readonly [name: string, code32: number, code64: number, meaning: Binary][] = [
  ["add", 0x6a, 0x7c, (a, b) => a + b],
  ["sub", 0x6b, 0x7d, (a, b) => a - b],
  ["mul", 0x6c, 0x7e, (a, b) => a * b],
  [
    "div_s",
    0x6d,
    0x7f,
    (a, b, w) => (b === 0n ? TRAP.divide : a === lowest(w) && b === -1n ? TRAP.overflow : a / b),
  ],
  ["div_u", 0x6e, 0x80, (a, b, w) => (b === 0n ? TRAP.divide : unsigned(a, w) / unsigned(b, w))],
  ["rem_s", 0x6f, 0x81, (a, b) => (b === 0n ? TRAP.divide : a % b)],
  ["rem_u", 0x70, 0x82, (a, b, w) => (b === 0n ? TRAP.divide : unsigned(a, w) % unsigned(b, w))],
  ["and", 0x71, 0x83, (a, b) => a & b],
  ["or", 0x72, 0x84, (a, b) => a | b],
  ["xor", 0x73, 0x85, (a, b) => a ^ b],
  ["shl", 0x74, 0x86, (a, b, w) => a << count(b, w)],
  ["shr_s", 0x75, 0x87, (a, b, w) => a >> count(b, w)],
  ["shr_u", 0x76, 0x88, (a, b, w) => unsigned(a, w) >> count(b, w)],
  ["rotl", 0x77, 0x89, (a, b, w) => rotate(a, count(b, w), w)],
  ["rotr", 0x78, 0x8a, (a, b, w) => rotate(a, BigInt(w) - count(b, w), w)],
];

const COMPARE: readonly [name: string, code32: number, code64: number, meaning: Binary][] = [
  ["eq", 0x46, 0x51, (a, b) => bool(a === b)],
  ["ne", 0x47, 0x52, (a, b) => bool(a !== b)],
  ["lt_s", 0x48, 0x53, (a, b) => bool(a < b)],
  ["lt_u", 0x49, 0x54, (a, b, w) => bool(unsigned(a, w) < unsigned(b, w))],
  ["gt_s", 0x4a, 0x55, (a, b) => bool(a > b)],
  ["gt_u", 0x4b, 0x56, (a, b, w) => bool(unsigned(a, w) > unsigned(b, w))],
  ["le_s", 0x4c, 0x57, (a, b) => bool(a <= b)],
  ["le_u", 0x4d, 0x58, (a, b, w) => bool(unsigned(a, w) <= unsigned(b, w))],
  ["ge_s", 0x4e, 0x59, (a, b) => bool(a >= b)],
  ["ge_u", 0x4f, 0x5a, (a, b, w) => bool(unsigned(a, w) >= unsigned(b, w))],
];

const bits = (x: bigint, width: Width) => unsigned(x, width).toString(2).padStart(width, "0");
const clz = (x: bigint, w: Width) => BigInt((bits(x, w).indexOf("1") + w + 1) % (w + 1));
const ctz = (x: bigint, w: Width) => BigInt(w - bits(x, w).lastIndexOf("1") - 1);
const popcnt = (x: bigint, w: Width) => BigInt(bits(x, w).replaceAll("0", "").length);

const UNARY: readonly [string, Width, code: number, Width, (x: bigint) => bigint][] = [
  ["i32.eqz", 32, 0x45, 32, (x) => bool(x === 0n)],
  ["i32.clz", 32, 0x67, 32, (x) => clz(x, 32)],
  ["i32.ctz", 32, 0x68, 32, (x) => ctz(x, 32)],
  ["i32.popcnt", 32, 0x69, 32, (x) => popcnt(x, 32)],
  ["i32.extend8_s", 32, 0xc0, 32, (x) => signed(x, 8)],
  ["i32.extend16_s", 32, 0xc1, 32, (x) => signed(x, 16)],
  ["i64.eqz", 64, 0x50, 32, (x) => bool(x === 0n)],
  ["i64.clz", 64, 0x79, 64, (x) => clz(x, 64)],
  ["i64.ctz", 64, 0x7a, 64, (x) => ctz(x, 64)],
  ["i64.popcnt", 64, 0x7b, 64, (x) => popcnt(x, 64)],
  ["i64.extend8_s", 64, 0xc2, 64, (x) => signed(x, 8)],
  ["i64.extend16_s", 64, 0xc3, 64, (x) => signed(x, 16)],
  ["i64.extend32_s", 64, 0xc4, 64, (x) => signed(x, 32)],
  ["i32.wrap_i64", 64, 0xa7, 32, (x) => x],
  ["i64.extend_i32_s", 32, 0xac, 64, (x) => x],
  ["i64.extend_i32_u", 32, 0xad, 64, (x) => unsigned(x, 32)],
];

const VALUES: Readonly<Record<Width, readonly bigint[]>> = {
  32: [0n, 1n, -1n, 31n, 33n, 0x7fff_ffffn, -0x8000_0000n, 0x1234_5678n],
  64: [0n, 1n, -1n, 33n, 65n, (1n << 63n) - 1n, -(1n << 63n), 0x1234_5678_9abc_def0n],
};

const type = (width: Width) => (width === 32 ? I32 : I64);
/** Adds 0: the value is in wasm3's register afterwards. */
const toRegister = (width: Width) => (width === 32 ? [...op.i32(0), 0x6a] : [0x42, 0, 0x7c]);

/** Functions and cases gathered so far. */
export class Table {
  readonly types = new TypeList();
  readonly functions: TestFunction[] = [];
  readonly cases: Case[] = [];

  add(
    name: string,
    signature: Pick<ModuleFunction, "params" | "results" | "locals">,
    body: readonly number[],
    runs: readonly (readonly [readonly bigint[], bigint | string])[],
  ): void {
    const short = `f${this.functions.length}`;
    this.functions.push({ ...signature, export: short, body });
    const width = signature.results?.[0] === I64 ? 64 : 32;
    for (const [args, wanted] of runs) {
      const value = typeof wanted === "string" ? wanted : signed(wanted, width);
      this.cases.push({ name: `${short} ${name}`, args, wanted: value });
    }
  }

  /** The module with all the functions, in the table too; `data` lies at the beginning of memory. */
  module(data: readonly number[]): Uint8Array {
    const table = this.functions.map((_, i) => i);
    const { functions, types } = this;
    return wasmModule({ types: types.list, functions, table, data: [{ at: 0, bytes: data }] });
  }
}

function addBinary(
  table: Table,
  name: string,
  code: number,
  width: Width,
  compares: boolean,
  f: Binary,
) {
  const pairs = VALUES[width].flatMap((a) => VALUES[width].map((b) => [a, b] as const));
  const runs = pairs.map(([a, b]) => [[a, b], f(a, b, width)] as const);
  const signature = {
    params: [type(width), type(width)],
    results: [compares ? I32 : type(width)],
  };
  const [a, b, r] = [op.get(0), op.get(1), toRegister(width)];
  table.add(`${name} slot slot`, signature, [...a, ...b, code], runs);
  table.add(`${name} register slot`, signature, [...a, ...r, ...b, code], runs.slice(0, 24));
  table.add(`${name} slot register`, signature, [...a, ...b, ...r, code], runs.slice(-24));
}

function addNumeric(table: Table): void {
  for (const [name, code32, code64, meaning] of BINARY) {
    addBinary(table, `i32.${name}`, code32, 32, false, meaning);
    addBinary(table, `i64.${name}`, code64, 64, false, meaning);
  }
  for (const [name, code32, code64, meaning] of COMPARE) {
    addBinary(table, `i32.${name}`, code32, 32, true, meaning);
    addBinary(table, `i64.${name}`, code64, 64, true, meaning);
  }
  for (const [name, from, code, to, meaning] of UNARY) {
    const signature = { params: [type(from)], results: [type(to)] };
    const runs = VALUES[from].map((x) => [[x], meaning(x)] as const);
    table.add(`${name} slot`, signature, [...op.get(0), code], runs);
    table.add(`${name} register`, signature, [...op.get(0), ...toRegister(from), code], runs);
  }
}

/** What lies at the beginning of memory. */
export const DATA = Array.from({ length: 32 }, (_, i) => (i * 37 + 129) & 0xff);

const LOADS: readonly [name: string, code: number, bytes: number, Width, isSigned: boolean][] = [
  ["i32.load", 0x28, 4, 32, true],
  ["i64.load", 0x29, 8, 64, true],
  ["i32.load8_s", 0x2c, 1, 32, true],
  ["i32.load8_u", 0x2d, 1, 32, false],
  ["i32.load16_s", 0x2e, 2, 32, true],
  ["i32.load16_u", 0x2f, 2, 32, false],
  ["i64.load8_s", 0x30, 1, 64, true],
  ["i64.load8_u", 0x31, 1, 64, false],
  ["i64.load16_s", 0x32, 2, 64, true],
  ["i64.load16_u", 0x33, 2, 64, false],
  ["i64.load32_s", 0x34, 4, 64, true],
  ["i64.load32_u", 0x35, 4, 64, false],
];

const STORES: readonly [name: string, code: number, bytes: number, Width][] = [
  ["i32.store", 0x36, 4, 32],
  ["i64.store", 0x37, 8, 64],
  ["i32.store8", 0x3a, 1, 32],
  ["i32.store16", 0x3b, 2, 32],
  ["i64.store8", 0x3c, 1, 64],
  ["i64.store16", 0x3d, 2, 64],
  ["i64.store32", 0x3e, 4, 64],
];

function dataAt(at: number, bytes: number, isSigned: boolean): bigint {
  let value = 0n;
  for (let i = bytes; i-- > 0; ) value = (value << 8n) | BigInt(DATA[at + i] ?? 0);
  return isSigned ? signed(value, bytes * 8) : value;
}

function addLoads(table: Table): void {
  for (const [name, code, bytes, width, isSigned] of LOADS) {
    const signature = { params: [I32], results: [type(width)] };
    const end = BigInt(MEMORY_BYTES - bytes);
    const runs = [
      ...Array.from({ length: 5 }, (_, at) => [[BigInt(at)], dataAt(at, bytes, isSigned)] as const),
      [[end], 0n] as const,
      ...[end + 1n, 4096n, 0x7fff_ffffn, -1n, -8n].map((at) => [[at], TRAP.bounds] as const),
    ];
    const offset = [
      [[1n], dataAt(4, bytes, isSigned)] as const,
      [[end - 3n], 0n] as const,
      [[end - 2n], TRAP.bounds] as const,
      [[-3n], TRAP.bounds] as const,
    ];
    const far = [0n, 1n, -1n].map((at) => [[at], TRAP.bounds] as const);
    table.add(`${name} slot`, signature, [...op.get(0), code, 0, 0], runs);
    table.add(`${name} register`, signature, [...op.get(0), ...toRegister(32), code, 0, 0], runs);
    table.add(`${name} offset 3`, signature, [...op.get(0), code, 0, 3], offset);
    table.add(
      `${name} offset 2^32 - 1`,
      signature,
      [...op.get(0), code, 0, ...leb(0xffff_ffff)],
      far,
    );
  }
}

/** Stores, then loads 8 bytes from 8 before the place: nothing beside it may have changed. */
function addStores(table: Table): void {
  const VALUE = -0x0123_4567_89ab_cdefn;
  for (const [name, code, bytes, width] of STORES) {
    const value = signed(VALUE, width);
    const signature = { params: [I32, type(width)], results: [I64] };
    const load = [...op.get(0), 0x29, 0, 0];
    const wanted = unsigned(value, bytes * 8);
    const end = BigInt(MEMORY_BYTES - 8);
    const runs = [
      ...[1024n, 1041n, 1058n, 1075n, end].map((at) => [[at, value], wanted] as const),
      ...[BigInt(MEMORY_BYTES - bytes + 1), 4096n, -1n, -4n].map(
        (at) => [[at, value], TRAP.bounds] as const,
      ),
    ];
    const shapes: [string, number[]][] = [
      ["slot slot", [...op.get(0), ...op.get(1)]],
      ["register slot", [...op.get(0), ...toRegister(32), ...op.get(1)]],
      ["slot register", [...op.get(0), ...op.get(1), ...toRegister(width)]],
    ];
    // Zero first: the same places are used by every store.
    const clear = [...op.get(0), 0x42, 0, 0x37, 0, 0];
    const safe = runs.filter(([[at], what]) => typeof what === "bigint" && at !== undefined);
    const trapping = runs.filter(([, what]) => typeof what === "string");
    for (const [shape, operands] of shapes) {
      table.add(`${name} ${shape}`, signature, [...clear, ...operands, code, 0, 0, ...load], safe);
      table.add(`${name} ${shape}`, signature, [...operands, code, 0, 0, ...load], trapping);
    }
  }
}

/** Every case of single operations. */
export function operationCases(): Table {
  const table = new Table();
  addNumeric(table);
  addLoads(table);
  addStores(table);
  return table;
}
