// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Wasm3 } from "../../device/node/wasm3.ts";
import { defaultHal } from "./engine/defaultHal.ts";
import { halImports, MEMORY_LIMIT, STACK_BYTES, wasm3 } from "./engine/wasm3.ts";

const wasm = readFileSync(new URL("../../build/core.wasm", import.meta.url));

/** Instances that no test calls into need no memory for their imports to reach. */
const unreached = {
  name: "unreached",
  call: () => 0,
  read: () => new Uint8Array(),
  write: () => {},
  close: () => {},
};

const load = (memoryLimit: number) =>
  Wasm3.load(wasm, {
    stackBytes: STACK_BYTES,
    memoryLimit,
    imports: { hal: halImports(defaultHal(unreached)) },
  });

describe("core.wasm under the boards' wasm3", () => {
  it("compiles every function within the boards' limits", () => {
    const instance = load(MEMORY_LIMIT);
    expect(instance.memory().codePages).toBeLessThan(8192);
    instance.compile();
    expect(instance.memory().codePages).toBeGreaterThan(8192);
    instance.close();
  });

  it("is given MEMORY_LIMIT bytes and not one more", () => {
    const instance = load(MEMORY_LIMIT);
    expect(instance.read(MEMORY_LIMIT - 1, 1)).toHaveLength(1);
    expect(() => instance.read(MEMORY_LIMIT, 1)).toThrow(
      `1 bytes at ${MEMORY_LIMIT} are outside linear memory of ${MEMORY_LIMIT} bytes`,
    );
    instance.close();
  });

  it("finds every export by name, also functions the compiler merged", async () => {
    const engine = await wasm3.open();
    const names = WebAssembly.Module.exports(new WebAssembly.Module(wasm))
      .filter((entry) => entry.kind === "function")
      .map((entry) => entry.name);
    // Too many arguments: the function is found and compiled, and refused before it runs.
    const args = Array<bigint>(17).fill(0n);
    for (const name of names) {
      expect(() => engine.call(name, ...args)).toThrow(/^\w+ takes \d+ arguments, not 17$/);
    }
    engine.close();
  });
});
