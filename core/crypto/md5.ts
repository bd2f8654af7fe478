// SPDX-License-Identifier: BSD-3-Clause
// MD5 (RFC 1321): a checksum only. The protocol names a public key by it (pubKeyCS); nothing here
// relies on it for security.
import { bytesHex } from "../bytes";

const BLOCK: u32 = 64;
/** Rotation of each round's four steps. */
const SHIFTS: usize = memory.data<u8>(
  [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21],
  1,
);
/** floor(2^32 |sin(i + 1)|), i = 0..63 (RFC 1321 §3.4). */
const SINES: usize = memory.data<u32>([
  0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
  0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
  0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x2441453, 0xd8a1e681, 0xe7d3fbc8,
  0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
  0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
  0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x4881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
  0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
  0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
]);
/** a, b, c, d, then one block. */
const STATE: usize = memory.data(16 + 64, 8);

/** The MD5 of `len` bytes at x as 32 lowercase hexadecimal digits. x is public. */
export function md5Hex(out32: usize, x: usize, len: u32): void {
  store<u32>(STATE, 0x67452301);
  store<u32>(STATE + 4, 0xefcdab89);
  store<u32>(STATE + 8, 0x98badcfe);
  store<u32>(STATE + 12, 0x10325476);
  let done: u32 = 0;
  for (; len - done >= BLOCK; done += BLOCK) compress(x + done);
  const block = STATE + 16;
  const rest = len - done;
  memory.fill(block, 0, BLOCK);
  memory.copy(block, x + done, rest);
  store<u8>(block + rest, 0x80);
  if (rest >= 56) {
    compress(block);
    memory.fill(block, 0, BLOCK);
  }
  store<u32>(block + 56, len << 3);
  store<u32>(block + 60, len >>> 29);
  compress(block);
  bytesHex(out32, STATE, 16);
}

// RFC 1321 §3.4: 64 steps, the roles of a, b, c, d rotating.
function compress(x: usize): void {
  let a = load<u32>(STATE);
  let b = load<u32>(STATE + 4);
  let c = load<u32>(STATE + 8);
  let d = load<u32>(STATE + 12);
  for (let i: u32 = 0; i < 64; i++) {
    const round = i >> 4;
    let f: u32;
    let g: u32;
    if (round === 0) {
      f = (b & c) | (~b & d);
      g = i;
    } else if (round === 1) {
      f = (d & b) | (~d & c);
      g = 5 * i + 1;
    } else if (round === 2) {
      f = b ^ c ^ d;
      g = 3 * i + 5;
    } else {
      f = c ^ (b | ~d);
      g = 7 * i;
    }
    f += a + load<u32>(SINES + 4 * i) + load<u32>(x + 4 * (g & 15));
    a = d;
    d = c;
    c = b;
    b += rotl<u32>(f, load<u8>(SHIFTS + 4 * round + (i & 3)) as u32);
  }
  store<u32>(STATE, load<u32>(STATE) + a);
  store<u32>(STATE + 4, load<u32>(STATE + 4) + b);
  store<u32>(STATE + 8, load<u32>(STATE + 8) + c);
  store<u32>(STATE + 12, load<u32>(STATE + 12) + d);
}
