// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { type HostFunction, type ValueType, Wasm3 } from "../../../device/node/wasm3.ts";
import { defaultHal } from "./defaultHal.ts";
import type { Engine, EngineFactory, HalFunctions } from "./engine.ts";

const CORE_WASM = new URL("../../../build/primitives.wasm", import.meta.url);

/** What core/memory.ts says a board has to give. */
export const MEMORY_LIMIT = (() => {
  const source = readFileSync(new URL("../../memory.ts", import.meta.url), "utf8");
  const found = /\bMEMORY_LIMIT: u32 = (\d+);/.exec(source)?.[1];
  if (!found) throw new Error("core/memory.ts declares no MEMORY_LIMIT");
  return Number(found);
})();

/** wasm3's stack on the boards, in bytes. */
export const STACK_BYTES = 4096;

const words = (count: number): ValueType[] => Array<ValueType>(count).fill("i32");

/** The imports of core.wasm as core/hal.ts declares them. */
export function halImports(hal: HalFunctions): Record<string, HostFunction> {
  return {
    now_ms: { params: [], result: "i64", fn: hal.now_ms },
    entropy: { params: words(2), result: "i32", fn: hal.entropy },
    store_read: { params: words(3), result: "i32", fn: hal.store_read },
    store_write: { params: words(3), result: "i32", fn: hal.store_write },
    log: { params: words(3), result: null, fn: hal.log },
    accelerators: { params: [], result: "i32", fn: hal.accelerators },
    accel_mod_exp: { params: words(6), result: "i32", fn: hal.accel_mod_exp },
    accel_aes256: { params: words(4), result: null, fn: hal.accel_aes256 },
    accel_sha256: { params: words(3), result: null, fn: hal.accel_sha256 },
  };
}

/** core.wasm under wasm3 as on a board: its settings, its stack, MEMORY_LIMIT bytes of linear memory. */
export const wasm3: EngineFactory = {
  name: "wasm3",
  async open(hal = () => ({})) {
    let instance: Wasm3 | undefined;
    const running = () => {
      if (!instance) throw new Error("the engine is closed");
      return instance;
    };
    const engine: Engine = {
      name: "wasm3",
      call(name, ...args) {
        const result = running().call(name, ...args) ?? 0;
        if (typeof result === "bigint") throw new Error(`${name} returns an i64`);
        return result;
      },
      read: (ptr, len) => running().read(ptr, len),
      write: (ptr, bytes) => running().write(ptr, bytes),
      close: () => {
        running().close();
        instance = undefined;
      },
    };
    instance = Wasm3.load(readFileSync(CORE_WASM), {
      stackBytes: STACK_BYTES,
      memoryLimit: MEMORY_LIMIT,
      imports: { hal: halImports({ ...defaultHal(engine), ...hal(engine) }) },
    });
    return engine;
  },
};
