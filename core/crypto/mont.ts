// SPDX-License-Identifier: BSD-3-Clause
// Montgomery products of long numbers (36 limbs for a prime of RSA-2048, 72 for its modulus; P. Montgomery 1985, block
// by block). Limbs have 29 bits; a block is nine of them. Columns are u64 sums in memory, and a tile multiplies one
// block by one block with both in locals, which is what an interpreter does fastest: three operations a product.
// Two rounds of blocks put at most 54 products of 58 bits into a column: below 2^64, so it is carried every second round.
import { natDoubleModulo } from "./nat";

const LIMB: u64 = 0x1fffffff;

/** -n^-1 mod 2^29 of the odd n whose lowest limb this is (Newton: every step doubles the correct bits). */
export function montInverse(n0: u32): u32 {
  let x = n0; // correct modulo 2^3
  for (let i = 0; i < 4; i++) x *= 2 - n0 * x;
  return (0 - x) & 0x1fffffff;
}

/** Columns t += the block at a times `count` blocks at b, each tile one block higher. */
// biome-ignore format: one column of the product a line
function tiles(t: usize, a: usize, b: usize, count: u32): void {
  const a0 = load<u32>(a) as u64; const a1 = load<u32>(a, 4) as u64; const a2 = load<u32>(a, 8) as u64;
  const a3 = load<u32>(a, 12) as u64; const a4 = load<u32>(a, 16) as u64; const a5 = load<u32>(a, 20) as u64;
  const a6 = load<u32>(a, 24) as u64; const a7 = load<u32>(a, 28) as u64; const a8 = load<u32>(a, 32) as u64;
  for (; count; count--) {
    const b0 = load<u32>(b) as u64; const b1 = load<u32>(b, 4) as u64; const b2 = load<u32>(b, 8) as u64;
    const b3 = load<u32>(b, 12) as u64; const b4 = load<u32>(b, 16) as u64; const b5 = load<u32>(b, 20) as u64;
    const b6 = load<u32>(b, 24) as u64; const b7 = load<u32>(b, 28) as u64; const b8 = load<u32>(b, 32) as u64;
    store<u64>(t, load<u64>(t) + a0 * b0);
    store<u64>(t, load<u64>(t, 8) + a0 * b1 + a1 * b0, 8);
    store<u64>(t, load<u64>(t, 16) + a0 * b2 + a1 * b1 + a2 * b0, 16);
    store<u64>(t, load<u64>(t, 24) + a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0, 24);
    store<u64>(t, load<u64>(t, 32) + a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0, 32);
    store<u64>(t, load<u64>(t, 40) + a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0, 40);
    store<u64>(t, load<u64>(t, 48) + a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0, 48);
    store<u64>(t, load<u64>(t, 56) + a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0, 56);
    store<u64>(t, load<u64>(t, 64) + a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0, 64);
    store<u64>(t, load<u64>(t, 72) + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1, 72);
    store<u64>(t, load<u64>(t, 80) + a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2, 80);
    store<u64>(t, load<u64>(t, 88) + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3, 88);
    store<u64>(t, load<u64>(t, 96) + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4, 96);
    store<u64>(t, load<u64>(t, 104) + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5, 104);
    store<u64>(t, load<u64>(t, 112) + a6 * b8 + a7 * b7 + a8 * b6, 112);
    store<u64>(t, load<u64>(t, 120) + a7 * b8 + a8 * b7, 120);
    store<u64>(t, load<u64>(t, 128) + a8 * b8, 128);
    t += 72;
    b += 36;
  }
}

/** Chooses the block m so that the nine columns at t vanish, writes it, and adds m times the lowest block of n. */
// biome-ignore format: one column of the product a line
function clearBlock(t: usize, m: usize, n: usize, inverse: u64): void {
  const n0 = load<u32>(n) as u64; const n1 = load<u32>(n, 4) as u64; const n2 = load<u32>(n, 8) as u64;
  const n3 = load<u32>(n, 12) as u64; const n4 = load<u32>(n, 16) as u64; const n5 = load<u32>(n, 20) as u64;
  const n6 = load<u32>(n, 24) as u64; const n7 = load<u32>(n, 28) as u64; const n8 = load<u32>(n, 32) as u64;
  let s = load<u64>(t);
  const m0 = (s * inverse) & LIMB;
  i64.store32(m, m0);
  s += m0 * n0;
  s = (s >> 29) + load<u64>(t, 8) + m0 * n1;
  const m1 = (s * inverse) & LIMB;
  i64.store32(m, m1, 4);
  s += m1 * n0;
  s = (s >> 29) + load<u64>(t, 16) + m0 * n2 + m1 * n1;
  const m2 = (s * inverse) & LIMB;
  i64.store32(m, m2, 8);
  s += m2 * n0;
  s = (s >> 29) + load<u64>(t, 24) + m0 * n3 + m1 * n2 + m2 * n1;
  const m3 = (s * inverse) & LIMB;
  i64.store32(m, m3, 12);
  s += m3 * n0;
  s = (s >> 29) + load<u64>(t, 32) + m0 * n4 + m1 * n3 + m2 * n2 + m3 * n1;
  const m4 = (s * inverse) & LIMB;
  i64.store32(m, m4, 16);
  s += m4 * n0;
  s = (s >> 29) + load<u64>(t, 40) + m0 * n5 + m1 * n4 + m2 * n3 + m3 * n2 + m4 * n1;
  const m5 = (s * inverse) & LIMB;
  i64.store32(m, m5, 20);
  s += m5 * n0;
  s = (s >> 29) + load<u64>(t, 48) + m0 * n6 + m1 * n5 + m2 * n4 + m3 * n3 + m4 * n2 + m5 * n1;
  const m6 = (s * inverse) & LIMB;
  i64.store32(m, m6, 24);
  s += m6 * n0;
  s = (s >> 29) + load<u64>(t, 56) + m0 * n7 + m1 * n6 + m2 * n5 + m3 * n4 + m4 * n3 + m5 * n2 + m6 * n1;
  const m7 = (s * inverse) & LIMB;
  i64.store32(m, m7, 28);
  s += m7 * n0;
  s = (s >> 29) + load<u64>(t, 64) + m0 * n8 + m1 * n7 + m2 * n6 + m3 * n5 + m4 * n4 + m5 * n3 + m6 * n2 + m7 * n1;
  const m8 = (s * inverse) & LIMB;
  i64.store32(m, m8, 32);
  s += m8 * n0;
  store<u64>(t, (s >> 29) + load<u64>(t, 72) + m1 * n8 + m2 * n7 + m3 * n6 + m4 * n5 + m5 * n4 + m6 * n3 + m7 * n2 + m8 * n1, 72);
  store<u64>(t, load<u64>(t, 80) + m2 * n8 + m3 * n7 + m4 * n6 + m5 * n5 + m6 * n4 + m7 * n3 + m8 * n2, 80);
  store<u64>(t, load<u64>(t, 88) + m3 * n8 + m4 * n7 + m5 * n6 + m6 * n5 + m7 * n4 + m8 * n3, 88);
  store<u64>(t, load<u64>(t, 96) + m4 * n8 + m5 * n7 + m6 * n6 + m7 * n5 + m8 * n4, 96);
  store<u64>(t, load<u64>(t, 104) + m5 * n8 + m6 * n7 + m7 * n6 + m8 * n5, 104);
  store<u64>(t, load<u64>(t, 112) + m6 * n8 + m7 * n7 + m8 * n6, 112);
  store<u64>(t, load<u64>(t, 120) + m7 * n8 + m8 * n7, 120);
  store<u64>(t, load<u64>(t, 128) + m8 * n8, 128);
}

/** Carries `count` columns into the next one. */
function carryColumns(t: usize, count: u32): void {
  let s: u64 = 0;
  const end = t + (count << 3);
  for (; t < end; t += 8) {
    s += load<u64>(t);
    store<u64>(t, s & LIMB);
    s >>= 29;
  }
  store<u64>(t, load<u64>(t) + s);
}

/** Carries `limbs` columns into limbs at r; what is left above is added to no limb and must be 0. */
export function montCarry(r: usize, t: usize, limbs: u32): void {
  let s: u64 = 0;
  for (const end = r + (limbs << 2); r < end; r += 4, t += 8) {
    s += load<u64>(t);
    store<u32>(r, (s & LIMB) as u32);
    s >>= 29;
  }
}

/** Columns t = a b, `limbs` each; t has twice as many columns. Secret operands. For at most 36 limbs. */
export function montProduct(t: usize, a: usize, b: usize, limbs: u32): void {
  memory.fill(t, 0, limbs << 4);
  const blocks = limbs / 9;
  for (let i: u32 = 0; i < blocks; i++) tiles(t + i * 72, a + i * 36, b, blocks);
}

/** Clears block i of the columns and carries where it has to be; m is room for a block. */
function reduceRound(t: usize, i: u32, m: usize, n: usize, inverse: u32, limbs: u32): void {
  t += i * 72;
  clearBlock(t, m, n, inverse);
  tiles(t + 72, m, n + 36, limbs / 9 - 1);
  if (i & 1) carryColumns(t + 72, limbs - 1);
}

/**
 * r = a b / 2^(29 limbs) mod n, below n + 1 + a b / 2^(29 limbs). `room` is limbs * 16 + 40 bytes, secret afterwards.
 * r may be a or b; inverse is montInverse(n).
 */
export function montMul(
  r: usize,
  a: usize,
  b: usize,
  n: usize,
  inverse: u32,
  limbs: u32,
  room: usize,
): void {
  const m = room + (limbs << 4);
  const blocks = limbs / 9;
  memory.fill(room, 0, limbs << 4);
  for (let i: u32 = 0; i < blocks; i++) {
    tiles(room + i * 72, a + i * 36, b, blocks);
    reduceRound(room, i, m, n, inverse, limbs);
  }
  montCarry(r, room + (limbs << 3), limbs);
}

/** r = a a / 2^(29 * 36) mod n for 36 limbs, ten tiles of a product instead of sixteen. `room` is 760 bytes. */
export function montSquare(r: usize, a: usize, n: usize, inverse: u32, room: usize): void {
  const m = room + 576;
  const doubled = room + 616;
  memory.fill(room, 0, 576);
  for (let i: usize = 0; i < 144; i += 8) store<u64>(doubled + i, load<u64>(a + i) << 1);
  for (let i: u32 = 0; i < 4; i++) {
    const block = a + i * 36;
    tiles(room + i * 144, block, block, 1);
    if (i < 3) tiles(room + i * 144 + 72, block, doubled + i * 36 + 36, 3 - i);
    reduceRound(room, i, m, n, inverse, 36);
  }
  montCarry(r, room + 288, 36);
}

/**
 * r = 2^(2 * 29 limbs) mod n for 36 or 72 limbs, n of 1024 or 2048 bits exactly. By doubling to 2^(29 limbs + 261),
 * then by squaring: 261 * 4 = 29 * 36 and 261 * 8 = 29 * 72. `room` as for montMul.
 */
export function montRr(r: usize, n: usize, inverse: u32, limbs: u32, room: usize): void {
  const bits = limbs === 36 ? 1024 : 2048;
  memory.fill(r, 0, limbs << 2);
  // 2^(bits - 1) < n, so the first doubling is reduced like every other.
  store<u32>(r + (((bits - 1) / 29) << 2), 1 << ((bits - 1) % 29));
  for (let i: u32 = bits - 1; i < 29 * limbs + 261; i++) natDoubleModulo(r, n, limbs, room);
  for (let i: u32 = 0; i < (limbs === 36 ? 2 : 3); i++) montMul(r, r, r, n, inverse, limbs, room);
}
