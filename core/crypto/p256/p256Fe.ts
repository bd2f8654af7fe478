// SPDX-License-Identifier: BSD-3-Clause
// The field of P-256, p = 2^256 - 2^224 + 2^192 + 2^96 - 1 (SP 800-186 §3.2.1.3), in Montgomery form with R = 2^261.
//
// An element is nine limbs of 29 bits, least first, each an i32: 36 bytes. Under an interpreter every operation costs a
// dispatch, so sums of nine products pile up in an i64 and nothing is carried before it has to be; p = -1 modulo 2^96,
// so the quotient digit of a column is its own low limb and m * p is four shifts.
//
// "Carried" means limbs 0..7 in 0..2^29-1 and a small signed limb 8; p256FeMul, Square and Combine give that. Add and
// Subtract carry nothing: |limb| grows to 2^30 or stays below 2^29. A product needs |limb a| * |limb b| <= 3 * 2^58.
// Values are not reduced: with |a| <= x p and |b| <= y p the product lies in (-xy/32, 1 + xy/32) p.
import { natFromBytes, natIsEqual, natMaskedCopy, natToBytes } from "../nat";

/** Bytes of an element. */
export const P256_FE: u32 = 36;

const LIMB: i64 = 0x1fffffff;

// biome-ignore format: nine limbs a line
const P: usize = memory.data<u32>([0x1fffffff, 0x1fffffff, 0x1fffffff, 0x1ff, 0x0, 0x0, 0x40000, 0x1fe00000, 0xffffff]);
// biome-ignore format: nine limbs a line
const RR: usize = memory.data<u32>([0xc00, 0x0, 0x1fff0000, 0x1fdfffff, 0x1fbfffff, 0x1fffffff, 0x1fffffff, 0x1ffffffe, 0x13]);
/** The plain number 1. */
export const P256_UNIT: usize = memory.data<u32>([1, 0, 0, 0, 0, 0, 0, 0, 0]);
/** 1 in Montgomery form. */
// biome-ignore format: nine limbs a line
export const P256_ONE: usize = memory.data<u32>([0x20, 0x0, 0x0, 0x1fffc000, 0x1fffffff, 0x1fffffff, 0x1f7fffff, 0x3ffffff, 0x0]);
/** The curve's coefficient b in Montgomery form. */
// biome-ignore format: nine limbs a line
export const P256_B: usize = memory.data<u32>([0x1897bbfb, 0x1cdf6229, 0x18486c4, 0x1732821, 0x1dad59e0, 0xabf7212, 0x1a06d110, 0x17721d20, 0x8600c3]);

/** r = a b / R; carried. r may be a or b. */
// biome-ignore format: one column of the product a line
export function p256FeMul(r: usize, a: usize, b: usize): void {
  const a0 = i64.load32_s(a); const a1 = i64.load32_s(a, 4); const a2 = i64.load32_s(a, 8);
  const a3 = i64.load32_s(a, 12); const a4 = i64.load32_s(a, 16); const a5 = i64.load32_s(a, 20);
  const a6 = i64.load32_s(a, 24); const a7 = i64.load32_s(a, 28); const a8 = i64.load32_s(a, 32);
  const b0 = i64.load32_s(b); const b1 = i64.load32_s(b, 4); const b2 = i64.load32_s(b, 8);
  const b3 = i64.load32_s(b, 12); const b4 = i64.load32_s(b, 16); const b5 = i64.load32_s(b, 20);
  const b6 = i64.load32_s(b, 24); const b7 = i64.load32_s(b, 28); const b8 = i64.load32_s(b, 32);
  let s = a0 * b0;
  const m0 = s & LIMB;
  s = (s >> 29) + a0 * b1 + a1 * b0;
  const m1 = s & LIMB;
  s = (s >> 29) + a0 * b2 + a1 * b1 + a2 * b0;
  const m2 = s & LIMB;
  s = (s >> 29) + a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + (m0 << 9);
  const m3 = s & LIMB;
  s = (s >> 29) + a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + (m1 << 9);
  const m4 = s & LIMB;
  s = (s >> 29) + a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + (m2 << 9);
  const m5 = s & LIMB;
  s = (s >> 29) + a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + (m3 << 9) + (m0 << 18);
  const m6 = s & LIMB;
  s = (s >> 29) + a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + (m4 << 9) + (m1 << 18) - (m0 << 21);
  const m7 = s & LIMB;
  s = (s >> 29) + a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0 + (m5 << 9) + (m2 << 18) - (m1 << 21) + (m0 << 24);
  const m8 = s & LIMB;
  s = (s >> 29) + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + (m6 << 9) + (m3 << 18) - (m2 << 21) + (m1 << 24);
  i64.store32(r, s & LIMB);
  s = (s >> 29) + a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2 + (m7 << 9) + (m4 << 18) - (m3 << 21) + (m2 << 24);
  i64.store32(r, s & LIMB, 4);
  s = (s >> 29) + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + (m8 << 9) + (m5 << 18) - (m4 << 21) + (m3 << 24);
  i64.store32(r, s & LIMB, 8);
  s = (s >> 29) + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + (m6 << 18) - (m5 << 21) + (m4 << 24);
  i64.store32(r, s & LIMB, 12);
  s = (s >> 29) + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + (m7 << 18) - (m6 << 21) + (m5 << 24);
  i64.store32(r, s & LIMB, 16);
  s = (s >> 29) + a6 * b8 + a7 * b7 + a8 * b6 + (m8 << 18) - (m7 << 21) + (m6 << 24);
  i64.store32(r, s & LIMB, 20);
  s = (s >> 29) + a7 * b8 + a8 * b7 - (m8 << 21) + (m7 << 24);
  i64.store32(r, s & LIMB, 24);
  s = (s >> 29) + a8 * b8 + (m8 << 24);
  i64.store32(r, s & LIMB, 28);
  i64.store32(r, s >> 29, 32);
}

/** r = a a / R; carried. 45 products instead of 81. r may be a. */
// biome-ignore format: one column of the product a line
export function p256FeSquare(r: usize, a: usize): void {
  const a0 = i64.load32_s(a); const a1 = i64.load32_s(a, 4); const a2 = i64.load32_s(a, 8);
  const a3 = i64.load32_s(a, 12); const a4 = i64.load32_s(a, 16); const a5 = i64.load32_s(a, 20);
  const a6 = i64.load32_s(a, 24); const a7 = i64.load32_s(a, 28); const a8 = i64.load32_s(a, 32);
  const d0 = a0 << 1; const d1 = a1 << 1; const d2 = a2 << 1;
  const d3 = a3 << 1; const d4 = a4 << 1; const d5 = a5 << 1;
  const d6 = a6 << 1; const d7 = a7 << 1;
  let s = a0 * a0;
  const m0 = s & LIMB;
  s = (s >> 29) + d0 * a1;
  const m1 = s & LIMB;
  s = (s >> 29) + d0 * a2 + a1 * a1;
  const m2 = s & LIMB;
  s = (s >> 29) + d0 * a3 + d1 * a2 + (m0 << 9);
  const m3 = s & LIMB;
  s = (s >> 29) + d0 * a4 + d1 * a3 + a2 * a2 + (m1 << 9);
  const m4 = s & LIMB;
  s = (s >> 29) + d0 * a5 + d1 * a4 + d2 * a3 + (m2 << 9);
  const m5 = s & LIMB;
  s = (s >> 29) + d0 * a6 + d1 * a5 + d2 * a4 + a3 * a3 + (m3 << 9) + (m0 << 18);
  const m6 = s & LIMB;
  s = (s >> 29) + d0 * a7 + d1 * a6 + d2 * a5 + d3 * a4 + (m4 << 9) + (m1 << 18) - (m0 << 21);
  const m7 = s & LIMB;
  s = (s >> 29) + d0 * a8 + d1 * a7 + d2 * a6 + d3 * a5 + a4 * a4 + (m5 << 9) + (m2 << 18) - (m1 << 21) + (m0 << 24);
  const m8 = s & LIMB;
  s = (s >> 29) + d1 * a8 + d2 * a7 + d3 * a6 + d4 * a5 + (m6 << 9) + (m3 << 18) - (m2 << 21) + (m1 << 24);
  i64.store32(r, s & LIMB);
  s = (s >> 29) + d2 * a8 + d3 * a7 + d4 * a6 + a5 * a5 + (m7 << 9) + (m4 << 18) - (m3 << 21) + (m2 << 24);
  i64.store32(r, s & LIMB, 4);
  s = (s >> 29) + d3 * a8 + d4 * a7 + d5 * a6 + (m8 << 9) + (m5 << 18) - (m4 << 21) + (m3 << 24);
  i64.store32(r, s & LIMB, 8);
  s = (s >> 29) + d4 * a8 + d5 * a7 + a6 * a6 + (m6 << 18) - (m5 << 21) + (m4 << 24);
  i64.store32(r, s & LIMB, 12);
  s = (s >> 29) + d5 * a8 + d6 * a7 + (m7 << 18) - (m6 << 21) + (m5 << 24);
  i64.store32(r, s & LIMB, 16);
  s = (s >> 29) + d6 * a8 + a7 * a7 + (m8 << 18) - (m7 << 21) + (m6 << 24);
  i64.store32(r, s & LIMB, 20);
  s = (s >> 29) + d7 * a8 - (m8 << 21) + (m7 << 24);
  i64.store32(r, s & LIMB, 24);
  s = (s >> 29) + a8 * a8 + (m8 << 24);
  i64.store32(r, s & LIMB, 28);
  i64.store32(r, s >> 29, 32);
}

/** r = a + k b with |k| <= 8; carried. r may be a or b. */
// biome-ignore format: one column of the product a line
export function p256FeCombine(r: usize, a: usize, b: usize, k: i64): void {
  let s = i64.load32_s(a) + k * i64.load32_s(b);
  i64.store32(r, s & LIMB);
  s = (s >> 29) + i64.load32_s(a, 4) + k * i64.load32_s(b, 4);
  i64.store32(r, s & LIMB, 4);
  s = (s >> 29) + i64.load32_s(a, 8) + k * i64.load32_s(b, 8);
  i64.store32(r, s & LIMB, 8);
  s = (s >> 29) + i64.load32_s(a, 12) + k * i64.load32_s(b, 12);
  i64.store32(r, s & LIMB, 12);
  s = (s >> 29) + i64.load32_s(a, 16) + k * i64.load32_s(b, 16);
  i64.store32(r, s & LIMB, 16);
  s = (s >> 29) + i64.load32_s(a, 20) + k * i64.load32_s(b, 20);
  i64.store32(r, s & LIMB, 20);
  s = (s >> 29) + i64.load32_s(a, 24) + k * i64.load32_s(b, 24);
  i64.store32(r, s & LIMB, 24);
  s = (s >> 29) + i64.load32_s(a, 28) + k * i64.load32_s(b, 28);
  i64.store32(r, s & LIMB, 28);
  s = (s >> 29) + i64.load32_s(a, 32) + k * i64.load32_s(b, 32);
  i64.store32(r, s, 32);
}

/** r = a + b, not carried. */
export function p256FeAdd(r: usize, a: usize, b: usize): void {
  store<i32>(r, load<i32>(a) + load<i32>(b));
  store<i32>(r, load<i32>(a, 4) + load<i32>(b, 4), 4);
  store<i32>(r, load<i32>(a, 8) + load<i32>(b, 8), 8);
  store<i32>(r, load<i32>(a, 12) + load<i32>(b, 12), 12);
  store<i32>(r, load<i32>(a, 16) + load<i32>(b, 16), 16);
  store<i32>(r, load<i32>(a, 20) + load<i32>(b, 20), 20);
  store<i32>(r, load<i32>(a, 24) + load<i32>(b, 24), 24);
  store<i32>(r, load<i32>(a, 28) + load<i32>(b, 28), 28);
  store<i32>(r, load<i32>(a, 32) + load<i32>(b, 32), 32);
}

/** r = a - b, not carried. */
export function p256FeSubtract(r: usize, a: usize, b: usize): void {
  store<i32>(r, load<i32>(a) - load<i32>(b));
  store<i32>(r, load<i32>(a, 4) - load<i32>(b, 4), 4);
  store<i32>(r, load<i32>(a, 8) - load<i32>(b, 8), 8);
  store<i32>(r, load<i32>(a, 12) - load<i32>(b, 12), 12);
  store<i32>(r, load<i32>(a, 16) - load<i32>(b, 16), 16);
  store<i32>(r, load<i32>(a, 20) - load<i32>(b, 20), 20);
  store<i32>(r, load<i32>(a, 24) - load<i32>(b, 24), 24);
  store<i32>(r, load<i32>(a, 28) - load<i32>(b, 28), 28);
  store<i32>(r, load<i32>(a, 32) - load<i32>(b, 32), 32);
}

/** r = the plain number a / R in 0..p-1. r must not be a. */
function plain(r: usize, a: usize): void {
  // With a factor of 1 the product lies in 0..p, both ends included.
  p256FeMul(r, a, P256_UNIT);
  const mask = natIsEqual(r, P, 9);
  for (let i: usize = 0; i < 36; i += 4) store<u32>(r + i, load<u32>(r + i) & ~mask);
}

/** All ones when a = 0 modulo p, else 0. `room` is 36 bytes of scratch. */
export function p256FeIsZero(a: usize, room: usize): u32 {
  plain(room, a);
  let bits: u32 = 0;
  for (let i: usize = 0; i < 36; i += 4) bits |= load<u32>(room + i);
  return ((bits | (0 - bits)) >>> 31) - 1;
}

/** Reads 32 big-endian bytes; whether they are below p is for the caller to know. */
export function p256FeFromBytes(r: usize, x32: usize): void {
  natFromBytes(r, 9, x32, 32);
  p256FeMul(r, r, RR);
}

/** Writes 32 big-endian bytes of the number in 0..p-1. `room` is 36 bytes of scratch. */
export function p256FeToBytes(out32: usize, a: usize, room: usize): void {
  plain(room, a);
  natToBytes(out32, 32, room);
}

/** r = a where the mask is all ones; r stays where it is 0. */
export function p256FeSelect(r: usize, a: usize, mask: u32): void {
  natMaskedCopy(r, a, 9, mask);
}

function squareTimes(r: usize, a: usize, count: u32): void {
  p256FeSquare(r, a);
  for (let i: u32 = 1; i < count; i++) p256FeSquare(r, r);
}

/** r = a^(2^count) b. r is neither a nor b. */
function extend(r: usize, a: usize, count: u32, b: usize): void {
  squareTimes(r, a, count);
  p256FeMul(r, r, b);
}

/** r = a^-1 = a^(p-2) by a fixed chain of 255 squarings and 13 products (0 stays 0). `room` is 252 bytes; r is not a. */
export function p256FeInvert(r: usize, a: usize, room: usize): void {
  const x2 = room; // x2 = a^(2^2 - 1), and so on
  const x4 = room + 36;
  const x8 = room + 72;
  const x16 = room + 108;
  const x30 = room + 144;
  const x32 = room + 180;
  const y = room + 216;
  extend(x2, a, 1, a);
  extend(x4, x2, 2, x2);
  extend(x8, x4, 4, x4);
  extend(x16, x8, 8, x8);
  extend(y, x16, 8, x8);
  extend(x32, y, 4, x4);
  extend(x30, x32, 2, x2);
  extend(x32, x30, 2, x2);
  // p - 2 = ffffffff 00000001 00000000 00000000 00000000 ffffffff ffffffff fffffffd
  extend(y, x32, 32, a);
  extend(r, y, 128, x32);
  extend(y, r, 32, x32);
  extend(r, y, 30, x30);
  extend(y, r, 2, a);
  memory.copy(r, y, P256_FE);
}
