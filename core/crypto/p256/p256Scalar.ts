// SPDX-License-Identifier: BSD-3-Clause
// Scalars of P-256: numbers modulo the group's order n, in Montgomery form with R = 2^261 and nine limbs of 29 bits as
// in p256Fe.ts; the products are those of mont.ts with a single block. All values are kept in 0..2n (SP 800-186 §3.2.1.3).
import { P256_WORK } from "../../memory";
import { montMul } from "../mont";
import { natFromBytes, natIsEqual, natToBytes } from "../nat";
import { P256_UNIT } from "./p256Fe";

const N_INVERSE: u32 = 0xe00bc4f; // -n^-1 mod 2^29

// biome-ignore format: nine limbs a line
const N: usize = memory.data<u32>([0x1c632551, 0x1dce5617, 0x5e7a13c, 0xdf55b4e, 0x1ffffbce, 0x1fffffff, 0x3ffff, 0x1fe00000, 0xffffff]);
// biome-ignore format: nine limbs a line
const RR: usize = memory.data<u32>([0x148d9ef5, 0xf4e7f75, 0x14c6a651, 0x3f8b765, 0x165861f1, 0x1256d7d8, 0x1c185b23, 0xd4cab0f, 0x84b655]);
/** n, big-endian. */
// biome-ignore format: eight bytes a word
export const P256_ORDER: usize = memory.data<u8>([0xff, 0xff, 0xff, 0xff, 0x0, 0x0, 0x0, 0x0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51]);

/** r = a b / R mod n, in 0..2n for a, b in 0..2n. r may be a or b. */
export function p256ScalarMul(r: usize, a: usize, b: usize): void {
  montMul(r, a, b, N, N_INVERSE, 9, P256_WORK);
}

/** Reads 32 big-endian bytes, any value, into Montgomery form. */
export function p256ScalarFromBytes(r: usize, x32: usize): void {
  natFromBytes(r, 9, x32, 32);
  p256ScalarMul(r, r, RR);
}

/** Writes 32 big-endian bytes of the number in 0..n-1. r is 36 bytes of room, not a. */
export function p256ScalarToBytes(out32: usize, a: usize, r: usize): void {
  // With a factor of 1 the product lies in 0..n, both ends included.
  p256ScalarMul(r, a, P256_UNIT);
  const mask = natIsEqual(r, N, 9);
  for (let i: usize = 0; i < 36; i += 4) store<u32>(r + i, load<u32>(r + i) & ~mask);
  natToBytes(out32, 32, r);
}

/** r = a^-1 = a^(n-2), windows of four bits of the public exponent (0 stays 0). `room` is 576 bytes; r is not a. */
export function p256ScalarInvert(r: usize, a: usize, room: usize): void {
  p256ScalarMul(room, RR, P256_UNIT);
  for (let i: u32 = 36; i < 576; i += 36) p256ScalarMul(room + i, room + i - 36, a);
  memory.copy(r, room, 36);
  for (let i: u32 = 0; i < 64; i++) {
    for (let j = 0; j < 4; j++) p256ScalarMul(r, r, r);
    // The last digit of n is 1 and the one before it 5: n - 2 = ...254f.
    const byte: u32 = load<u8>(P256_ORDER + (i >> 1)) - (i === 62 ? 0x10 : 0);
    const digit = i === 63 ? 15 : (byte >> ((~i & 1) << 2)) & 15;
    if (digit) p256ScalarMul(r, r, room + digit * 36);
  }
}
