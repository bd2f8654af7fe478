// SPDX-License-Identifier: BSD-3-Clause
import { expect } from "vitest";
import type { Engine } from "./engine.ts";
import { MEMORY_LIMIT } from "./wasm3.ts";

/** Shortest run of a secret's bytes that counts as finding it. */
const RUN = 8;

/** The scratch region holds nothing but zeros, as it has to between exported calls. */
export function expectScratchWiped(engine: Engine): void {
  const scratch = engine.read(engine.call("scratch_ptr"), engine.call("scratch_len"));
  expect(scratch.findIndex((byte) => byte !== 0)).toBe(-1);
}

/** No eight consecutive bytes of `secret` are found in linear memory outside the I/O area. */
export function expectAbsent(engine: Engine, secret: Uint8Array): void {
  const memory = Buffer.from(engine.read(0, MEMORY_LIMIT));
  const io = engine.call("io_ptr");
  memory.fill(0, io, io + engine.call("io_len"));
  for (let i = 0; i + RUN <= secret.length; i++) {
    const part = secret.subarray(i, i + RUN);
    if (part.every((byte) => byte === 0)) continue;
    expect(memory.indexOf(part), `bytes ${i}.. of the secret`).toBe(-1);
  }
}

/** Both of the above for every secret. */
export function expectForgotten(engine: Engine, ...secrets: Uint8Array[]): void {
  expectScratchWiped(engine);
  for (const secret of secrets) expectAbsent(engine, secret);
}
