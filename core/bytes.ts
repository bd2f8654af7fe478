// SPDX-License-Identifier: BSD-3-Clause
// Big-endian words, wiping and comparing: what every layer needs of raw memory.

/** The big-endian u32 at `p`; no alignment needed. */
export function bytesLoad32(p: usize): u32 {
  return bswap<u32>(load<u32>(p));
}

/** Writes `v` big-endian at `p`. */
export function bytesStore32(p: usize, v: u32): void {
  store<u32>(p, bswap<u32>(v));
}

/** The big-endian u64 at `p`; no alignment needed. */
export function bytesLoad64(p: usize): u64 {
  return bswap<u64>(load<u64>(p));
}

/** Writes `v` big-endian at `p`. */
export function bytesStore64(p: usize, v: u64): void {
  store<u64>(p, bswap<u64>(v));
}

/** Zeroes `len` bytes. Linear memory is observable, so no compiler may leave this out. */
export function bytesWipe(p: usize, len: u32): void {
  memory.fill(p, 0, len);
}

/** All ones when the two ranges hold the same bytes, else 0. Time depends on `len` alone. */
export function bytesEqual(a: usize, b: usize, len: u32): u32 {
  let difference: u32 = 0;
  for (let i: u32 = 0; i < len; i++) difference |= load<u8>(a + i) ^ load<u8>(b + i);
  return bytesMaskZero(difference);
}

/** All ones when v is 0, else 0, without a branch. */
export function bytesMaskZero(v: u32): u32 {
  return (((v | (0 - v)) >>> 31) - 1) as u32;
}

/** All ones when a < b as unsigned numbers, else 0, without a branch. a, b < 2^31. */
export function bytesMaskLess(a: u32, b: u32): u32 {
  return 0 - ((a - b) >>> 31);
}

/** Writes `len` bytes as 2 len lowercase hexadecimal digits; out apart from x. No branch or table on the bytes. */
export function bytesHex(out: usize, x: usize, len: u32): void {
  for (let i: u32 = 0; i < len; i++) {
    const b = load<u8>(x + i) as u32;
    store<u8>(out + 2 * i, hexDigit(b >> 4));
    store<u8>(out + 2 * i + 1, hexDigit(b & 15));
  }
}

// "0" + v, and 39 more from 10 on to reach "a".
function hexDigit(v: u32): u32 {
  return 48 + v + ((9 - v) >>> 31) * 39;
}
