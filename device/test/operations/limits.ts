// SPDX-License-Identifier: BSD-3-Clause
// The limits of device/wasm3/settings.h: what just fits works, what is one more ends with the limit's own text, and
// what is called next works as if nothing had been.

import { limits } from "../../figures/margins.mjs";
import { I32, I64, leb, op } from "../wasmBytes.ts";
import { Table, TRAP } from "./cases.ts";

export const LIMITS = limits();

/** Errors of compiling that are no traps. */
export const REFUSED = {
  nesting: "block nesting exceeded",
  brTable: "br_table too large",
  values: "block with parameters, or several results",
  height: "compiling function overran its stack height limit",
  operation: "no operation found for opcode",
} as const;

const [BLOCK, LOOP, IF, ELSE, END, VOID] = [0x02, 0x03, 0x04, 0x05, 0x0b, 0x40];
const unary = { params: [I32], results: [I32] };
const set = (local: number) => [0x21, local];

function addCallDepth(table: Table): void {
  const here = table.functions.length;
  // 1 + f(n - 1) as long as n is not 0: n + 1 functions in each other.
  const recursive = (call: readonly number[]) => [
    ...[...op.get(0), IF, I32, ...op.i32(1)],
    ...[...op.get(0), ...op.i32(1), 0x6b, ...call, op.add, ELSE, ...op.i32(0), END],
  ];
  const most = BigInt(LIMITS.callDepth - 1);
  const runs = [
    [[most], most],
    [[most + 1n], TRAP.calls],
    [[1_000_000n], TRAP.calls],
    [[most], most],
  ] as const;
  table.add("calls in each other", unary, recursive(op.call(here)), runs);
  const indirect = [...op.i32(here + 1), 0x11, table.types.indexOf(unary), 0];
  table.add("indirect calls in each other", unary, recursive(indirect), runs);
}

/** Frames of every size, so that every distance from the end of the value stack is met; 10 arguments are 80 bytes. */
function addValueStack(table: Table): void {
  const here = table.functions.length;
  const many = { params: [I32, ...Array(9).fill(I64)], results: [I64] };
  const args = Array.from({ length: 9 }, (_, i) => op.get(1 + ((i + 1) % 9))).flat();
  for (let locals = 0; locals <= 24; locals++) {
    const self = [...op.get(0), ...op.i32(1), 0x6b, ...args, ...op.call(here + locals)];
    table.add(
      `10 arguments, ${locals} locals`,
      { ...many, locals: Array(locals).fill(I32) },
      [...op.get(0), IF, I64, ...self, ...op.get(1), op.add64, ELSE, ...op.get(2), END],
      [],
    );
  }
  // What lies behind the value stack: the module's tables, which a call by the table needs.
  for (let locals = 0; locals <= 24; locals++) {
    const given = Array.from({ length: 9 }, () => op.i64(0x1122_3344_5566_7788n)).flat();
    const name = `value stack, ${locals} locals`;
    table.add(
      name,
      unary,
      [...op.get(0), ...given, ...op.call(here + locals), 0xa7],
      [
        [[1n], 0x1122_3344_5566_7788n * 2n],
        [[31n], TRAP.stack],
        [[1n], 0x1122_3344_5566_7788n * 2n],
      ],
    );
  }
}

function addNesting(table: Table): void {
  const most = LIMITS.blockNesting;
  const nested = (depth: number, kind: number) => [
    ...Array(depth)
      .fill(kind === IF ? [...op.get(0), IF, VOID] : [kind, VOID])
      .flat(),
    ...[...op.i32(7), ...set(0)],
    ...Array(depth).fill(END),
    ...op.get(0),
  ];
  for (const [name, kind] of [
    ["blocks", BLOCK],
    ["loops", LOOP],
    ["ifs", IF],
  ] as const) {
    table.add(`${name} in each other`, unary, nested(most, kind), [[[1n], 7n]]);
    table.add(`${name} in each other, one too many`, unary, nested(most + 1, kind), [
      [[1n], REFUSED.nesting],
    ]);
    table.add(`${name} in each other, hundreds`, unary, nested(900, kind), [
      [[1n], REFUSED.nesting],
    ]);
  }
  const elses = [
    ...Array(most + 1)
      .fill([...op.get(0), IF, VOID, ELSE])
      .flat(),
    ...Array(most + 1).fill(END),
  ];
  table.add(
    "elses in each other, one too many",
    unary,
    [...elses, ...op.get(0)],
    [[[0n], REFUSED.nesting]],
  );
  table.add("after them", unary, nested(most, BLOCK), [[[1n], 7n]]);
}

function addBranchTables(table: Table): void {
  const most = LIMITS.brTable;
  const branches = (count: number, targets = count) => [
    ...[BLOCK, VOID, BLOCK, VOID, ...op.get(0), 0x0e, ...leb(count)],
    ...Array(targets).fill(0),
    ...[1, END, ...op.i32(10), 0x0f, END, ...op.i32(20)],
  ];
  table.add("br_table, the largest", unary, branches(most), [
    [[0n], 10n],
    [[BigInt(most - 1)], 10n],
    [[BigInt(most)], 20n],
    [[-1n], 20n],
  ]);
  const refused = [[[0n], REFUSED.brTable]] as const;
  table.add("br_table, one more", unary, branches(most + 1), refused);
  // Not valid, for its targets are missing; the count and what is added to it pass 2^32.
  for (const count of [0xffff_ffff, 0xffff_fffc, 0xffff_fff8, 0x8000_0000]) {
    table.add(`br_table, count ${count}`, unary, branches(count, 2000), refused);
  }
}

function addValues(table: Table): void {
  const pair = { params: [I32], results: [I32, I64] };
  const here = table.functions.length;
  table.add("two results", pair, [...op.get(0), ...op.i64(1)], []);
  table.add(
    "a call with two results",
    unary,
    [...op.get(0), ...op.call(here), op.drop],
    [[[1n], REFUSED.values]],
  );
  table.add(
    "a block with a parameter",
    unary,
    [...op.get(0), BLOCK, table.types.indexOf(unary), END],
    [[[1n], REFUSED.values]],
  );
  table.add(
    "a block with two results",
    unary,
    [
      ...op.get(0),
      BLOCK,
      table.types.indexOf({ results: [I32, I64] }),
      ...op.i32(1),
      ...op.i64(1),
      END,
      op.drop,
      op.add,
    ],
    [[[1n], REFUSED.values]],
  );
  // Would be compiled as a call that returns, or as nothing.
  table.add("a tail call", unary, [...op.get(0), 0x12, here], [[[1n], REFUSED.operation]]);
}

/** Every case of the limits. */
export function limitCases(): Table {
  const table = new Table();
  addCallDepth(table);
  addValueStack(table);
  addNesting(table);
  addBranchTables(table);
  addValues(table);
  return table;
}
