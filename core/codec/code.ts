// SPDX-License-Identifier: BSD-3-Clause
// Fingerprints and pairing codes as people read and type them: 90 bits in 18 digits of base 32, then their remainder by 1,021
// in two digits, which find every single wrong digit and every exchange of neighbours. core/AUTHENTICITY.md, section 2.
import { bytesMaskZero } from "../bytes";
import { Status } from "../status";

/** Digits of a code, and how many of them carry its value. */
export const CODE_LEN: u32 = 20;
export const CODE_VALUE: u32 = 18;

const MODULUS: u32 = 1021;
const DIGITS: usize = memory.data<u8>([
  48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102, 103, 104, 106, 107, 109, 110,
  112, 113, 114, 115, 116, 118, 119, 120, 121, 122,
]);

/** Writes the 20 digits of the first 90 bits at x. */
export function codeWrite(out20: usize, x: usize): void {
  let check: u32 = 0;
  for (let i: u32 = 0; i < CODE_VALUE; i++) {
    const bit = 5 * i;
    const pair: u32 = bswap<u16>(load<u16>(x + (bit >>> 3)));
    const digit = (pair >>> (11 - (bit & 7))) & 31;
    check = (32 * check + digit) % MODULUS;
    store<u8>(out20 + i, load<u8>(DIGITS + digit));
  }
  store<u8>(out20, load<u8>(DIGITS + (check >>> 5)), 18);
  store<u8>(out20, load<u8>(DIGITS + (check & 31)), 19);
}

/**
 * Reads a code in any case, with spaces and dashes; o is 0, i and l are 1. Its 20 digits go to out20. 0, or BadArgument: not
 * 20 digits, or a typing error. secret: the digits, not where the dashes are.
 */
export function codeRead(out20: usize, x: usize, len: u32): i32 {
  let n: u32 = 0;
  let check: u32 = 0;
  let wanted: u32 = 0;
  let bad: u32 = 0;
  for (let i: u32 = 0; i < len; i++) {
    let c: u32 = load<u8>(x + i);
    if (c === 0x2d || c === 0x20) continue;
    if (n === CODE_LEN) return Status.BadArgument;
    c |= 32;
    c ^= 0x5f & bytesMaskZero(c ^ 0x6f);
    c ^= (c ^ 0x31) & (bytesMaskZero(c ^ 0x69) | bytesMaskZero(c ^ 0x6c));
    let digit: u32 = 0;
    let found: u32 = 0;
    for (let d: u32 = 0; d < 32; d++) {
      const same = bytesMaskZero(c ^ load<u8>(DIGITS + d));
      digit |= d & same;
      found |= same;
    }
    bad |= ~found;
    store<u8>(out20 + n, c as u8);
    n++;
    check = 32 * check + digit;
    if (n <= CODE_VALUE) check %= MODULUS;
    if (n === CODE_VALUE) {
      wanted = check;
      check = 0;
    }
  }
  return n === CODE_LEN && (bad | (wanted ^ check)) === 0 ? 0 : Status.BadArgument;
}
