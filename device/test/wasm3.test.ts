// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, it } from "vitest";
import { type HostFunction, Wasm3, type Wasm3Options, Wasm3Trap } from "../node/wasm3.ts";
import { I32, I64, type ModuleParts, op, wasmModule } from "./wasmBytes.ts";

const load = (parts: ModuleParts, options: Partial<Wasm3Options> = {}) =>
  Wasm3.load(wasmModule(parts), { stackBytes: 4096, memoryLimit: 4096, imports: {}, ...options });

const binary = { params: [I32, I32], results: [I32] };
const addition = { ...binary, export: "add", body: [...op.get(0), ...op.get(1), op.add] };

/** A module whose function "run" calls import env.host of the given type with its own arguments. */
const forwarding = (type: { params: number[]; results: number[] }): ModuleParts => ({
  imports: [{ module: "env", name: "host", ...type }],
  functions: [
    { ...type, export: "run", body: [...type.params.flatMap((_, i) => op.get(i)), ...op.call(0)] },
  ],
});

const nothing = { params: [], results: [] };
const host = (fn: HostFunction["fn"]): Partial<Wasm3Options> => ({
  imports: { env: { host: { params: [], result: null, fn } } },
});

describe("calls", () => {
  it("pass i32 as numbers, signed or unsigned, and give signed ones", () => {
    const instance = load({ functions: [addition] });
    expect(instance.call("add", 2, 3)).toBe(5);
    expect(instance.call("add", -1, 0)).toBe(-1);
    expect(instance.call("add", 0xffffffff, 0)).toBe(-1);
    expect(instance.call("add", 0x7fffffff, 1)).toBe(-0x80000000);
    instance.close();
  });

  it("pass i64 as bigints", () => {
    const instance = load({
      functions: [
        {
          params: [I64, I64],
          results: [I64],
          export: "add",
          body: [...op.get(0), ...op.get(1), op.add64],
        },
      ],
    });
    expect(instance.call("add", 2n ** 62n, 2n ** 62n)).toBe(-(2n ** 63n));
    expect(instance.call("add", 2n ** 64n - 1n, 0n)).toBe(-1n);
    expect(instance.call("add", -5n, 3n)).toBe(-2n);
    instance.close();
  });

  it("give undefined when the function returns nothing", () => {
    const instance = load({ functions: [{ export: "nothing", body: [] }] });
    expect(instance.call("nothing")).toBeUndefined();
    instance.close();
  });

  it.each([
    [[1], "add takes 2 arguments, not 1"],
    [[1, 2, 3], "add takes 2 arguments, not 3"],
    [[1, 2n], "argument 2 of add must be a 32-bit whole number"],
    [[1.5, 2], "argument 1 of add must be a 32-bit whole number"],
    [[Number.NaN, 2], "argument 1 of add must be a 32-bit whole number"],
    [[2 ** 32, 2], "argument 1 of add must be a 32-bit whole number"],
    [[-(2 ** 31) - 1, 2], "argument 1 of add must be a 32-bit whole number"],
  ])("with the arguments %s are refused", (args, message) => {
    const instance = load({ functions: [addition] });
    expect(() => instance.call("add", ...args)).toThrow(new TypeError(message));
    expect(instance.call("add", 1, 1)).toBe(2);
    instance.close();
  });

  it("with a number, or a bigint of more than 64 bits, for an i64 are refused", () => {
    const instance = load({ functions: [{ params: [I64], export: "take", body: [] }] });
    for (const wrong of [1, 2n ** 64n, -(2n ** 63n) - 1n]) {
      expect(() => instance.call("take", wrong)).toThrow(
        "argument 1 of take must be a 64-bit bigint",
      );
    }
    instance.close();
  });

  it("reach exports alone", () => {
    const instance = load({ functions: [{ body: [] }, addition] });
    expect(() => instance.call("subtract")).toThrow("the module exports no function subtract");
    expect(() => instance.call("")).toThrow("the module exports no function ");
    instance.close();
  });
});

describe("traps", () => {
  const trapping = {
    functions: [
      { export: "stop", body: [op.unreachable] },
      { ...binary, export: "divide", body: [...op.get(0), ...op.get(1), op.divide] },
      { params: [I32], results: [I32], export: "load", body: [...op.get(0), ...op.load8] },
      { export: "recurse", body: op.call(3) },
    ],
  };

  it.each([
    ["stop", [], "stop: [trap] unreachable executed"],
    ["divide", [1, 0], "divide: [trap] integer divide by zero"],
    ["divide", [-(2 ** 31), -1], "divide: [trap] integer overflow"],
    ["load", [4096], "load: [trap] out of bounds memory access"],
    ["load", [-1], "load: [trap] out of bounds memory access"],
    ["recurse", [], "recurse: [trap] call depth exceeded"],
  ])("of %s %s carry wasm3's text and the function's name", (name, args, message) => {
    const instance = load(trapping);
    const trap = (() => {
      try {
        return instance.call(name, ...args);
      } catch (error) {
        return error;
      }
    })();
    expect(trap).toBeInstanceOf(Wasm3Trap);
    expect(trap).toMatchObject({ name: "Wasm3Trap", message, functionName: name });
    expect(instance.call("divide", 12, 4)).toBe(3);
    instance.close();
  });

  it("end a runaway recursion also with the largest stack", () => {
    const instance = load(trapping, { stackBytes: 65_536 });
    for (let i = 0; i < 10; i++)
      expect(() => instance.call("recurse")).toThrow("call depth exceeded");
    instance.close();
  });
});

describe("host functions", () => {
  const i32 = { params: [I32, I32], results: [I32] };

  it("get the arguments and give the result", () => {
    const calls: number[][] = [];
    const fn = (a: number, b: number) => {
      calls.push([a, b]);
      return a - b;
    };
    const imports = { env: { host: { params: ["i32", "i32"], result: "i32", fn } } } as const;
    const instance = load(forwarding(i32), { imports });
    expect(instance.call("run", 3, 5)).toBe(-2);
    expect(instance.call("run", 0xffffffff, 1)).toBe(-2);
    expect(calls).toEqual([
      [3, 5],
      [-1, 1],
    ]);
    instance.close();
  });

  it("pass i64 both ways", () => {
    const fn = (a: bigint) => a + 1n;
    const imports = { env: { host: { params: ["i64"], result: "i64", fn } } } as const;
    const instance = load(forwarding({ params: [I64], results: [I64] }), { imports });
    expect(instance.call("run", -(2n ** 63n))).toBe(-(2n ** 63n) + 1n);
    instance.close();
  });

  it("end the call when they throw, and what they threw comes out", () => {
    const thrown = new RangeError("no more");
    let ran = 0;
    const instance = load(
      {
        imports: [{ module: "env", name: "host", ...nothing }],
        functions: [{ export: "run", body: [...op.call(0), ...op.call(0)] }],
      },
      host(() => {
        ran++;
        throw thrown;
      }),
    );
    expect(() => instance.call("run")).toThrow(thrown);
    expect(ran).toBe(1);
    instance.close();
  });

  it.each([undefined, "1", 1n, 0.5, 2 ** 32])("returning %s for an i32 is an error", (value) => {
    const imports = {
      env: { host: { params: ["i32", "i32"], result: "i32", fn: () => value } },
    } as const;
    const instance = load(forwarding(i32), { imports });
    expect(() => instance.call("run", 1, 2)).toThrow(
      new TypeError("a host function must return a 32-bit whole number"),
    );
    instance.close();
  });

  it("may read and write memory, but not call, close or compile", () => {
    const seen: unknown[] = [];
    const instance: Wasm3 = load(
      forwarding(nothing),
      host(() => {
        instance.write(8, Uint8Array.of(1, 2, 3));
        seen.push([...instance.read(8, 3)]);
        for (const forbidden of [
          () => instance.call("run"),
          () => instance.close(),
          () => instance.compile(),
        ]) {
          expect(forbidden).toThrow(/from inside a host function is refused/);
        }
      }),
    );
    instance.call("run");
    expect(seen).toEqual([[1, 2, 3]]);
    instance.close();
  });

  it("may call another instance", () => {
    const other = load({ functions: [addition] });
    const results: unknown[] = [];
    const instance = load(
      forwarding(nothing),
      host(() => results.push(other.call("add", 20, 22))),
    );
    instance.call("run");
    expect(results).toEqual([42]);
    instance.close();
    other.close();
  });
});

/** Where the sections of a module begin; all of them here are shorter than 128 bytes. */
function sectionStarts(module: Uint8Array): number[] {
  const starts: number[] = [];
  for (let at = 8; at < module.length; at += 2 + (module[at + 1] ?? 0)) starts.push(at);
  return starts;
}

describe("loading", () => {
  it("names a missing import, and one of another type", () => {
    expect(() => load(forwarding(nothing))).toThrow(
      "the module imports env.host, which was not offered",
    );
    const imports = { env: { host: { params: ["i32"], result: null, fn: () => {} } } } as const;
    expect(() => load(forwarding(nothing), { imports })).toThrow(
      "import env.host offered as v(i): function signature mismatch",
    );
  });

  it("ignores functions that the module does not import", () => {
    const instance = load(
      { functions: [addition] },
      host(() => {}),
    );
    expect(instance.call("add", 1, 2)).toBe(3);
    instance.close();
  });

  it("runs a start function before the first call", () => {
    const instance = load({
      functions: [
        { body: [...op.i32(16), ...op.i32(77), ...op.store32] },
        { results: [I32], export: "get", body: [...op.i32(16), ...op.load8] },
      ],
      start: 0,
    });
    expect(instance.call("get")).toBe(77);
    instance.close();
  });

  it("refuses a module cut anywhere but between sections, and never runs what is missing", () => {
    const whole = wasmModule({ ...forwarding(nothing), data: [{ at: 0, bytes: [1, 2, 3] }] });
    const options = { stackBytes: 4096, memoryLimit: 4096, imports: {}, ...host(() => {}) };
    const starts = sectionStarts(whole);
    const loaded: number[] = [];
    for (let len = 0; len < whole.length; len++) {
      try {
        const instance = Wasm3.load(whole.subarray(0, len), options);
        loaded.push(len);
        // Its code is there when only the last section, the data, is cut off.
        if (len === starts.at(-1)) expect(instance.call("run")).toBeUndefined();
        else
          expect(() => instance.call("run")).toThrow(/^the module exports no|cannot be compiled/);
        instance.close();
      } catch (error) {
        expect(String(error)).toMatch(/^Error: the module cannot be (read|loaded): /);
      }
    }
    expect(loaded).toEqual(starts);
  });

  it("refuses what is not wasm, too long, or imports its memory", () => {
    const options = { stackBytes: 4096, memoryLimit: 0, imports: {} };
    expect(() => Wasm3.load(Buffer.from("not wasm, but bytes"), options)).toThrow(
      "the module cannot be read: malformed Wasm binary",
    );
    expect(() => Wasm3.load(new Uint8Array(65_537), options)).toThrow(
      "the module is longer than 65536 bytes",
    );
    expect(() => load({ importedMemory: true })).toThrow(
      "the module cannot be loaded: it imports its memory",
    );
  });

  it("holds stack and memory to their ranges", () => {
    for (const stackBytes of [0, 1023, 65_537]) {
      expect(() => load({}, { stackBytes })).toThrow("the stack must be 1024 to 65536 bytes");
    }
    load({}, { stackBytes: 1024 }).close();
    expect(() => load({}, { memoryLimit: 4095 })).toThrow("must be a multiple of 8 bytes");
  });

  it("refuses data beyond the memory limit", () => {
    const data = (at: number) => ({ data: [{ at, bytes: [1, 2, 3, 4] }] });
    load(data(4092)).close();
    expect(() => load(data(4093))).toThrow("data segment out of bounds");
  });

  it("refuses a function with floating point when it is compiled", () => {
    const instance = load({ functions: [{ body: [...op.f32, op.f32Neg, op.drop] }, addition] });
    expect(instance.call("add", 1, 1)).toBe(2);
    expect(() => instance.compile()).toThrow(/^function 0 cannot be compiled: /);
    instance.close();
  });

  it("refuses blocks nested as deeply as a module can hold", () => {
    const depth = 21_000;
    const body = [...Array(depth).fill([0x02, 0x40]).flat(), ...Array(depth).fill(0x0b)];
    const instance = load({ functions: [{ export: "deep", body }, addition] });
    expect(() => instance.call("deep")).toThrow("deep cannot be compiled: block nesting exceeded");
    expect(instance.call("add", 1, 1)).toBe(2);
    instance.close();
  });

  it("refuses accesses of a memory that has no page", () => {
    const body = [...op.i32(0), ...op.load8];
    const instance = load({
      functions: [{ results: [I32], export: "load", body }],
      memoryPages: 0,
    });
    const message = "load cannot be compiled: linear memory without a page";
    expect(() => instance.call("load")).toThrow(message);
    instance.close();
  });
});
