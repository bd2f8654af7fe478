// SPDX-License-Identifier: BSD-3-Clause
// The login challenge: what a device signs has this shape and no other, so that its signature is of use nowhere else.
// atProtocol: the from verb.

const UUID: u32 = 36;

/**
 * Whether this is `_<uuid><me>:<uuid>`, the ids of 8-4-4-4-12 hexadecimal digits of either case (RFC 9562 §4). me: an
 * atSign with its @.
 */
export function challengeIsFor(x: usize, len: u32, me: usize, meLen: u32): bool {
  const middle: u32 = 1 + UUID;
  const end: u32 = middle + meLen;
  if (len !== end + 1 + UUID || load<u8>(x) !== 0x5f || load<u8>(x + end) !== 0x3a) return false;
  for (let i: u32 = 1; i < len; i++) {
    const c: u32 = load<u8>(x + i);
    if (i >= middle && i < end) {
      if (c !== load<u8>(me + i - middle)) return false;
    } else if (i !== end) {
      const digit = i < middle ? i - 1 : i - end - 1;
      const isDash = digit === 8 || digit === 13 || digit === 18 || digit === 23;
      if (isDash ? c !== 0x2d : c - 0x30 > 9 && (c | 32) - 0x61 > 5) return false;
    }
  }
  return true;
}
