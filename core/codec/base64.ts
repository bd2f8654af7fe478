// SPDX-License-Identifier: BSD-3-Clause
// Base64 (RFC 4648 §4 and §5). Keys pass through here, so no table is indexed and no branch taken by the data: four
// characters at a time, one a byte of a word, are mapped by arithmetic. Only lengths and validity show in the time.
import { bytesWipe } from "../bytes";
import { Status } from "../status";

const EACH: u32 = 0x01010101;
const HIGH: u32 = 0x80808080;

/** Bit 7 of every byte of `x` (each below 128) that is at least `k`. 1 <= k <= 128. */
function atLeast(x: u32, k: u32): u32 {
  return (x + (128 - k) * EACH) & HIGH;
}

/** The characters of four sextets, one a byte: A-Z from 0, a-z from 26, 0-9 from 52, + and / (borrows cancel out). */
function characters(x: u32): u32 {
  const lower = atLeast(x, 26) >>> 7;
  const digit = atLeast(x, 52) >>> 7;
  const plus = atLeast(x, 62) >>> 7;
  const slash = atLeast(x, 63) >>> 7;
  return x + 65 * EACH + 6 * lower - 75 * digit - 15 * plus + 3 * slash;
}

/** The sextets of four characters, one a byte; a byte that is no character gives anything. A step function: the
 *  distance changes at + (43) - (45) / (47) 0 (48) A (65) _ (95) a (97). */
function values(c: u32): u32 {
  const plus = 19 * (atLeast(c, 43) >>> 7) - 2 * (atLeast(c, 45) >>> 7) - (atLeast(c, 47) >>> 7);
  const digit = 12 * (atLeast(c, 48) >>> 7) + 69 * (atLeast(c, 65) >>> 7);
  const lower = 33 * (atLeast(c, 95) >>> 7) - 39 * (atLeast(c, 97) >>> 7);
  return c + plus - digit + lower;
}

/** 0 when all four bytes are characters of either alphabet, else not 0. Each pair of bounds flips a byte's bit 7 on
 *  and off again: + - /..9 A..Z _ a..z. */
function faults(c: u32): u32 {
  const signs = atLeast(c, 43) ^ atLeast(c, 44) ^ atLeast(c, 45) ^ atLeast(c, 46);
  const digits = atLeast(c, 47) ^ atLeast(c, 58) ^ atLeast(c, 65) ^ atLeast(c, 91);
  const letters = atLeast(c, 95) ^ atLeast(c, 96) ^ atLeast(c, 97) ^ atLeast(c, 123);
  return (c & HIGH) | (signs ^ digits ^ letters ^ HIGH);
}

/** Characters that `xLen` bytes take, with padding. */
export function base64Length(xLen: u32): u32 {
  return ((xLen + 2) / 3) << 2;
}

/** Writes the standard alphabet with padding; x may be secret. The number of characters, or NoRoom. out may not
 *  overlap x. */
export function base64Encode(out: usize, outCap: u32, x: usize, xLen: u32): i32 {
  const length = base64Length(xLen);
  // The second test is for lengths whose characters would pass 2^32.
  if (length > outCap || xLen > outCap) return Status.NoRoom;
  for (; xLen >= 3; xLen -= 3) {
    const bits = ((load<u8>(x) as u32) << 16) | ((load<u8>(x, 1) as u32) << 8) | load<u8>(x, 2);
    store<u32>(out, characters(split(bits)));
    x += 3;
    out += 4;
  }
  if (xLen) {
    let bits = (load<u8>(x) as u32) << 16;
    if (xLen === 2) bits |= (load<u8>(x, 1) as u32) << 8;
    store<u32>(out, characters(split(bits)));
    memory.fill(out + xLen + 1, 0x3d, 3 - xLen);
  }
  return length as i32;
}

/** 24 bits as four sextets, the first in the lowest byte. */
function split(x: u32): u32 {
  return (x >>> 18) | ((x >>> 4) & 0x3f00) | ((x << 10) & 0x3f0000) | ((x << 24) & 0x3f000000);
}

/** Four sextets as 24 bits. */
function join(x: u32): u32 {
  return (x << 18) | ((x & 0x3f00) << 4) | ((x >>> 10) & 0xfc0) | (x >>> 24);
}

/** Reads either alphabet (or both mixed), with padding or without, and nothing else; unused last bits have to be 0.
 *  The number of bytes; NoRoom; BadBase64, and then what was written is wiped. x may be secret; out may equal x. */
export function base64Decode(out: usize, outCap: u32, x: usize, xLen: u32): i32 {
  if (xLen && (xLen & 3) === 0 && load<u8>(x + xLen - 1) === 0x3d) {
    xLen--;
    if (load<u8>(x + xLen - 1) === 0x3d) xLen--;
  }
  const rest = xLen & 3;
  const whole = (xLen >>> 2) * 3;
  const length = whole + (rest ? rest - 1 : 0);
  if (rest === 1) return Status.BadBase64;
  if (length > outCap) return Status.NoRoom;
  const start = out;
  let bad: u32 = 0;
  for (const end = x + (xLen - rest); x < end; x += 4) {
    const c = load<u32>(x);
    bad |= faults(c);
    const bits = join(values(c));
    store<u16>(out, bswap<u16>((bits >>> 8) as u16));
    store<u8>(out, bits, 2);
    out += 3;
  }
  if (rest) {
    // The missing characters read as A, that is 0.
    const third: u32 = rest === 3 ? load<u8>(x, 2) : 0x41;
    const c = load<u16>(x) | (third << 16) | 0x41000000;
    bad |= faults(c);
    const bits = join(values(c));
    bad |= bits & (rest === 3 ? 0xff : 0xffff);
    store<u8>(out, bits >>> 16);
    if (rest === 3) store<u8>(out, bits >>> 8, 1);
  }
  if (bad) {
    bytesWipe(start, length);
    return Status.BadBase64;
  }
  return length as i32;
}
