// SPDX-License-Identifier: BSD-3-Clause
// The strings of JSON (RFC 8259 §7): their end, their text without escapes, their text with escapes.
import { Status } from "../status";

const QUOTE: u32 = 0x22;
const BACKSLASH: u32 = 0x5c;
const NO_UNIT: u32 = 0x10000;

// Escape letter and the byte it stands for.
const ESCAPES: usize = memory.data<u8>([
  0x22, 0x22, 0x5c, 0x5c, 0x2f, 0x2f, 0x62, 0x08, 0x66, 0x0c, 0x6e, 0x0a, 0x72, 0x0d, 0x74, 0x09,
]);
const ESCAPES_LEN: usize = 16;
const HEX_DIGITS: usize = memory.data<u8>([
  0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
]);

// One character, UTF-8 in the bytes of a word from the lowest up, and how much text it took (0: no valid character).
let character: u32 = 0;
let taken: u32 = 0;

/** The closing quote of the string whose text begins at `x`, or 0 when the text or an escape in it is not valid. */
export function jsonStringEnd(x: usize, end: usize): usize {
  while (x < end) {
    if (load<u8>(x) === (QUOTE as u8)) return x;
    read(x, end);
    if (taken === 0) return 0;
    x += taken;
  }
  return 0;
}

/** Undoes the escapes of a string's text. The length, NoRoom or BadJson. out may equal x: text never grows. */
export function jsonUnescape(out: usize, outCap: u32, x: usize, xLen: u32): i32 {
  const end = x + xLen;
  let length: u32 = 0;
  while (x < end) {
    read(x, end);
    if (taken === 0 || load<u8>(x) === (QUOTE as u8)) return Status.BadJson;
    x += taken;
    do {
      if (length === outCap) return Status.NoRoom;
      store<u8>(out + length++, character);
      character >>>= 8;
    } while (character);
  }
  return length as i32;
}

/** Whether the text of a key, which has to be valid, is `name` once its escapes are undone. */
export function jsonKeyIs(x: usize, xLen: u32, name: usize, nameLen: u32): bool {
  const end = x + xLen;
  const nameEnd = name + nameLen;
  while (x < end) {
    read(x, end);
    x += taken;
    do {
      if (name === nameEnd || load<u8>(name++) !== ((character & 0xff) as u8)) return false;
      character >>>= 8;
    } while (character);
  }
  return name === nameEnd;
}

/** Reads one byte or one escape into `character` and `taken`. */
function read(x: usize, end: usize): void {
  character = load<u8>(x);
  taken = u32(character >= 0x20);
  if (character !== BACKSLASH) return;
  taken = 0;
  if (end - x < 2) return;
  const letter = load<u8>(x, 1);
  if (letter === 0x75) readUnit(x, end);
  for (let i: usize = 0; i < ESCAPES_LEN; i += 2) {
    if (load<u8>(ESCAPES + i) === letter) {
      character = load<u8>(ESCAPES + i, 1);
      taken = 2;
    }
  }
}

/** The escape \u and a second one when it is the first half of a surrogate pair. */
function readUnit(x: usize, end: usize): void {
  let code = unit(x, end);
  if (code === NO_UNIT || code >>> 10 === 0x37) return;
  taken = 6;
  if (code >>> 10 === 0x36) {
    taken = 0;
    const low = unit(x + 6, end);
    if (low >>> 10 !== 0x37) return;
    code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
    taken = 12;
  }
  character = utf8(code);
}

/** The 16 bits of the escape \u at `x`, or NO_UNIT. */
function unit(x: usize, end: usize): u32 {
  if ((end as i32) - (x as i32) < 6 || load<u16>(x) !== 0x755c) return NO_UNIT;
  let code: u32 = 0;
  for (let i: usize = 2; i < 6; i++) {
    const c: u32 = load<u8>(x + i);
    const letter = (c | 0x20) - 0x61;
    const decimal = c - 0x30;
    if (decimal > 9 && letter > 5) return NO_UNIT;
    code = (code << 4) | (decimal <= 9 ? decimal : letter + 10);
  }
  return code;
}

/** A code point's UTF-8 (RFC 3629), the first byte lowest. */
function utf8(code: u32): u32 {
  if (code < 0x80) return code;
  const last = 0x80 | (code & 0x3f);
  if (code < 0x800) return 0xc0 | (code >>> 6) | (last << 8);
  const third = 0x80 | ((code >>> 6) & 0x3f);
  if (code < 0x10000) return 0xe0 | (code >>> 12) | (third << 8) | (last << 16);
  const second = 0x80 | ((code >>> 12) & 0x3f);
  return 0xf0 | (code >>> 18) | (second << 8) | (third << 16) | (last << 24);
}

/** Writes `x` as a JSON string with its quotes; bytes from 0x80 up unchanged. The length or NoRoom; no overlap. */
export function jsonQuote(out: usize, outCap: u32, x: usize, xLen: u32): i32 {
  const start = out;
  const end = out + outCap;
  if (outCap < 2) return Status.NoRoom;
  store<u8>(out++, QUOTE);
  for (; xLen; xLen--) {
    const c: u32 = load<u8>(x++);
    const letter = c === 0x2f ? 0 : escapeLetter(c);
    const size: u32 = letter ? 2 : c < 0x20 ? 6 : 1;
    // One byte is kept for the closing quote.
    if (size >= ((end - out) as u32)) return Status.NoRoom;
    if (size === 1) store<u8>(out, c);
    else if (size === 2) store<u16>(out, BACKSLASH | (letter << 8));
    else {
      store<u32>(out, 0x3030755c);
      store<u8>(out, load<u8>(HEX_DIGITS + (c >>> 4)), 4);
      store<u8>(out, load<u8>(HEX_DIGITS + (c & 15)), 5);
    }
    out += size;
  }
  store<u8>(out++, QUOTE);
  return (out - start) as i32;
}

/** The letter of the short escape of `c`, or 0. */
function escapeLetter(c: u32): u32 {
  for (let i: usize = 0; i < ESCAPES_LEN; i += 2) {
    if (load<u8>(ESCAPES + i, 1) === (c as u8)) return load<u8>(ESCAPES + i);
  }
  return 0;
}
