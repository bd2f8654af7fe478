// SPDX-License-Identifier: BSD-3-Clause
// A device's life, recorded on V8, again on the interpreter of the boards.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import rp2040 from "../../boards/rp2040/board.json" with { type: "json" };
import { makes32Bit, native } from "./replay/machine.ts";
import { recordLife } from "./replay/recording.ts";
import { Replay } from "./replay/replay.ts";

const narrow = makes32Bit();
let life: string[] = [];
let replay: Replay;

beforeAll(async () => {
  life = await recordLife();
  replay = new Replay(native());
}, 60_000);

afterAll(() => replay.close());

/**
 * How often a function may be compiled in a phase, and in 10 s of steady state, on the board. Where the chain of functions
 * that run hardly fits, those at its end are compiled again at every call, which takes minutes of a chip.
 */
const COMPILED_MOST = { phase: 2000, round: 500 };
const ROUNDS = 20;

/** What the board gives the interpreter, where it has 32 bits; twice as much holds the same with 64. */
const BOARD = rp2040.interpreter;

const phases = (settings: { heap: number; codeLimit: number }) => {
  const figures = replay.play(life, { ...BOARD, ...settings });
  if (process.env.ATMICRO_FIGURES) console.table(figures);
  return figures;
};

describe(`the boards' interpreter, ${narrow ? 32 : 64} bits`, () => {
  it("does what V8 does", () => {
    const figures = phases({ heap: 524_288, codeLimit: 0 });
    expect(figures.map((figure) => figure.phase)).toContain("steady state");
    expect(figures.at(-1)?.evicted).toBe(0);
  });

  const inHeap = (heap: number) => phases({ heap: heap * (narrow ? 1 : 2), codeLimit: 0 });

  it("does it in the heap of the RP2040, without compiling the same over and over", () => {
    const figures = inHeap(BOARD.heap);
    expect(figures.at(-1)?.evicted).toBeGreaterThan(0);
    for (const [i, { phase, compiled }] of figures.entries()) {
      const before = phase === "second boot" ? 0 : (figures[i - 1]?.compiled ?? 0);
      const most = phase === "steady state" ? ROUNDS * COMPILED_MOST.round : COMPILED_MOST.phase;
      expect(compiled - before, phase).toBeLessThanOrEqual(most);
    }
  });

  it("does it in a heap that hardly holds what runs", () => {
    expect(inHeap(66_000).at(-1)?.evicted).toBeGreaterThan(0);
  });

  it.each([32_768, 24_576])("does it with %i bytes of code at a time", (codeLimit) => {
    for (const figure of phases({ heap: 524_288, codeLimit: codeLimit * (narrow ? 1 : 2) })) {
      expect(figure.codeMost).toBeLessThanOrEqual(codeLimit * (narrow ? 1 : 2));
    }
  });
});
