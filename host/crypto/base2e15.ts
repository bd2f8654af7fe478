// SPDX-License-Identifier: BSD-3-Clause
// Base2e15, the text form of binary values: fifteen bits, most significant first, a character.

const BITS = 15;
/** First value of each range, and what turns a value of it into a character's code. */
const RANGES = [
  { from: 0x545c, offset: 0x57a4 },
  { from: 0x1936, offset: 0x34ca },
  { from: 0, offset: 0x3480 },
] as const;
const SHORT_BITS = 7;
const SHORT_OFFSET = 0x3400;

/** Writes bytes as text; a last group of at most seven bits has characters of its own. */
export function base2e15Encode(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let count = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    count += 8;
    if (count < BITS) continue;
    count -= BITS;
    text += character(held >> count);
    held &= (1 << count) - 1;
  }
  if (count > SHORT_BITS) return text + character(held << (BITS - count));
  if (count > 0) return text + String.fromCharCode((held << (SHORT_BITS - count)) + SHORT_OFFSET);
  return text;
}

/** Reads such text. Throws RangeError for a character outside Base2e15. */
export function base2e15Decode(text: string): Uint8Array {
  const bytes: number[] = [];
  let held = 0;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const { value, bits } = group(text.charCodeAt(i), i === text.length - 1);
    held = (held << bits) | value;
    count += bits;
    for (; count >= 8; count -= 8) bytes.push((held >> (count - 8)) & 0xff);
    held &= (1 << count) - 1;
  }
  if (held !== 0) throw new RangeError("Base2e15 text ends with bits that are not zero");
  return Uint8Array.from(bytes);
}

function character(value: number): string {
  const offset = RANGES.find(({ from }) => value >= from)?.offset ?? 0;
  return String.fromCharCode(value + offset);
}

function group(code: number, last: boolean): { value: number; bits: number } {
  const short = code - SHORT_OFFSET;
  if (last && short >= 0 && short < 1 << SHORT_BITS) return { value: short, bits: SHORT_BITS };
  for (const { from, offset } of RANGES) {
    const value = code - offset;
    if (value >= from && value < 1 << BITS && character(value).charCodeAt(0) === code) {
      return { value, bits: BITS };
    }
  }
  throw new RangeError("not a character of Base2e15");
}
