// SPDX-License-Identifier: BSD-3-Clause
// The wasm3 interpreter, compiled as the boards compile it, for Node. It runs modules that are trusted: wasm3 0.5
// checks bounds, stack and the limits of ../wasm3/settings.h, but does not validate a module as a browser does.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

export type ValueType = "i32" | "i64";

/** A function offered to the module; an i32 is a number, an i64 a bigint. */
export interface HostFunction {
  readonly params: readonly ValueType[];
  /** null: the function returns nothing. */
  readonly result: ValueType | null;
  readonly fn: (...args: never[]) => unknown;
}

export interface Wasm3Options {
  /** wasm3's own stack in bytes, 1024 to 65536. */
  readonly stackBytes: number;
  /** Linear memory in bytes, a multiple of 8; 0 gives the module the whole pages it asks for. */
  readonly memoryLimit: number;
  /**
   * Most bytes of compiled code at a time; functions that are not running lose theirs when it is reached, and are
   * compiled again when they are next called. 0, or left out: any amount.
   */
  readonly codeLimit?: number;
  /** Module name, then function name. Functions the module does not import are ignored. */
  readonly imports: Readonly<Record<string, Readonly<Record<string, HostFunction>>>>;
}

/** Bytes wasm3 has allocated for one instance on this machine, where pointers are 64 bits and on a board 32. */
export interface Wasm3Memory {
  /** Linear memory with its header. */
  readonly linear: number;
  /** wasm3's own code, compiled function by function when first called. */
  readonly codePages: number;
  /** Everything else: environment, runtime with its stack, module. */
  readonly runtime: number;
  readonly total: number;
  /** The greatest total so far. */
  readonly highWater: number;
}

/** The module ended a call by a trap; the message is the function's name and wasm3's text. */
export class Wasm3Trap extends Error {
  override readonly name = "Wasm3Trap";
  readonly functionName: string;

  constructor(functionName: string, message: string) {
    super(message);
    this.functionName = functionName;
  }
}

/** What addon.c exports. */
interface Addon {
  open(
    bytes: Uint8Array,
    stackBytes: number,
    memoryLimit: number,
    codeLimit: number,
    imports: readonly { module: string; name: string; signature: string }[],
  ): unknown;
  call(
    handle: unknown,
    name: string,
    args: readonly (number | bigint)[],
    host: (index: number, ...args: (number | bigint)[]) => unknown,
  ): number | bigint | undefined;
  read(handle: unknown, ptr: number, len: number): Uint8Array;
  write(handle: unknown, ptr: number, bytes: Uint8Array): void;
  usage(handle: unknown): readonly [number, number, number, number];
  compile(handle: unknown): void;
  close(handle: unknown): void;
}

/** The compiled binding: beside the compiled program, or in build/ when the sources run directly. */
const ADDON_PLACES = ["./wasm3.node", "../../build/device/node/wasm3.node"].map((place) =>
  fileURLToPath(new URL(place, import.meta.url)),
);

let addon: Addon | undefined;

/** True when the binding has been compiled on this machine. */
export function wasm3Available(): boolean {
  return ADDON_PLACES.some((place) => existsSync(place));
}

function loadAddon(): Addon {
  if (addon) return addon;
  const place = ADDON_PLACES.find((candidate) => existsSync(candidate));
  if (!place) {
    throw new Error(
      "the wasm3 binding is not built; run `node device/node/build.mjs` (it needs a C compiler)",
    );
  }
  try {
    addon = createRequire(import.meta.url)(place) as Addon;
  } catch (cause) {
    throw new Error(
      `the wasm3 binding ${place} cannot be loaded; build it again with \`node device/node/build.mjs\``,
      { cause },
    );
  }
  return addon;
}

const letters = { i32: "i", i64: "I" } as const;

function signatureOf(host: HostFunction): string {
  const result = host.result === null ? "v" : letters[host.result];
  return `${result}(${host.params.map((param) => letters[param]).join("")})`;
}

/** One instance of a module. Use after close, and calls from inside a host function, throw. */
export class Wasm3 {
  readonly #addon: Addon;
  readonly #handle: unknown;
  readonly #functions: readonly HostFunction["fn"][];

  private constructor(addon: Addon, handle: unknown, functions: readonly HostFunction["fn"][]) {
    this.#addon = addon;
    this.#handle = handle;
    this.#functions = functions;
  }

  /** Loads a module of at most 65536 bytes. Throws an Error that names the cause, for example a missing import. */
  static load(bytes: Uint8Array, options: Wasm3Options): Wasm3 {
    const offered = Object.entries(options.imports).flatMap(([module, functions]) =>
      Object.entries(functions).map(([name, host]) => ({ module, name, host })),
    );
    const loaded = loadAddon();
    const handle = loaded.open(
      bytes,
      options.stackBytes,
      options.memoryLimit,
      options.codeLimit ?? 0,
      offered.map(({ module, name, host }) => ({ module, name, signature: signatureOf(host) })),
    );
    return new Wasm3(
      loaded,
      handle,
      offered.map(({ host }) => host.fn),
    );
  }

  /**
   * Calls an exported function; undefined when it returns nothing. A trap is thrown as Wasm3Trap; what a host function
   * threw ends the call and is thrown again.
   */
  call(name: string, ...args: (number | bigint)[]): number | bigint | undefined {
    try {
      return this.#addon.call(this.#handle, name, args, (index, ...values) => {
        const run = this.#functions[index] as
          | ((...values: (number | bigint)[]) => unknown)
          | undefined;
        return run?.(...values);
      });
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "WASM3_TRAP")
        throw error;
      throw new Wasm3Trap(name, error.message);
    }
  }

  /** Copies `len` bytes of linear memory. Throws a RangeError outside it. */
  read(ptr: number, len: number): Uint8Array {
    return this.#addon.read(this.#handle, ptr, len);
  }

  /** Copies bytes into linear memory. Throws a RangeError, and writes nothing, when they do not all fit. */
  write(ptr: number, bytes: Uint8Array): void {
    this.#addon.write(this.#handle, ptr, bytes);
  }

  memory(): Wasm3Memory {
    const [linear, codePages, total, highWater] = this.#addon.usage(this.#handle);
    return { linear, codePages, runtime: total - linear - codePages, total, highWater };
  }

  /** Compiles every function now instead of when it is first called; throws when one does not compile. */
  compile(): void {
    this.#addon.compile(this.#handle);
  }

  /** Frees the instance. */
  close(): void {
    this.#addon.close(this.#handle);
  }
}
