// SPDX-License-Identifier: BSD-3-Clause
// HMAC-DRBG with SHA-256, without prediction resistance (NIST SP 800-90A Rev. 1 §10.1.2). One instance: every key,
// nonce, padding and blinding of the core comes from here. The caller gathers the seed; this file asks for nothing.
import { DRBG, SCRATCH_HMAC } from "../memory";
import { Status } from "../status";
import { hmacFinal, hmacInit, hmacUpdate } from "./hmac";

/** Least seed of drbgSeed: 32 bytes of entropy and 16 of nonce. */
export const DRBG_SEED_MIN: u32 = 48;
/** Least entropy of drbgReseed. */
export const DRBG_RESEED_MIN: u32 = 32;
/** Most bytes of one request (§10.1, table 2: 2^19 bits). */
export const DRBG_REQUEST_MAX: u32 = 65536;
/** Requests answered by one seed; far below the standard's 2^48. */
export const DRBG_RESEED_INTERVAL: u32 = 1 << 20;

const K: usize = DRBG;
const V: usize = DRBG + 32;
const COUNTER: usize = DRBG + 64;

/** Instantiates: entropy, nonce, personalisation, one after the other, at least DRBG_SEED_MIN bytes, secret. */
export function drbgSeed(seed: usize, seedLen: u32): i32 {
  if (seedLen < DRBG_SEED_MIN) return Status.BadArgument;
  memory.fill(K, 0x00, 32);
  memory.fill(V, 0x01, 32);
  update(seed, seedLen);
  return Status.Done;
}

/** Reseeds: entropy then additional input, at least DRBG_RESEED_MIN bytes, secret. NoEntropy when never seeded. */
export function drbgReseed(seed: usize, seedLen: u32): i32 {
  if (seedLen < DRBG_RESEED_MIN) return Status.BadArgument;
  if (load<u32>(COUNTER) === 0) return Status.NoEntropy;
  update(seed, seedLen);
  return Status.Done;
}

/** Writes `outLen` random bytes. NoEntropy when never seeded or when the seed is used up: then nothing is written. */
export function drbgGenerate(out: usize, outLen: u32): i32 {
  if (outLen > DRBG_REQUEST_MAX) return Status.BadArgument;
  const counter = load<u32>(COUNTER);
  if (counter === 0 || counter > DRBG_RESEED_INTERVAL) return Status.NoEntropy;
  while (outLen) {
    const part = min<u32>(outLen, 32);
    next();
    memory.copy(out, V, part);
    out += part;
    outLen -= part;
  }
  update(0, 0);
  store<u32>(COUNTER, counter + 1);
  return Status.Done;
}

/** V = HMAC(K, V). */
function next(): void {
  hmacInit(SCRATCH_HMAC, K, 32);
  hmacUpdate(SCRATCH_HMAC, V, 32);
  hmacFinal(V, SCRATCH_HMAC);
}

/** Mixes `xLen` bytes into K and V (§10.1.2.2) and counts from 1. */
function update(x: usize, xLen: u32): void {
  mix(0x00, x, xLen);
  if (xLen) mix(0x01, x, xLen);
  store<u32>(COUNTER, 1);
}

function mix(separator: u32, x: usize, xLen: u32): void {
  hmacInit(SCRATCH_HMAC, K, 32);
  hmacUpdate(SCRATCH_HMAC, V, 32);
  store<u8>(COUNTER, separator);
  hmacUpdate(SCRATCH_HMAC, COUNTER, 1);
  hmacUpdate(SCRATCH_HMAC, x, xLen);
  hmacFinal(K, SCRATCH_HMAC);
  next();
}
