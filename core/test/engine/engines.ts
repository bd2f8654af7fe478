// SPDX-License-Identifier: BSD-3-Clause
import type { EngineFactory } from "./engine.ts";
import { v8 } from "./v8.ts";
import { wasm3 } from "./wasm3.ts";

/** Every engine the suites run on. */
export const engines: readonly EngineFactory[] = [v8, wasm3];
