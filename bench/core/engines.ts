// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { boardHal } from "../../device/js/hal.ts";
import {
  type Interpreter,
  type InterpreterName,
  openInterpreter,
} from "../../device/js/interpreter.ts";
import type { FileStore } from "../../device/js/store.ts";

/** The board whose memory and stack the measurements use; read from the repository's root. */
export interface Board {
  readonly linearMemoryLimit: number;
  readonly wasm3StackBytes: number;
}

const fromRoot = (path: string): string =>
  fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const coreWasm: Uint8Array = readFileSync(fromRoot("build/core.wasm"));
/** The same with an export for each primitive. */
const primitivesWasm: Uint8Array = readFileSync(fromRoot("build/primitives.wasm"));
export const board: Board = JSON.parse(
  readFileSync(fromRoot("boards/simulated/board.json"), "utf8"),
);

/** The core as on the simulated board, its DRBG seeded. */
export async function openCore(name: InterpreterName, store: FileStore): Promise<Interpreter> {
  const log = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const interpreter = await openInterpreter(
    {
      wasm: primitivesWasm,
      hal: (memory) => boardHal(memory, { store, accelerate: false, log }),
      memoryLimit: board.linearMemoryLimit,
      stackBytes: board.wasm3StackBytes,
    },
    name,
  );
  interpreter.call("core_init");
  return interpreter;
}
