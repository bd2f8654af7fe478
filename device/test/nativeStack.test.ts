// SPDX-License-Identifier: BSD-3-Clause
// What the limits of a module come to on the native stack of the RP2040, whose end nothing watches.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { limits } from "../figures/margins.mjs";
import { buildThumbProgram, EmulatedInterpreter, hasThumbCompiler } from "./thumb/emulated.ts";
import { I32, leb, op, TypeList, wasmModule } from "./wasmBytes.ts";

const SETTINGS = { heap: 131_072, memoryLimit: 4096, stack: 8192, codeLimit: 0 };
/** What is left to main, the loop and an interrupt. */
const FIRMWARE = 2048;

const { callDepth, blockNesting, brTable } = limits();
const unary = { params: [I32], results: [I32] };
const types = new TypeList();
const unaryType = types.indexOf(unary);

const [BLOCK, LOOP, IF, ELSE, END, BR_TABLE] = [0x02, 0x03, 0x04, 0x05, 0x0b, 0x0e];
const KINDS = {
  blocks: { open: [BLOCK, I32], end: [END] },
  loops: { open: [LOOP, I32], end: [END] },
  ifs: { open: [...op.get(0), IF, I32], end: [ELSE, ...op.i32(0), END] },
};

/** Blocks in each other as deep as they may be; out of the innermost leads the largest br_table, with a value. */
function deepest({ open, end }: (typeof KINDS)[keyof typeof KINDS]): number[] {
  const outermost = blockNesting;
  const targets = Array<number>(brTable + 1).fill(outermost);
  const inner = [...op.get(0), ...op.i32(5), op.add];
  return [
    ...Array(blockNesting).fill(open).flat(),
    ...[...inner, ...op.get(0), BR_TABLE, ...leb(brTable), ...targets],
    ...Array(blockNesting).fill(end).flat(),
  ];
}

/** As many functions as may call each other; the last is compiled when it is called. */
function chain(last: readonly number[], indirect: boolean): Uint8Array {
  const calls = Array.from({ length: callDepth - 1 }, (_, i) => {
    const call = indirect ? [...op.i32(i + 1), 0x11, unaryType, 0] : op.call(i + 1);
    return { ...unary, export: `f${i}`, body: [...op.get(0), ...call] };
  });
  const functions = [...calls, { ...unary, export: `f${callDepth - 1}`, body: last }];
  return wasmModule({ types: types.list, functions, table: functions.map((_, i) => i) });
}

/** Bytes between stack_bottom and stack_top of boards/rp2040. */
function stackOfBoard(): number {
  const script = readFileSync(new URL("../../boards/rp2040/rp2040.ld", import.meta.url), "utf8");
  const [, whole, less] = /STACK \(rw\) .* LENGTH = (\d+)k - (\d+)/.exec(script) ?? [];
  return Number(whole) * 1024 - Number(less);
}

describe.skipIf(!hasThumbCompiler())("the native stack on the RP2040", () => {
  const cases = Object.entries(KINDS).flatMap(([name, kind]) => [
    { name, kind, indirect: false },
    { name, kind, indirect: true },
  ]);

  it("holds the deepest calls and, at their end, the compiler in the deepest blocks", () => {
    const program = buildThumbProgram(SETTINGS);
    for (const { name, kind, indirect } of cases) {
      const chip = new EmulatedInterpreter(program);
      chip.open(chain(deepest(kind), indirect));
      expect(chip.call("f0", [1])).toEqual({ result: 6n });
      const most = chip.stackMost();
      console.log(
        `${callDepth} calls, ${blockNesting} ${name}: ${most} of ${stackOfBoard()} bytes`,
      );
      expect(most).toBeLessThanOrEqual(stackOfBoard() - FIRMWARE);
    }
  });
});
