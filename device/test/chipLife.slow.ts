// SPDX-License-Identifier: BSD-3-Clause
// A device's life, recorded on V8, again on the boards' interpreter for Thumb-1: minutes on an emulated RP2040.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import rp2040 from "../../boards/rp2040/board.json" with { type: "json" };
import { recordLife } from "./replay/recording.ts";
import { buildThumbProgram, EmulatedInterpreter } from "./thumb/emulated.ts";
import { ChipReplay } from "./thumb/replay.ts";

const CORE_WASM = new URL("../../build/core.wasm", import.meta.url);
/** Native stack left for the interpreter, compiling included. */
const NATIVE_STACK = 2560;

it("with the settings of boards/rp2040 does what V8 does, within its native stack", async () => {
  const program = buildThumbProgram(rp2040.interpreter);
  const core = readFileSync(CORE_WASM);
  const replay = new ChipReplay(await recordLife(), (imports) => {
    const chip = new EmulatedInterpreter(program, imports);
    chip.open(core);
    return chip;
  });
  const figures = replay.play();
  if (process.env.ATMICRO_FIGURES) console.table(figures);
  expect(figures.at(-1)?.phase).toBe("steady state");
  for (const { stackMost } of figures) expect(stackMost).toBeLessThanOrEqual(NATIVE_STACK);
}, 900_000);
