// SPDX-License-Identifier: BSD-3-Clause
// atSigns, as they go over the wire: lowercase, with the leading @. atProtocol: atSign
// normalisation.
import { ATSIGN_MAX } from "../memory";
import { Status } from "../status";

const AT: u8 = 0x40;
const DOT: u8 = 0x2e;

/**
 * Normalises an atSign in place: lowercase letters, dots dropped, a leading @ demanded. Its new
 * length, or BadAtSign for a character that is refused or more than 55 characters. x: UTF-8.
 */
export function atsignNormalise(x: usize, len: u32): i32 {
  if (len < 2 || load<u8>(x) !== AT) return Status.BadAtSign;
  let n: u32 = 1;
  let characters = 0;
  for (let i: u32 = 1; i < len; i++) {
    let c = load<u8>(x + i);
    if (c === DOT) continue;
    if (c >= 0x41 && c <= 0x5a) c += 32;
    if (!atsignAllows(c)) return Status.BadAtSign;
    if ((c & 0xc0) !== 0x80) characters++;
    store<u8>(x + n, c);
    n++;
  }
  return n > 1 && n <= ATSIGN_MAX && characters <= 55 ? n : Status.BadAtSign;
}

/**
 * Whether a byte may be part of an atSign after its @: lowercase letter, digit, _, -, or of a
 * character beyond ASCII.
 */
export function atsignAllows(c: u8): bool {
  return (
    (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39) || c === 0x5f || c === 0x2d || c >= 0x80
  );
}

/**
 * Whether this is an atSign as the protocol writes it: what comes from outside and goes into a line
 * has to be.
 */
export function atsignIsValid(x: usize, len: u32): bool {
  if (len < 2 || len > ATSIGN_MAX || load<u8>(x) !== AT) return false;
  for (let i: u32 = 1; i < len; i++) {
    if (!atsignAllows(load<u8>(x + i))) return false;
  }
  return true;
}

/** Whether two atSigns, or any two texts, are the same. */
export function atsignEqual(a: usize, aLen: u32, b: usize, bLen: u32): bool {
  if (aLen !== bLen) return false;
  for (let i: u32 = 0; i < aLen; i++) {
    if (load<u8>(a + i) !== load<u8>(b + i)) return false;
  }
  return true;
}
