// SPDX-License-Identifier: BSD-3-Clause
// AES-256 in counter mode (NIST SP 800-38A §6.5) and the PKCS#7 padding the atProtocol puts under it (RFC 5652 §6.3).
import { bytesLoad32, bytesMaskLess, bytesStore32, bytesWipe } from "../bytes";
import { SCRATCH_BLOCK } from "../memory";
import { Status } from "../status";
import { AES_BLOCK, AES_SCHEDULE, aesEncryptBlocks, aesExpand } from "./aes";

const SCHEDULE: usize = SCRATCH_BLOCK;
const COUNTER: usize = SCHEDULE + AES_SCHEDULE;
const KEYSTREAM: usize = COUNTER + AES_BLOCK;
const KEYSTREAM_LEN: u32 = 64;

/** Encrypts or decrypts a whole message of `xLen` bytes: keystream from `key32` (secret) and the first counter block
 *  `iv16`, counted as one big-endian number of 128 bits that wraps. out may equal x. */
export function aesCtrCrypt(out: usize, x: usize, xLen: u32, key32: usize, iv16: usize): void {
  aesExpand(SCHEDULE, key32);
  memory.copy(COUNTER, iv16, AES_BLOCK);
  while (xLen) {
    const part = min<u32>(xLen, KEYSTREAM_LEN);
    const blocks = (part + AES_BLOCK - 1) >>> 4;
    count(blocks);
    aesEncryptBlocks(KEYSTREAM, KEYSTREAM, blocks, SCHEDULE);
    mask(out, x, part);
    out += part;
    x += part;
    xLen -= part;
  }
  bytesWipe(SCHEDULE, AES_SCHEDULE + AES_BLOCK + KEYSTREAM_LEN);
}

/** Lays the next `blocks` counter blocks into the keystream buffer. Only the lowest word is counted block by block. */
function count(blocks: u32): void {
  let low = bytesLoad32(COUNTER + 12);
  let at = KEYSTREAM;
  for (; blocks; blocks--) {
    store<u64>(at, load<u64>(COUNTER));
    store<u32>(at, load<u32>(COUNTER, 8), 8);
    bytesStore32(at + 12, low);
    at += AES_BLOCK;
    low++;
    if (low === 0) carry();
  }
  bytesStore32(COUNTER + 12, low);
}

/** Adds one to the upper 96 bits of the counter. The counter is no secret. */
function carry(): void {
  let at = COUNTER + 12;
  while (at > COUNTER) {
    at -= 4;
    const word = bytesLoad32(at) + 1;
    bytesStore32(at, word);
    if (word) return;
  }
}

/** out = x xor keystream, at most KEYSTREAM_LEN bytes. */
function mask(out: usize, x: usize, len: u32): void {
  let at = KEYSTREAM;
  for (; len >= 8; len -= 8) {
    store<u32>(out, load<u32>(x) ^ load<u32>(at));
    store<u32>(out, load<u32>(x, 4) ^ load<u32>(at, 4), 4);
    out += 8;
    x += 8;
    at += 8;
  }
  for (; len; len--) store<u8>(out++, load<u8>(x++) ^ load<u8>(at++));
}

/** Appends 1 to 16 bytes, each their number. The padded length, or NoRoom when it exceeds `cap`. */
export function pkcs7Pad(buf: usize, len: u32, cap: u32): i32 {
  const padding = AES_BLOCK - (len & 15);
  if (len > cap || padding > cap - len) return Status.NoRoom;
  memory.fill(buf + len, padding as u8, padding);
  return (len + padding) as i32;
}

/** Length without the padding, or BadPadding. The last 16 bytes are all read, and one decision is made at the end: time
 *  does not say which byte was wrong, or how many there are. */
export function pkcs7Unpad(buf: usize, len: u32): i32 {
  if (len === 0 || len & 15) return Status.BadPadding;
  const last = buf + len - 1;
  const padding: u32 = load<u8>(last);
  let bad = ~bytesMaskLess(padding, AES_BLOCK + 1) | bytesMaskLess(padding, 1);
  for (let i: u32 = 0; i < AES_BLOCK; i++) {
    bad |= bytesMaskLess(i, padding) & (load<u8>(last - i) ^ padding);
  }
  return bad ? Status.BadPadding : ((len - padding) as i32);
}
