// SPDX-License-Identifier: BSD-3-Clause
// Random modules on an interpreter and on V8: results, traps, globals and memory have to be the same.

import { Wasm3 } from "../../node/wasm3.ts";
import { callsOf, difference, type Outcome, outcomeOf, outcomeOnV8 } from "./outcome.ts";
import { randomModule } from "./randomModule.ts";
import { reduced } from "./reduction.ts";
import { moduleBytes, type TreeModule } from "./tree.ts";

/** In what an interpreter's outcome differs from the one wanted, a refusal included; undefined: in nothing. */
export type Check = (module: TreeModule, wanted: Outcome) => string | undefined;

/** Checks an interpreter's outcomes. */
export const checkOf =
  (interpret: (module: TreeModule) => Outcome): Check =>
  (module, wanted) => {
    try {
      return difference(module, wanted, interpret(module));
    } catch (error) {
      return String(error);
    }
  };

/** This machine's binding, with all the memory a module asks for. */
export const checkBinding = checkOf((module) => {
  const settings = { stackBytes: 16_384, memoryLimit: 0, imports: {} };
  const instance = Wasm3.load(moduleBytes(module), settings);
  try {
    return outcomeOf(module, instance);
  } finally {
    instance.close();
  }
});

/** A fault's text without its numbers: the smaller module has to have the same fault. */
const kindOf = (text: string | undefined) => text?.replace(/-?\d+/g, "#");

function report(module: TreeModule, found: string, seed: number, check: Check): string {
  const kind = kindOf(found);
  const small = reduced(module, (one) => kindOf(check(one, outcomeOnV8(one))) === kind);
  const calls = callsOf(small).map(({ name, args }) => `${name}(${args.join(", ")})`);
  return [
    `ATMICRO_SEED=${seed}: ${found}`,
    `smaller: ${check(small, outcomeOnV8(small))}, by ${calls.join(", ")} of`,
    Buffer.from(moduleBytes(small)).toString("hex"),
  ].join("\n");
}

/** What was compared. */
export interface Compared {
  readonly modules: number;
  readonly calls: number;
  readonly traps: number;
}

/**
 * Compares the modules of `count` seeds from `seed` on, whose memory may grow to `pagesMost` pages. Throws at the first
 * fault, with its seed and a smaller module.
 */
export function compare(
  { seed, count, pagesMost }: { seed: number; count: number; pagesMost: number },
  check: Check,
): Compared {
  let [calls, traps] = [0, 0];
  for (let i = 0; i < count; i++) {
    const module = randomModule(seed + i, pagesMost);
    const wanted = outcomeOnV8(module);
    const found = check(module, wanted);
    if (found !== undefined) throw new Error(report(module, found, seed + i, check));
    calls += wanted.calls.length;
    traps += wanted.calls.filter((result) => typeof result === "string").length;
  }
  return { modules: count, calls, traps };
}
