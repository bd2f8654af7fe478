// SPDX-License-Identifier: BSD-3-Clause

/** What core.wasm may ask of the outside, as core/hal.ts declares it; each test gives the parts it needs. */
export interface HalFunctions {
  now_ms(): bigint;
  entropy(out: number, len: number): number;
  store_read(id: number, out: number, cap: number): number;
  store_write(id: number, x: number, len: number): number;
  log(level: number, text: number, len: number): void;
  accelerators(): number;
  accel_mod_exp(out: number, x: number, e: number, eLen: number, n: number, nLen: number): number;
  accel_aes256(out: number, x: number, count: number, key: number): void;
  accel_sha256(state: number, blocks: number, count: number): void;
}

/** One instance of core.wasm on some interpreter or compiler. */
export interface Engine {
  readonly name: string;
  /** Calls an export; a trap is thrown as an Error. i64 parameters are bigint. */
  call(name: string, ...args: (number | bigint)[]): number;
  /** Copies `len` bytes of linear memory from `ptr`. */
  read(ptr: number, len: number): Uint8Array;
  /** Copies bytes into linear memory at `ptr`. */
  write(ptr: number, bytes: Uint8Array): void;
  /** Releases the instance; further calls throw. */
  close(): void;
}

/** Makes an engine running `build/core.wasm`; `hal` is built from the engine, to reach its memory. */
export type EngineFactory = {
  readonly name: string;
  open(hal?: (engine: Engine) => Partial<HalFunctions>): Promise<Engine>;
};
