// SPDX-License-Identifier: BSD-3-Clause
// Which primitives the board does natively, asked once. Until then, and wherever a bit is missing, the core's own code runs.
import { accel_aes256, accel_mod_exp, accel_sha256, accelerators } from "../hal";

/** Bit of hal.accelerators: accel_mod_exp. */
export const ACCEL_MOD_EXP: i32 = 1;
/** Bit of hal.accelerators: accel_aes256. */
export const ACCEL_AES256: i32 = 2;
/** Bit of hal.accelerators: accel_sha256. */
export const ACCEL_SHA256: i32 = 4;

let offered: i32 = 0;

/** Asks the board what it offers; unknown bits are ignored. */
export function acceleratorProbe(): void {
  offered = accelerators();
}

/** Whether the board offers the accelerator of this bit. */
export function acceleratorHas(bit: i32): bool {
  return (offered & bit) !== 0;
}

/** The board's AES-256 over `count` blocks of 16 bytes; call only when acceleratorHas(ACCEL_AES256). */
export function acceleratorAes256(out: usize, x: usize, count: u32, key32: usize): void {
  accel_aes256(out, x, count, key32);
}

/** The board's SHA-256 over `count` blocks of 64 bytes; call only when acceleratorHas(ACCEL_SHA256). */
export function acceleratorSha256(state: usize, blocks: usize, count: u32): void {
  accel_sha256(state, blocks, count);
}

/** The board's x^e mod n, big-endian; 0 or negative. Call only when acceleratorHas(ACCEL_MOD_EXP). */
export function acceleratorModExp(
  out: usize,
  x: usize,
  e: usize,
  eLen: u32,
  n: usize,
  nLen: u32,
): i32 {
  return accel_mod_exp(out, x, e, eLen, n, nLen);
}
