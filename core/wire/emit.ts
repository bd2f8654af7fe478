// SPDX-License-Identifier: BSD-3-Clause
// Writes a line into the tx buffer. The first thing that doesn't fit is remembered and reported by
// emitEnd().
import { bytesHex } from "../bytes";
import { base64Encode } from "../codec/base64";
import { LINE_MAX, TX } from "../memory";
import { Status } from "../status";

const LINE_FEED: u8 = 0x0a;

let at: usize = 0;
let limit: usize = 0;
let failure: i32 = 0;

/** Starts a line of at most `cap` bytes, its line feed not counted. */
export function emitBegin(cap: u32): void {
  at = TX;
  limit = TX + (cap < LINE_MAX ? cap : LINE_MAX);
  failure = 0;
}

/** Appends `len` bytes. */
export function emitBytes(x: usize, len: u32): void {
  if (limit - at < len) {
    failure = Status.NoRoom;
    return;
  }
  memory.copy(at, x, len);
  at += len;
}

/** Appends one of words.ts. */
export function emitWord(word: usize): void {
  emitBytes(word + 1, load<u8>(word));
}

/** Appends one character. */
export function emitChar(c: u8): void {
  if (at >= limit) {
    failure = Status.NoRoom;
    return;
  }
  store<u8>(at, c);
  at++;
}

/** Appends `len` bytes as base64. */
export function emitBase64(x: usize, len: u32): void {
  const n = base64Encode(at, (limit - at) as u32, x, len);
  if (n < 0) failure = n;
  else at += n;
}

/** Appends `len` bytes as lowercase hexadecimal digits. */
export function emitHex(x: usize, len: u32): void {
  if (limit - at < 2 * len) {
    failure = Status.NoRoom;
    return;
  }
  bytesHex(at, x, len);
  at += 2 * len;
}

/** Appends a number in decimal digits. */
export function emitDecimal(v: u64): void {
  let power: u64 = 1;
  for (let i = 0; i < 19 && v / power >= 10; i++) power *= 10;
  for (let i = 0; i < 20 && power > 0; i++) {
    emitChar((48 + ((v / power) % 10)) as u8);
    power /= 10;
  }
}

/**
 * Appends a JSON string of printable UTF-8 text, with its quotes (RFC 8259 §7). Control characters
 * are refused.
 */
export function emitJsonString(x: usize, len: u32): void {
  emitChar(0x22);
  for (let i: u32 = 0; i < len; i++) {
    const c = load<u8>(x + i);
    if (c < 0x20) failure = Status.BadArgument;
    if (c === 0x22 || c === 0x5c) emitChar(0x5c);
    emitChar(c);
  }
  emitChar(0x22);
}

/**
 * Ends the line. Its length with the line feed, or what went wrong first; then nothing may be sent.
 */
export function emitEnd(): i32 {
  if (failure < 0) return failure;
  store<u8>(at, LINE_FEED);
  at++;
  return (at - TX) as i32;
}
