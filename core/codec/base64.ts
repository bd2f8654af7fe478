// SPDX-License-Identifier: BSD-3-Clause
// Base64 (RFC 4648 §4 and §5). Keys pass through here, so no table is indexed and no branch taken by the data: four
// characters at a time, one a byte of a word, are mapped by arithmetic. Only lengths and validity show in the time.
import { bytesMaskZero, bytesWipe } from "../bytes";
import { Status } from "../status";

const EACH: u32 = 0x01010101;
const HIGH: u32 = 0x80808080;

// A byte below 128 plus 128 - k has bit 7 set when the byte is at least k; these are the 128 - k, four at once.
const FROM_26: u32 = 0x66666666;
const FROM_52: u32 = 0x4c4c4c4c;
const FROM_62: u32 = 0x42424242;
const FROM_63: u32 = 0x41414141;
const FROM_PLUS: u32 = 0x55555555;
const PAST_PLUS: u32 = 0x54545454;
const FROM_MINUS: u32 = 0x53535353;
const PAST_MINUS: u32 = 0x52525252;
const FROM_SLASH: u32 = 0x51515151;
const FROM_0: u32 = 0x50505050;
const PAST_9: u32 = 0x46464646;
const FROM_UPPER: u32 = 0x3f3f3f3f;
const PAST_UPPER: u32 = 0x25252525;
const FROM_LINE: u32 = 0x21212121;
const PAST_LINE: u32 = 0x20202020;
const FROM_LOWER: u32 = 0x1f1f1f1f;
const PAST_LOWER: u32 = 0x05050505;

/** The characters of 24 bits, the first in the lowest byte: A-Z from 0, a-z from 26, 0-9 from 52, + and /. Borrows
 *  between the bytes cancel out in the sum. */
function characters(bits: u32): u32 {
  const x =
    (bits >>> 18) |
    ((bits >>> 4) & 0x3f00) |
    ((bits << 10) & 0x3f0000) |
    ((bits << 24) & 0x3f000000);
  return (
    x +
    65 * EACH +
    6 * (((x + FROM_26) & HIGH) >>> 7) -
    75 * (((x + FROM_52) & HIGH) >>> 7) -
    15 * (((x + FROM_62) & HIGH) >>> 7) +
    3 * (((x + FROM_63) & HIGH) >>> 7)
  );
}

/** The 24 bits of four characters; anything when a byte is no character. Distance of character and value is a step
 *  function, which changes at + - / 0 A _ a. */
function values(c: u32): u32 {
  const x =
    c +
    19 * (((c + FROM_PLUS) & HIGH) >>> 7) -
    2 * (((c + FROM_MINUS) & HIGH) >>> 7) -
    (((c + FROM_SLASH) & HIGH) >>> 7) -
    12 * (((c + FROM_0) & HIGH) >>> 7) -
    69 * (((c + FROM_UPPER) & HIGH) >>> 7) +
    33 * (((c + FROM_LINE) & HIGH) >>> 7) -
    39 * (((c + FROM_LOWER) & HIGH) >>> 7);
  return (x << 18) | ((x & 0x3f00) << 4) | ((x >>> 10) & 0xfc0) | (x >>> 24);
}

/** 0 when all four bytes are characters of either alphabet, else not 0: each pair of bounds turns a byte's bit 7 on
 *  and off again. A byte above 127 spoils its neighbours but is itself a fault. */
function faults(c: u32): u32 {
  const signs = (c + FROM_PLUS) ^ (c + PAST_PLUS) ^ (c + FROM_MINUS) ^ (c + PAST_MINUS);
  const digits = (c + FROM_SLASH) ^ (c + PAST_9);
  const upper = (c + FROM_UPPER) ^ (c + PAST_UPPER) ^ (c + FROM_LINE) ^ (c + PAST_LINE);
  const lower = (c + FROM_LOWER) ^ (c + PAST_LOWER);
  return (c | ~(signs ^ digits ^ upper ^ lower)) & HIGH;
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
    store<u32>(out, characters(bits));
    x += 3;
    out += 4;
  }
  if (xLen) {
    let bits = (load<u8>(x) as u32) << 16;
    if (xLen === 2) bits |= (load<u8>(x, 1) as u32) << 8;
    store<u32>(out, characters(bits));
    memory.fill(out + xLen + 1, 0x3d, 3 - xLen);
  }
  return length as i32;
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
  if (decode(out, x, xLen)) {
    bytesWipe(out, length);
    return Status.BadBase64;
  }
  return length as i32;
}

/** Decodes `xLen` characters without padding, 4 n + 2 or + 3 or all groups. Not 0 when one is not of the alphabet, or bits are left over. */
function decode(out: usize, x: usize, xLen: u32): u32 {
  const rest = xLen & 3;
  let bad: u32 = 0;
  for (const end = x + (xLen - rest); x < end; x += 4) {
    const c = load<u32>(x);
    bad |= faults(c);
    const bits = values(c);
    store<u16>(out, bswap<u16>((bits >>> 8) as u16));
    store<u8>(out, bits, 2);
    out += 3;
  }
  if (rest) {
    // The missing characters read as A, that is 0.
    const third: u32 = rest === 3 ? load<u8>(x, 2) : 0x41;
    const c = load<u16>(x) | (third << 16) | 0x41000000;
    bad |= faults(c);
    const bits = values(c);
    bad |= bits & (rest === 3 ? 0xff : 0xffff);
    store<u8>(out, bits >>> 16);
    if (rest === 3) store<u8>(out, bits >>> 8, 1);
  }
  return bad;
}

/** Reads the 44 characters of a 32-byte key, both secret: all ones when they are that, else 0, in the same steps. */
export function base64Key(out32: usize, x44: usize): u32 {
  return bytesMaskZero(decode(out32, x44, 43) | (load<u8>(x44, 43) ^ 0x3d));
}
