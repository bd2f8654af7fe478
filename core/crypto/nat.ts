// SPDX-License-Identifier: BSD-3-Clause
// Natural numbers as limbs of 29 bits, least first, each a u32: to and from bytes, comparing, choosing. Time depends on
// the number of limbs alone.
import { bytesMaskZero } from "../bytes";

const LIMB: u32 = 0x1fffffff;

/** Reads `xLen` big-endian bytes into `limbs` limbs; 29 * limbs >= 8 * xLen. */
export function natFromBytes(r: usize, limbs: u32, x: usize, xLen: u32): void {
  let bits: u64 = 0;
  let have: u32 = 0;
  let p = x + xLen;
  for (let i: u32 = 0; i < limbs; i++) {
    while (have < 29 && p > x) {
      p -= 1;
      bits |= (load<u8>(p) as u64) << have;
      have += 8;
    }
    store<u32>(r + (i << 2), (bits as u32) & LIMB);
    bits >>= 29;
    have = have > 29 ? have - 29 : 0;
  }
}

/** Writes the lowest 8 * outLen bits, big-endian; the limbs are below 2^29. */
export function natToBytes(out: usize, outLen: u32, a: usize): void {
  let bits: u64 = 0;
  let have: u32 = 0;
  for (let p = out + outLen; p > out; ) {
    if (have < 8) {
      bits |= (load<u32>(a) as u64) << have;
      a += 4;
      have += 29;
    }
    p -= 1;
    store<u8>(p, bits as u32);
    bits >>= 8;
    have -= 8;
  }
}

/** All ones when the limbs are equal one by one, else 0. */
export function natIsEqual(a: usize, b: usize, limbs: u32): u32 {
  let difference: u32 = 0;
  for (let i: u32 = 0; i < limbs << 2; i += 4) difference |= load<u32>(a + i) ^ load<u32>(b + i);
  return bytesMaskZero(difference);
}

/** r = a where the mask is all ones; r stays where it is 0. */
export function natMaskedCopy(r: usize, a: usize, limbs: u32, mask: u32): void {
  for (let i: u32 = 0; i < limbs << 2; i += 4) {
    const kept = load<u32>(r + i);
    store<u32>(r + i, kept ^ ((kept ^ load<u32>(a + i)) & mask));
  }
}

/** r = a + b, carried; the sum fits the limbs. */
export function natAdd(r: usize, a: usize, b: usize, limbs: u32): void {
  let s: u32 = 0;
  for (let i: u32 = 0; i < limbs << 2; i += 4) {
    s += load<u32>(a + i) + load<u32>(b + i);
    store<u32>(r + i, s & LIMB);
    s >>= 29;
  }
}

/** r = a - b modulo 2^(29 limbs); all ones when a < b, else 0. */
export function natSubtract(r: usize, a: usize, b: usize, limbs: u32): u32 {
  let s: i32 = 0;
  for (let i: u32 = 0; i < limbs << 2; i += 4) {
    s += load<i32>(a + i) - load<i32>(b + i);
    store<u32>(r + i, (s as u32) & LIMB);
    s >>= 29;
  }
  return s as u32;
}

/** r = r - n when r >= n: reduces r in 0..2n-1. `room` has as many limbs. */
export function natReduce(r: usize, n: usize, limbs: u32, room: usize): void {
  const less = natSubtract(room, r, n, limbs);
  natMaskedCopy(r, room, limbs, ~less);
}

/** r = 2 r mod n for r < n. `room` has as many limbs. */
export function natDoubleModulo(r: usize, n: usize, limbs: u32, room: usize): void {
  natAdd(r, r, r, limbs);
  natReduce(r, n, limbs, room);
}

/** All ones when the big-endian number a is below b, else 0; `len` bytes each. */
export function natBytesLess(a: usize, b: usize, len: u32): u32 {
  let borrow: i32 = 0;
  for (let i = len; i > 0; i--) {
    borrow = ((load<u8>(a + i - 1) as i32) - (load<u8>(b + i - 1) as i32) + borrow) >> 8;
  }
  return borrow as u32;
}

/** All ones when all `len` bytes are 0, else 0. */
export function natBytesZero(a: usize, len: u32): u32 {
  let bits: u32 = 0;
  for (let i: u32 = 0; i < len; i++) bits |= load<u8>(a + i);
  return bytesMaskZero(bits);
}

/**
 * Copies 72 bytes of entry `index` of a table, the index secret: every entry is read and masked. `table` points at the
 * 72 bytes of entry 0, entries lie `stride` bytes apart.
 */
export function natScan(out72: usize, table: usize, stride: u32, count: u32, index: u32): void {
  let w0: u64 = 0;
  let w1: u64 = 0;
  let w2: u64 = 0;
  let w3: u64 = 0;
  let w4: u64 = 0;
  let w5: u64 = 0;
  let w6: u64 = 0;
  let w7: u64 = 0;
  let w8: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    // All ones for the entry wanted: 0 - 1 keeps its sign, any other small number less 1 has none.
    const mask = ((((i ^ index) as i32) - 1) >> 31) as i64 as u64;
    w0 |= load<u64>(table) & mask;
    w1 |= load<u64>(table, 8) & mask;
    w2 |= load<u64>(table, 16) & mask;
    w3 |= load<u64>(table, 24) & mask;
    w4 |= load<u64>(table, 32) & mask;
    w5 |= load<u64>(table, 40) & mask;
    w6 |= load<u64>(table, 48) & mask;
    w7 |= load<u64>(table, 56) & mask;
    w8 |= load<u64>(table, 64) & mask;
    table += stride;
  }
  store<u64>(out72, w0);
  store<u64>(out72, w1, 8);
  store<u64>(out72, w2, 16);
  store<u64>(out72, w3, 24);
  store<u64>(out72, w4, 32);
  store<u64>(out72, w5, 40);
  store<u64>(out72, w6, 48);
  store<u64>(out72, w7, 56);
  store<u64>(out72, w8, 64);
}
