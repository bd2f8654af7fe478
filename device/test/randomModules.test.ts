// SPDX-License-Identifier: BSD-3-Clause
// Valid modules at random on every build of the interpreter, and on V8. randomModules.slow.ts has many more.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSeed } from "../../host/test/random.ts";
import { checkOnChip, checkReplay, SETTINGS } from "./modules/boards.ts";
import { checkBinding, compare } from "./modules/comparison.ts";
import { hasRv32, native, RV32 } from "./replay/machine.ts";
import { Replay } from "./replay/replay.ts";
import { buildThumbProgram, EmulatedInterpreter, hasThumbCompiler } from "./thumb/emulated.ts";

const COUNT = 400;
const COUNT_ON_BOARDS = 20;

const seed = newSeed();
console.log(`random modules: ATMICRO_SEED=${seed}`);

describe("random modules", () => {
  it("do under the binding what they do under V8", () => {
    const { calls, traps } = compare({ seed, count: COUNT, pagesMost: 2 }, checkBinding);
    // Both are often: what does not run is not compared.
    expect(traps).toBeGreaterThan(calls / 20);
    expect(traps).toBeLessThan(calls / 2);
  });

  const machines = [native(), ...(hasRv32() ? [RV32] : [])].map((m) => [m.name, m] as const);

  describe.each(machines)("under the boards' interpreter as a %s", (_, machine) => {
    let replay: Replay;
    beforeAll(() => {
      replay = new Replay(machine);
    });
    afterAll(() => replay.close());

    it("do the same", () => {
      const count = COUNT_ON_BOARDS;
      const compared = compare({ seed, count, pagesMost: 1 }, checkReplay(replay));
      expect(compared.modules).toBe(count);
    });
  });

  it.skipIf(!hasThumbCompiler())("do the same under the boards' interpreter for Thumb-1", () => {
    const chip = new EmulatedInterpreter(buildThumbProgram(SETTINGS));
    const compared = compare({ seed, count: COUNT_ON_BOARDS, pagesMost: 1 }, checkOnChip(chip));
    expect(compared.modules).toBe(COUNT_ON_BOARDS);
  });
});
