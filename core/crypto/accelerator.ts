// SPDX-License-Identifier: BSD-3-Clause
// Which primitives the board does natively, asked once. Until then, and wherever a bit is missing, the core's own code runs.
import { accelerators } from "../hal";

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
