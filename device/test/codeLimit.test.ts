// SPDX-License-Identifier: BSD-3-Clause
// Compiled code as a cache: what runs keeps its code, everything else may lose it and get it again.
import { describe, expect, it } from "vitest";
import { Wasm3 } from "../node/wasm3.ts";
import { I32, op, wasmModule } from "./wasmBytes.ts";

const LIMIT = 4096;

const load = (functions: NonNullable<Parameters<typeof wasmModule>[0]["functions"]>) =>
  Wasm3.load(wasmModule({ functions }), {
    stackBytes: 65_536,
    memoryLimit: 4096,
    codeLimit: LIMIT,
    imports: {},
  });

/** Adds 1 `count` times to the top of the stack. */
const additions = (count: number) =>
  Array(count)
    .fill([...op.i32(1), op.add])
    .flat();

/** `count` functions, each calling the next with its argument and adding `steps` to what it returns. */
const chain = (count: number, steps: number) =>
  Array.from({ length: count }, (_, i) => ({
    params: [I32],
    results: [I32],
    export: `f${i}`,
    body: [...op.get(0), ...(i + 1 < count ? op.call(i + 1) : []), ...additions(steps)],
  }));

describe("the code limit", () => {
  it("holds while a hundred functions run in turn, again and again", () => {
    const functions = Array.from({ length: 100 }, (_, i) => ({
      params: [I32],
      results: [I32],
      export: `f${i}`,
      body: [...op.get(0), ...additions(20 + i)],
    }));
    const instance = load(functions);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 100; i++) {
        expect(instance.call(`f${i}`, 1000)).toBe(1020 + i);
        expect(instance.memory().codePages).toBeLessThanOrEqual(LIMIT);
      }
    }
    instance.close();
  });

  it("leaves running functions their code, also when one of them calls what was thrown out", () => {
    const caller = {
      params: [I32],
      results: [I32],
      export: "all",
      body: [...op.get(0), ...Array.from({ length: 30 }, (_, i) => op.call(i % 15)).flat()],
    };
    const callees = Array.from({ length: 15 }, () => ({
      params: [I32],
      results: [I32],
      body: [...op.get(0), ...additions(25)],
    }));
    const instance = load([...callees, caller]);
    expect(instance.call("all", 7)).toBe(7 + 30 * 25);
    expect(instance.memory().codePages).toBeLessThanOrEqual(LIMIT);
    instance.close();
  });

  it("ends a call whose running functions do not fit with a trap, and the next call works", () => {
    const instance = load(chain(40, 20));
    expect(() => instance.call("f0", 0)).toThrow("memory allocation failed");
    expect(instance.memory().codePages).toBeLessThanOrEqual(LIMIT);
    expect(instance.call("f39", 5)).toBe(25);
    expect(instance.call("f38", 5)).toBe(45);
    instance.close();
  });

  it("refuses a function longer than the limit, and runs the others", () => {
    const instance = load([
      { results: [I32], export: "long", body: [...op.i32(0), ...additions(2000)] },
      { results: [I32], export: "short", body: op.i32(3) },
    ]);
    expect(() => instance.call("long")).toThrow("cannot be compiled");
    expect(instance.call("short")).toBe(3);
    instance.close();
  });
});
