// SPDX-License-Identifier: BSD-3-Clause
import type { Engine } from "./engine.ts";

/** Places arguments one after the other in the I/O area of a core, which is all the exports may be given. */
export class Io {
  readonly base: number;
  readonly length: number;
  readonly #engine: Engine;
  #next: number;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.base = engine.call("io_ptr");
    this.length = engine.call("io_len");
    this.#next = this.base;
  }

  /** Gives everything back, zeroed. */
  reset(): void {
    this.#engine.write(this.base, new Uint8Array(this.length));
    this.#next = this.base;
  }

  /** `len` bytes at a multiple of 8, or where `skew` puts them beyond it. */
  room(len: number, skew = 0): number {
    const ptr = ((this.#next + 7) & ~7) + skew;
    if (ptr + len > this.base + this.length) throw new Error("the I/O area is full");
    this.#next = ptr + len;
    return ptr;
  }

  put(bytes: Uint8Array, skew = 0): number {
    const ptr = this.room(bytes.length, skew);
    this.#engine.write(ptr, bytes);
    return ptr;
  }
}

export const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "utf8"));

/** The bytes an export wrote at `ptr`, in hexadecimal. */
export const hexAt = (engine: Engine, ptr: number, len: number): string =>
  toHex(engine.read(ptr, len));

const RUNS: Readonly<Record<string, number>> = { v8: 100, wasm3: 20 };

/** fast-check runs: wasm3 is some twenty times slower than a compiler, an emulated chip twenty times slower again. */
export const runs = (engine: Engine): number => RUNS[engine.name] ?? 2;
