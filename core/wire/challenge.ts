// SPDX-License-Identifier: BSD-3-Clause
// The login challenge: what a device signs has this shape and no other, so that its signature is of use nowhere else.
// atProtocol: the from verb.
import { atsignEqual } from "./atsign";

const UUID: u32 = 36;

/** Whether this is `_<uuid><me>:<uuid>`. me: an atSign with its @. */
export function challengeIsFor(x: usize, len: u32, me: usize, meLen: u32): bool {
  if (len !== 2 * UUID + 2 + meLen) return false;
  const middle = x + 1 + UUID;
  const end = middle + meLen;
  return (
    load<u8>(x) === 0x5f &&
    isUuid(x + 1) &&
    atsignEqual(middle, meLen, me, meLen) &&
    load<u8>(end) === 0x3a &&
    isUuid(end + 1)
  );
}

// 8-4-4-4-12 hexadecimal digits (RFC 9562 §4), of either case.
function isUuid(x: usize): bool {
  for (let i: u32 = 0; i < UUID; i++) {
    const c: u32 = load<u8>(x + i);
    const isDash = i === 8 || i === 13 || i === 18 || i === 23;
    if (isDash ? c !== 0x2d : c - 0x30 > 9 && (c | 32) - 0x61 > 5) return false;
  }
  return true;
}
