// SPDX-License-Identifier: BSD-3-Clause
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { Wasm3, type Wasm3Options } from "../node/wasm3.ts";
import { I32, type ModuleParts, op, wasmModule } from "./wasmBytes.ts";

const load = (parts: ModuleParts, options: Partial<Wasm3Options> = {}) =>
  Wasm3.load(wasmModule(parts), { stackBytes: 4096, memoryLimit: 4096, imports: {}, ...options });

const binary = { params: [I32, I32], results: [I32] };
const addition = { ...binary, export: "add", body: [...op.get(0), ...op.get(1), op.add] };

describe("linear memory", () => {
  it("is the limit's length, or whole pages without one", () => {
    const limited = load({});
    expect(limited.read(0, 4096)).toHaveLength(4096);
    expect(() => limited.read(0, 4097)).toThrow(RangeError);
    limited.close();
    const whole = load({ memoryPages: 2 }, { memoryLimit: 0 });
    expect(whole.read(131_071, 1)).toHaveLength(1);
    expect(() => whole.read(131_072, 1)).toThrow(RangeError);
    whole.close();
  });

  it("is read and written within its bounds alone", () => {
    const instance = load({});
    expect(instance.read(4096, 0)).toHaveLength(0);
    instance.write(4096, new Uint8Array());
    const all = new Uint8Array(4096).fill(7);
    instance.write(0, all);
    expect(instance.read(0, 4096)).toEqual(all);
    for (const [ptr, len] of [
      [4097, 0],
      [4096, 1],
      [1, 4096],
      [0xffffffff, 2],
      [-1, 1],
      [0, -1],
      [0.5, 1],
      [Number.NaN, 1],
    ] as const) {
      expect(() => instance.read(ptr, len)).toThrow(RangeError);
    }
    expect(() => instance.write(4095, Uint8Array.of(1, 2))).toThrow(RangeError);
    expect(instance.read(4095, 1)).toEqual(Uint8Array.of(7));
    instance.close();
  });

  it("is copied when read", () => {
    const instance = load({});
    const copy = instance.read(0, 1);
    copy[0] = 9;
    expect(instance.read(0, 1)).toEqual(Uint8Array.of(0));
    instance.close();
    expect(copy).toEqual(Uint8Array.of(9));
  });
});

describe("the figures of memory", () => {
  it("add up, grow with compiled code, and count the stack and linear memory exactly", () => {
    const instance = load({ functions: [addition] });
    const before = instance.memory();
    expect(before.linear + before.codePages + before.runtime).toBe(before.total);
    expect(before.linear - 4096).toBeGreaterThan(0);
    expect(before.linear - 4096).toBeLessThan(64);
    expect(before.highWater).toBeGreaterThanOrEqual(before.total);
    const larger = load({ functions: [addition] }, { stackBytes: 8192, memoryLimit: 8192 });
    expect(larger.memory().runtime - before.runtime).toBe(4096);
    expect(larger.memory().linear - before.linear).toBe(4096);
    instance.call("add", 1, 2);
    expect(instance.memory().codePages).toBe(96);
    instance.close();
    larger.close();
  });
});

describe("the life of an instance", () => {
  it("ends with close: every use throws", () => {
    const instance = load({ functions: [addition] });
    instance.close();
    for (const use of [
      () => instance.call("add", 1, 2),
      () => instance.read(0, 1),
      () => instance.write(0, Uint8Array.of(1)),
      () => instance.memory(),
      () => instance.compile(),
      () => instance.close(),
    ]) {
      expect(use).toThrow("the instance is closed");
    }
  });

  it("leaves nothing behind over 10 000 loads, calls and closes", () => {
    const bytes = wasmModule({ functions: [addition] });
    const options = { stackBytes: 4096, memoryLimit: 32_768, imports: {} };
    const cycle = () => {
      const instance = Wasm3.load(bytes, options);
      expect(instance.call("add", 1, 2)).toBe(3);
      instance.close();
    };
    for (let i = 0; i < 1000; i++) cycle();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 10_000; i++) cycle();
    // One instance holds about 43 kB: a leak of all would be more than 400 MB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20);
  });

  it("is ended by the garbage collector when nobody closed it", async () => {
    setFlagsFromString("--expose-gc");
    const collect: () => void = runInNewContext("gc");
    const bytes = wasmModule({ functions: [addition] });
    const forget = async () => {
      for (let i = 0; i < 100; i++) {
        const instance: Wasm3 = Wasm3.load(bytes, {
          stackBytes: 4096,
          memoryLimit: 32_768,
          imports: { env: { host: { params: [], result: null, fn: () => instance.close() } } },
        });
      }
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    };
    for (let round = 0; round < 10; round++) await forget();
    const before = process.memoryUsage.rss();
    for (let round = 0; round < 60; round++) await forget();
    // 6000 forgotten instances would be more than 240 MB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20);
  });
});
