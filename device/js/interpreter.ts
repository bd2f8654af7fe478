// SPDX-License-Identifier: BSD-3-Clause
import { type HostFunction, type ValueType, Wasm3, wasm3Available } from "../node/wasm3.ts";
import type { Hal, LinearMemory } from "./hal.ts";

export type InterpreterName = "wasm3" | "v8";

/** What runs core.wasm. A trap, and an export that is missing, are thrown as errors. */
export interface Interpreter extends LinearMemory {
  readonly name: InterpreterName;
  call(name: string, ...args: (number | bigint)[]): number;
  /** Bytes of linear memory, and of everything wasm3 has allocated (null under V8). */
  usage(): { linearMemoryBytes: number; wasm3HeapBytes: number | null };
  close(): void;
}

export interface InterpreterOptions {
  readonly wasm: Uint8Array;
  readonly hal: (memory: LinearMemory) => Hal;
  /** Bytes of linear memory; wasm3 holds the core to it, V8 gives a whole page. */
  readonly memoryLimit: number;
  readonly stackBytes: number;
}

const words = (count: number): ValueType[] => Array<ValueType>(count).fill("i32");

function wasm3Imports(hal: Hal): Record<string, HostFunction> {
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

function asI32(name: string, result: number | bigint | undefined): number {
  if (typeof result === "bigint") throw new Error(`${name} returns an i64`);
  return result ?? 0;
}

/** core.wasm under wasm3, as on a board. */
function openWasm3({ wasm, hal, memoryLimit, stackBytes }: InterpreterOptions): Interpreter {
  const opened: { instance?: Wasm3 } = {};
  const running = () => {
    if (!opened.instance) throw new Error("the interpreter is not open");
    return opened.instance;
  };
  const memory: LinearMemory = {
    read: (ptr, len) => running().read(ptr, len),
    write: (ptr, bytes) => running().write(ptr, bytes),
  };
  opened.instance = Wasm3.load(wasm, {
    stackBytes,
    memoryLimit,
    imports: { hal: wasm3Imports(hal(memory)) },
  });
  return {
    ...memory,
    name: "wasm3",
    call: (name, ...args) => asI32(name, running().call(name, ...args)),
    usage: () => ({ linearMemoryBytes: memoryLimit, wasm3HeapBytes: running().memory().total }),
    close: () => {
      running().close();
      delete opened.instance;
    },
  };
}

/** core.wasm under V8, where the wasm3 binding cannot be built. */
async function openV8({ wasm, hal }: InterpreterOptions): Promise<Interpreter> {
  const opened: { exports?: WebAssembly.Exports } = {};
  const bytes = () => {
    const memory = opened.exports?.memory;
    if (!(memory instanceof WebAssembly.Memory)) throw new Error("the interpreter is not open");
    return new Uint8Array(memory.buffer);
  };
  const part = (ptr: number, len: number) => {
    const all = bytes();
    if (ptr < 0 || len < 0 || ptr + len > all.length) {
      throw new RangeError(`${len} bytes at ${ptr} are outside linear memory`);
    }
    return all.subarray(ptr, ptr + len);
  };
  const memory: LinearMemory = {
    read: (ptr, len) => part(ptr, len).slice(),
    write: (ptr, x) => part(ptr, x.length).set(x),
  };
  const module = await WebAssembly.compile(wasm);
  opened.exports = (await WebAssembly.instantiate(module, { hal: hal(memory) })).exports;
  return {
    ...memory,
    name: "v8",
    call(name, ...args) {
      const run = opened.exports?.[name];
      if (typeof run !== "function") throw new Error(`the module exports no function ${name}`);
      return asI32(name, run(...args));
    },
    usage: () => ({ linearMemoryBytes: bytes().length, wasm3HeapBytes: null }),
    close: () => {
      delete opened.exports;
    },
  };
}

/** Opens core.wasm; without a name, under wasm3 where its binding has been built, otherwise under V8. */
export async function openInterpreter(
  options: InterpreterOptions,
  name: InterpreterName = wasm3Available() ? "wasm3" : "v8",
): Promise<Interpreter> {
  return name === "wasm3" ? openWasm3(options) : openV8(options);
}
