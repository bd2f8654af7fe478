// SPDX-License-Identifier: BSD-3-Clause
// Scalars of P-256: numbers modulo the group's order n, in Montgomery form with R = 2^261 and nine limbs of 29 bits as
// in p256Fe.ts. All values are kept in 0..2n (SP 800-186 §3.2.1.3).
import { natFromBytes, natIsEqual, natToBytes } from "./nat";

const LIMB: i64 = 0x1fffffff;
const N0: i64 = 0x1c632551;
const N1: i64 = 0x1dce5617;
const N2: i64 = 0x5e7a13c;
const N3: i64 = 0xdf55b4e;
const N4: i64 = 0x1ffffbce;
const N5: i64 = 0x1fffffff;
const N6: i64 = 0x3ffff;
const N7: i64 = 0x1fe00000;
const N8: i64 = 0xffffff;
const N_INVERSE: i64 = 0xe00bc4f; // -n^-1 mod 2^29

// biome-ignore format: nine limbs a line
const N: usize = memory.data<u32>([0x1c632551, 0x1dce5617, 0x5e7a13c, 0xdf55b4e, 0x1ffffbce, 0x1fffffff, 0x3ffff, 0x1fe00000, 0xffffff]);
// biome-ignore format: nine limbs a line
const RR: usize = memory.data<u32>([0x148d9ef5, 0xf4e7f75, 0x14c6a651, 0x3f8b765, 0x165861f1, 0x1256d7d8, 0x1c185b23, 0xd4cab0f, 0x84b655]);
const UNIT: usize = memory.data<u32>([1, 0, 0, 0, 0, 0, 0, 0, 0]);
/** n, big-endian. */
// biome-ignore format: eight bytes a word
export const P256_ORDER: usize = memory.data<u8>([0xff, 0xff, 0xff, 0xff, 0x0, 0x0, 0x0, 0x0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51]);

/** r = a b / R mod n, in 0..2n for a, b in 0..2n. r may be a or b. */
// biome-ignore format: one column of the product a line
export function p256ScalarMul(r: usize, a: usize, b: usize): void {
  const a0 = i64.load32_s(a); const a1 = i64.load32_s(a, 4); const a2 = i64.load32_s(a, 8);
  const a3 = i64.load32_s(a, 12); const a4 = i64.load32_s(a, 16); const a5 = i64.load32_s(a, 20);
  const a6 = i64.load32_s(a, 24); const a7 = i64.load32_s(a, 28); const a8 = i64.load32_s(a, 32);
  const b0 = i64.load32_s(b); const b1 = i64.load32_s(b, 4); const b2 = i64.load32_s(b, 8);
  const b3 = i64.load32_s(b, 12); const b4 = i64.load32_s(b, 16); const b5 = i64.load32_s(b, 20);
  const b6 = i64.load32_s(b, 24); const b7 = i64.load32_s(b, 28); const b8 = i64.load32_s(b, 32);
  let s = a0 * b0;
  const m0 = (s * N_INVERSE) & LIMB;
  s += m0 * N0;
  s = (s >> 29) + a0 * b1 + a1 * b0 + m0 * N1;
  const m1 = (s * N_INVERSE) & LIMB;
  s += m1 * N0;
  s = (s >> 29) + a0 * b2 + a1 * b1 + a2 * b0 + m0 * N2 + m1 * N1;
  const m2 = (s * N_INVERSE) & LIMB;
  s += m2 * N0;
  s = (s >> 29) + a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + m0 * N3 + m1 * N2 + m2 * N1;
  const m3 = (s * N_INVERSE) & LIMB;
  s += m3 * N0;
  s = (s >> 29) + a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + m0 * N4 + m1 * N3 + m2 * N2 + m3 * N1;
  const m4 = (s * N_INVERSE) & LIMB;
  s += m4 * N0;
  s = (s >> 29) + a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + m0 * N5 + m1 * N4 + m2 * N3 + m3 * N2 + m4 * N1;
  const m5 = (s * N_INVERSE) & LIMB;
  s += m5 * N0;
  s = (s >> 29) + a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + m0 * N6 + m1 * N5 + m2 * N4 + m3 * N3 + m4 * N2 + m5 * N1;
  const m6 = (s * N_INVERSE) & LIMB;
  s += m6 * N0;
  s = (s >> 29) + a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + m0 * N7 + m1 * N6 + m2 * N5 + m3 * N4 + m4 * N3 + m5 * N2 + m6 * N1;
  const m7 = (s * N_INVERSE) & LIMB;
  s += m7 * N0;
  s = (s >> 29) + a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0 + m0 * N8 + m1 * N7 + m2 * N6 + m3 * N5 + m4 * N4 + m5 * N3 + m6 * N2 + m7 * N1;
  const m8 = (s * N_INVERSE) & LIMB;
  s += m8 * N0;
  s = (s >> 29) + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + m1 * N8 + m2 * N7 + m3 * N6 + m4 * N5 + m5 * N4 + m6 * N3 + m7 * N2 + m8 * N1;
  i64.store32(r, s & LIMB);
  s = (s >> 29) + a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2 + m2 * N8 + m3 * N7 + m4 * N6 + m5 * N5 + m6 * N4 + m7 * N3 + m8 * N2;
  i64.store32(r, s & LIMB, 4);
  s = (s >> 29) + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + m3 * N8 + m4 * N7 + m5 * N6 + m6 * N5 + m7 * N4 + m8 * N3;
  i64.store32(r, s & LIMB, 8);
  s = (s >> 29) + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + m4 * N8 + m5 * N7 + m6 * N6 + m7 * N5 + m8 * N4;
  i64.store32(r, s & LIMB, 12);
  s = (s >> 29) + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + m5 * N8 + m6 * N7 + m7 * N6 + m8 * N5;
  i64.store32(r, s & LIMB, 16);
  s = (s >> 29) + a6 * b8 + a7 * b7 + a8 * b6 + m6 * N8 + m7 * N7 + m8 * N6;
  i64.store32(r, s & LIMB, 20);
  s = (s >> 29) + a7 * b8 + a8 * b7 + m7 * N8 + m8 * N7;
  i64.store32(r, s & LIMB, 24);
  s = (s >> 29) + a8 * b8 + m8 * N8;
  i64.store32(r, s & LIMB, 28);
  i64.store32(r, s >> 29, 32);
}

/** Reads 32 big-endian bytes, any value, into Montgomery form. */
export function p256ScalarFromBytes(r: usize, x32: usize): void {
  natFromBytes(r, 9, x32, 32);
  p256ScalarMul(r, r, RR);
}

/** Writes 32 big-endian bytes of the number in 0..n-1. r is 36 bytes of room, not a. */
export function p256ScalarToBytes(out32: usize, a: usize, r: usize): void {
  // With a factor of 1 the product lies in 0..n, both ends included.
  p256ScalarMul(r, a, UNIT);
  const mask = natIsEqual(r, N, 9);
  for (let i: usize = 0; i < 36; i += 4) store<u32>(r + i, load<u32>(r + i) & ~mask);
  natToBytes(out32, 32, r);
}

/** r = a^-1 = a^(n-2), windows of four bits of the public exponent (0 stays 0). `room` is 576 bytes; r is not a. */
export function p256ScalarInvert(r: usize, a: usize, room: usize): void {
  p256ScalarMul(room, RR, UNIT);
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
