// SPDX-License-Identifier: BSD-3-Clause
// Addresses as every reader here takes them: core/test/vectors/addresses.json.

const HOST_MAX: u32 = 253;
const LITERAL_MIN: u32 = 2;
const LITERAL_MAX: u32 = 45;
const PORT_DIGITS: u32 = 5;
const PORT_MAX: u32 = 65535;

/**
 * Whether this is `host:port`, or `[address]:port` with an IPv6 address, whose digits and colons alone are looked at: the
 * board's network knows what they mean.
 */
export function addressIsValid(x: usize, len: u32): bool {
  if (len === 0) return false;
  if (load<u8>(x) !== 0x5b) {
    const n = run(x, len, false);
    // A letter or digit first.
    return (
      n > 0 &&
      n <= HOST_MAX &&
      load<u8>(x) >= 0x30 &&
      load<u8>(x) !== 0x5f &&
      isPort(x + n, len - n)
    );
  }
  const n = run(x + 1, len - 1, true);
  if (n < LITERAL_MIN || n > LITERAL_MAX || n + 2 > len || load<u8>(x + 1 + n) !== 0x5d)
    return false;
  return isPort(x + 2 + n, len - 2 - n);
}

// How many characters of a host name, or of an IPv6 address, there are.
function run(x: usize, len: u32, isLiteral: bool): u32 {
  const letters: u32 = isLiteral ? 6 : 26;
  let n: u32 = 0;
  for (; n < len; n++) {
    const c: u32 = load<u8>(x + n);
    if (c - 0x30 < 10 || c === 0x2e || (c | 32) - 0x61 < letters) continue;
    if (isLiteral ? c !== 0x3a : c !== 0x2d && c !== 0x5f) break;
  }
  return n;
}

// `:1` to `:65535`, no zero first.
function isPort(x: usize, len: u32): bool {
  if (len < 2 || len > PORT_DIGITS + 1 || load<u8>(x) !== 0x3a || load<u8>(x + 1) === 0x30)
    return false;
  let port: u32 = 0;
  for (let i: u32 = 1; i < len; i++) {
    const digit = (load<u8>(x + i) as u32) - 0x30;
    if (digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= PORT_MAX;
}
