// SPDX-License-Identifier: BSD-3-Clause
import { chips } from "./chip.ts";
import type { EngineFactory } from "./engine.ts";
import { v8 } from "./v8.ts";
import { wasm3 } from "./wasm3.ts";

const all: Readonly<Record<string, EngineFactory>> = { v8, wasm3, ...chips };

function named(name: string): EngineFactory {
  const engine = all[name];
  if (!engine) throw new Error(`ATMICRO_ENGINES names ${name}; there are ${Object.keys(all)}`);
  return engine;
}

/** Every engine the suites run on: those of this machine, or those that ATMICRO_ENGINES names. */
export const engines: readonly EngineFactory[] = (process.env.ATMICRO_ENGINES ?? "v8,wasm3")
  .split(",")
  .map(named);
