// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { defaultHal } from "./defaultHal.ts";
import type { Engine, EngineFactory } from "./engine.ts";

const CORE_WASM = new URL("../../../build/primitives.wasm", import.meta.url);

/** core.wasm compiled by the JavaScript engine, with one full page of memory. */
export const v8: EngineFactory = {
  name: "v8",
  async open(hal = () => ({})) {
    let exports: WebAssembly.Exports | undefined;
    const memory = () => {
      const exported = exports?.memory;
      if (!(exported instanceof WebAssembly.Memory)) throw new Error("the engine is closed");
      return new Uint8Array(exported.buffer);
    };
    const engine: Engine = {
      name: "v8",
      call(name, ...args) {
        const f = exports?.[name];
        if (typeof f !== "function") throw new Error(`core.wasm exports no function ${name}`);
        const result = f(...args) ?? 0;
        if (typeof result === "bigint") throw new Error(`${name} returns an i64`);
        return result;
      },
      read: (ptr, len) => memory().slice(ptr, ptr + len),
      write: (ptr, bytes) => memory().set(bytes, ptr),
      close: () => {
        exports = undefined;
      },
    };
    const module = await WebAssembly.compile(readFileSync(CORE_WASM));
    const imports = { hal: { ...defaultHal(engine), ...hal(engine) } };
    exports = (await WebAssembly.instantiate(module, imports)).exports;
    return engine;
  },
};
