// SPDX-License-Identifier: BSD-3-Clause
// Many valid modules at random on every build of the interpreter, and on V8: minutes.
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSeed } from "../../host/test/random.ts";
import { checkOnChip, checkReplay, SETTINGS } from "./modules/boards.ts";
import { type Check, checkBinding, compare } from "./modules/comparison.ts";
import { LARGE, randomModule, USUAL } from "./modules/randomModule.ts";
import { moduleBytes } from "./modules/tree.ts";
import { hasRv32, native, RV32 } from "./replay/machine.ts";
import { Replay } from "./replay/replay.ts";
import { SanitizedHarness } from "./sanitizedHarness.ts";
import { buildThumbProgram, EmulatedInterpreter, hasThumbCompiler } from "./thumb/emulated.ts";

const COUNT = 100_000;
const COUNT_ON_BOARDS = 200;
const COUNT_SANITIZED = 2000;
/** As many at a time, so that the test runner gets a word in. */
const FEW = 100;
const MINUTE = 60_000;

const seed = newSeed();
console.log(`random modules: ATMICRO_SEED=${seed}`);

/** Compares them; how many there were. */
async function compareAll(count: number, pagesMost: number, check: Check): Promise<number> {
  let compared = 0;
  while (compared < count) {
    const few = { seed: seed + compared, count: Math.min(FEW, count - compared), pagesMost };
    compared += compare(few, check).modules;
    await setImmediate();
  }
  return compared;
}

describe("random modules", () => {
  it(
    "do under the binding what they do under V8",
    async () => expect(await compareAll(COUNT, 2, checkBinding)).toBe(COUNT),
    30 * MINUTE,
  );

  const machines = [native(), ...(hasRv32() ? [RV32] : [])].map((m) => [m.name, m] as const);

  describe.each(machines)("under the boards' interpreter as a %s", (_, machine) => {
    let replay: Replay;
    beforeAll(() => {
      replay = new Replay(machine);
    });
    afterAll(() => replay.close());

    it(
      "do the same",
      async () => {
        expect(await compareAll(COUNT_ON_BOARDS, 1, checkReplay(replay))).toBe(COUNT_ON_BOARDS);
      },
      10 * MINUTE,
    );
  });

  it.each([
    ["usual", USUAL],
    ["large", LARGE],
  ])(
    "are compiled and run under the sanitizers without an error: %s ones",
    async (_, shape) => {
      const harness = new SanitizedHarness();
      try {
        for (let at = 0; at < COUNT_SANITIZED; at += FEW) {
          const seeds = Array.from({ length: FEW }, (_, i) => seed + at + i);
          const modules = seeds.map((one) => moduleBytes(randomModule(one, 2, shape)));
          expect(harness.run(modules)).toHaveLength(FEW);
          await setImmediate();
        }
      } finally {
        harness.close();
      }
    },
    10 * MINUTE,
  );

  it.skipIf(!hasThumbCompiler())(
    "do the same under the boards' interpreter for Thumb-1",
    async () => {
      const chip = new EmulatedInterpreter(buildThumbProgram(SETTINGS));
      expect(await compareAll(COUNT_ON_BOARDS, 1, checkOnChip(chip))).toBe(COUNT_ON_BOARDS);
    },
    20 * MINUTE,
  );
});
