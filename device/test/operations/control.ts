// SPDX-License-Identifier: BSD-3-Clause
// Control, calls, variables and bulk memory: cases beside those of single operations.

import { I32, I64, op } from "../wasmBytes.ts";
import { MEMORY_BYTES, Table, TRAP } from "./cases.ts";

const unary = { params: [I32], results: [I32] };
const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const VOID = 0x40;
const br = (depth: number) => [0x0c, depth];
const brIf = (depth: number) => [0x0d, depth];
const set = (local: number) => [0x21, local];
const tee = (local: number) => [0x22, local];
const RETURN = 0x0f;
const SELECT = 0x1b;

function addBranches(table: Table): void {
  const targets = [0, 1, 2, 3];
  // Falls out of block i at index i, out of the outermost for every other.
  const nest = targets.flatMap(() => [BLOCK, VOID]);
  const exits = targets.flatMap((_, i) => [END, ...op.i32(10 + i), RETURN]);
  table.add(
    "br_table",
    unary,
    [...nest, ...op.get(0), 0x0e, 3, 0, 1, 2, 3, ...exits, ...op.i32(99)],
    [
      [[0n], 10n],
      [[1n], 11n],
      [[2n], 12n],
      [[3n], 13n],
      [[4n], 13n],
      [[-1n], 13n],
    ],
  );
  table.add(
    "if else",
    unary,
    [...op.get(0), IF, I32, ...op.i32(7), ELSE, ...op.i32(8), END],
    [
      [[0n], 8n],
      [[1n], 7n],
      [[-1n], 7n],
    ],
  );
  // Sum of 1 to n.
  const step = [
    ...op.get(0),
    ...op.get(1),
    op.add,
    ...set(1),
    ...op.get(0),
    ...op.i32(1),
    0x6b,
    ...tee(0),
  ];
  table.add(
    "loop, br_if",
    { params: [I32, I32], results: [I32] },
    [LOOP, VOID, ...step, ...brIf(0), END, ...op.get(1)],
    [
      [[1n, 0n], 1n],
      [[10n, 0n], 55n],
      [[1000n, 5n], 500_505n],
    ],
  );
  const until = [
    BLOCK,
    VOID,
    LOOP,
    VOID,
    ...op.get(0),
    0x45,
    ...brIf(1),
    ...step,
    op.drop,
    ...br(0),
    END,
    END,
  ];
  table.add(
    "loop, br",
    { params: [I32, I32], results: [I32] },
    [...until, ...op.get(1)],
    [
      [[0n, 3n], 3n],
      [[100n, 0n], 5050n],
    ],
  );
  table.add("unreachable", unary, [op.unreachable], [[[0n], TRAP.unreachable]]);
}

function addSelects(table: Table): void {
  const r = [...op.i32(0), op.add];
  const shapes = {
    slots: [...op.get(0), ...op.get(1), ...op.get(2)],
    "condition in the register": [...op.get(0), ...op.get(1), ...op.get(2), ...r],
    "second in the register": [...op.get(0), ...op.get(1), ...r, ...op.get(2)],
    "first in the register": [...op.get(0), ...r, ...op.get(1), ...op.get(2)],
  };
  for (const [shape, operands] of Object.entries(shapes)) {
    table.add(
      `select ${shape}`,
      { params: [I32, I32, I32], results: [I32] },
      [...operands, SELECT],
      [
        [[5n, 6n, 0n], 6n],
        [[5n, 6n, 1n], 5n],
        [[5n, 6n, -1n], 5n],
      ],
    );
  }
  table.add(
    "select i64",
    { params: [I64, I64, I32], results: [I64] },
    [...op.get(0), ...op.get(1), ...op.get(2), SELECT],
    [
      [[1n << 40n, -1n, 0n], -1n],
      [[1n << 40n, -1n, 2n], 1n << 40n],
    ],
  );
}

function addCalls(table: Table): void {
  const here = table.functions.length;
  // Recursion with a value kept over the call: n + (n - 1) + … + 0.
  const self = [...op.get(0), ...op.i32(1), 0x6b, ...op.call(here)];
  table.add(
    "call, recursive",
    unary,
    [
      ...op.get(0),
      IF,
      I32,
      ...op.get(0),
      ...op.i32(0),
      op.add,
      ...self,
      op.add,
      ELSE,
      ...op.i32(0),
      END,
    ],
    [
      [[0n], 0n],
      [[20n], 210n],
      [[1_000_000n], TRAP.calls],
      [[3n], 6n],
    ],
  );
  table.add(
    "call, seven arguments, i64 result",
    { params: [I32, I64], results: [I64] },
    [
      ...[0, 0, 0, 0, 0, 0].flatMap(() => op.get(0)),
      ...op.get(1),
      ...op.call(here + 2),
      ...op.get(1),
      op.add64,
    ],
    [
      [[3n, 1n << 33n], 18n + (1n << 34n)],
      [[-1n, 0n], 6n * 0xffff_ffffn],
    ],
  );
  const sum = [0, 1, 2, 3, 4, 5].flatMap((i) => [
    ...op.get(i),
    0xad,
    ...(i === 0 ? [] : [op.add64]),
  ]);
  table.add(
    "callee",
    { params: [I32, I32, I32, I32, I32, I32, I64], results: [I64] },
    [...sum, ...op.get(6), op.add64],
    [[[1n, 2n, 3n, 4n, 5n, 6n, 7n], 28n]],
  );
}

function addVariables(table: Table): void {
  // A local that was pushed keeps its value when the local is set.
  table.add(
    "local.get before local.set",
    unary,
    [...op.get(0), ...op.i32(100), ...set(0), ...op.get(0), op.add],
    [[[5n], 105n]],
  );
  table.add(
    "local.tee",
    unary,
    [...op.get(0), ...op.i32(2), op.add, ...tee(0), ...op.get(0), op.add],
    [[[5n], 14n]],
  );
  table.add(
    "i64.const",
    { params: [I64], results: [I64] },
    [0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, ...op.get(0), op.add64],
    [[[1n], (1n << 35n) + 1n]],
  );
  // More constants than wasm3's table of them holds.
  const many = Array.from({ length: 200 }, (_, i) => [...op.i32(1000 + i), op.add]).flat();
  const total = BigInt(Array.from({ length: 200 }, (_, i) => 1000 + i).reduce((a, b) => a + b));
  table.add("200 constants", unary, [...op.get(0), ...many], [[[1n], total + 1n]]);
  table.add("memory.size", { results: [I32] }, [0x3f, 0], [[[], 1n]]);
}

function addBulkMemory(table: Table): void {
  const three = { params: [I32, I32, I32], results: [I32] };
  const args = [...op.get(0), ...op.get(1), ...op.get(2)];
  const byteAt = (at: number) => [...op.i32(at), ...op.load8];
  const end = BigInt(MEMORY_BYTES);
  table.add(
    "memory.fill",
    three,
    [...args, 0xfc, 0x0b, 0, ...byteAt(2007)],
    [
      [[2000n, 0x1abn, 8n], 0xabn],
      [[2000n, 0x55n, 7n], 0xabn],
      [[end, 1n, 0n], 0xabn],
      [[end - 4n, 1n, 4n], 0xabn],
      [[end - 4n, 1n, 5n], TRAP.bounds],
      [[-1n, 1n, 2n], TRAP.bounds],
      [[0n, 1n, -1n], TRAP.bounds],
    ],
  );
  // 2000 to 2006 hold 0x55, 2007 0xab; the regions overlap both ways.
  table.add(
    "memory.copy",
    three,
    [...args, 0xfc, 0x0a, 0, 0, ...byteAt(2008)],
    [
      [[2001n, 2000n, 8n], 0xabn],
      [[2007n, 2008n, 1n], 0xabn],
      [[2008n, 2002n, 1n], 0x55n],
      [[end, 0n, 0n], 0x55n],
      [[end - 1n, 0n, 2n], TRAP.bounds],
      [[0n, end - 1n, 2n], TRAP.bounds],
      [[-1n, 0n, 1n], TRAP.bounds],
    ],
  );
}

/**
 * An i64 local that lies on the stack twice when it is set: each of both has its two slots until it is taken. In the
 * first case the slots of a call's argument are taken for it, in the second what is left of it meets an i32.
 */
function addPreserved(table: Table): void {
  const here = table.functions.length;
  const [ADD64, XOR64] = [op.add64, 0x85];
  table.add("a callee", { params: [I64, I32], results: [I32] }, op.i32(0), [[[1n, 2n], 0n]]);
  const twice = [...op.get(1), ...op.get(1), ...tee(1), XOR64];
  table.add(
    "i64 local on the stack twice, local.tee of itself",
    { params: [I32], results: [I64], locals: [I64] },
    [
      ...[...op.i64(-1), ...op.get(0), ...op.call(here)],
      ...[IF, I64, ...op.i64(0), ELSE, ...twice, END],
    ],
    [
      [[0n], 0n],
      [[77n], 0n],
    ],
  );
  const sum = [...op.get(1), ...op.i32(1), op.add, ...op.get(1), ...op.i32(2), op.add, op.add];
  table.add(
    "i64 local on the stack twice, one of them taken",
    { params: [I64, I32], results: [I64] },
    [...op.get(0), ...op.get(0), ...op.i64(7), ...set(0), op.drop, ...sum, op.drop],
    [
      [[-1n, 3n], -1n],
      [[0x1234_5678_9abc_def0n, 100n], 0x1234_5678_9abc_def0n],
    ],
  );
  table.add(
    "i64 local on the stack three times",
    { params: [I64], results: [I64], locals: [I64, I64] },
    [
      ...[...op.get(0), ...op.get(0), ...op.get(0), ...op.i64(7), ...set(0)],
      ...[
        ...set(1),
        ...op.i64(1 << 20),
        ...set(2),
        ADD64,
        ...op.get(1),
        ADD64,
        ...op.get(2),
        ADD64,
      ],
      ...[...op.get(0), ADD64],
    ],
    [[[(1n << 40n) + 5n], 3n * ((1n << 40n) + 5n) + (1n << 20n) + 7n]],
  );
}

/** Memory that is asked to become longer than it can stays as it is. */
function addGrowth(table: Table): void {
  table.add(
    "memory.grow",
    unary,
    [...op.get(0), ...op.grow],
    [
      [[0n], 1n],
      [[4n], -1n],
      [[0xffffn], -1n],
      [[-1n], -1n],
      [[0n], 1n],
    ],
  );
}

/** Every case of control, calls, variables and bulk memory. The cases of one function depend on each other's order. */
export function controlCases(): Table {
  const table = new Table();
  addCalls(table);
  addBranches(table);
  addSelects(table);
  addVariables(table);
  addPreserved(table);
  addGrowth(table);
  addBulkMemory(table);
  return table;
}
