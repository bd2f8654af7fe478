// SPDX-License-Identifier: BSD-3-Clause
// Distinguished encoding (X.690 §10), the few types keys are made of. Strict: definite and minimal lengths, minimal
// integers, nothing left over. A reader is three module variables: one key is read at a time, start to end. The first
// fault stays; after it every step is harmless and the caller asks once, at the end.
import { bytesEqual, bytesWipe } from "../bytes";
import { Status } from "../status";

export const DER_INTEGER: u32 = 0x02;
export const DER_BIT_STRING: u32 = 0x03;
export const DER_OCTET_STRING: u32 = 0x04;
export const DER_SEQUENCE: u32 = 0x30;

let at: usize = 0;
let end: usize = 0;
let status: i32 = Status.Done;

/** Begins to read the `derLen` bytes at `der`. */
export function derOpen(der: usize, derLen: u32): void {
  at = der;
  end = der + derLen;
  status = Status.Done;
}

/** Notes a failure, unless there was one before. */
export function derFail(reason: i32): void {
  if (status === Status.Done) status = reason;
  at = end;
}

/** The first failure, BadDer when bytes are left over, else 0. */
export function derClose(): i32 {
  if (at !== end) derFail(Status.BadDer);
  return status;
}

/** Whether anything is left to read. */
export function derMore(): bool {
  return at < end;
}

/** Whether the next byte is `tag`. */
export function derNextIs(tag: u32): bool {
  return at < end && load<u8>(at) === (tag as u8);
}

/** Goes past `len` bytes and returns where they begin; fails with BadDer when they are not there. */
export function derTake(len: u32): usize {
  if (len > ((end - at) as u32)) {
    derFail(Status.BadDer);
    return end;
  }
  const start = at;
  at += len;
  return start;
}

/** Reads tag and length (at most 65535) and stands at the content; its length, 0 after a failure. */
export function derHeader(tag: u32): u32 {
  if (!derNextIs(tag) || end - at < 2) {
    derFail(Status.BadDer);
    return 0;
  }
  let len: u32 = load<u8>(at, 1);
  at += 2;
  if (len & 0x80) {
    const bytes = len & 0x7f;
    const first = derTake(bytes);
    if (bytes === 1) len = load<u8>(first);
    else if (bytes === 2) len = bswap<u16>(load<u16>(first));
    // Indefinite, absurd, or longer than it needs to be.
    if (bytes - 1 > 1 || len < (bytes === 1 ? 0x80 : 0x100)) derFail(Status.BadDer);
  }
  if (len > ((end - at) as u32)) derFail(Status.BadDer);
  return status === Status.Done ? len : 0;
}

/** Enters a constructed or wrapping value that has to reach to the end of what is being read. */
export function derEnter(tag: u32): void {
  const len = derHeader(tag);
  if (len !== ((end - at) as u32)) derFail(Status.BadDer);
}

/** Goes past `len` bytes that have to be exactly those at `expected`. */
export function derExpect(expected: usize, len: u32): void {
  const found = derTake(len);
  if (status === Status.Done && !bytesEqual(found, expected, len)) derFail(Status.BadDer);
}

/** Reads a non-negative INTEGER into `len` bytes, big-endian with leading zeros. Its length in the encoding shows in
 *  the time. BadDer when negative or not minimal, BadRsaKey when too large; then zeros are written. */
export function derInteger(out: usize, len: u32): void {
  bytesWipe(out, len);
  let size = derHeader(DER_INTEGER);
  let x = derTake(size);
  if (status !== Status.Done) return;
  const padded = size > 1 && load<u8>(x) === 0;
  if (size === 0 || load<i8>(x) < 0 || (padded && load<i8>(x, 1) >= 0)) {
    derFail(Status.BadDer);
    return;
  }
  if (padded) {
    x++;
    size--;
  }
  if (size > len) derFail(Status.BadRsaKey);
  else memory.copy(out + len - size, x, size);
}

/** Bytes of a tag, the length `len`, and the content itself. len <= 65535. */
export function derSize(len: u32): u32 {
  return len + 2 + u32(len >= 0x80) + u32(len >= 0x100);
}

/** Writes tag and length; where the content goes. */
export function derPutHeader(out: usize, tag: u32, len: u32): usize {
  store<u8>(out++, tag);
  if (len >= 0x100) {
    store<u8>(out++, 0x82);
    store<u8>(out++, len >>> 8);
  } else if (len >= 0x80) store<u8>(out++, 0x81);
  store<u8>(out++, len);
  return out;
}

/** Leading zero bytes of a big-endian number that its INTEGER leaves out; one byte is always kept. */
function leadingZeros(x: usize, len: u32): u32 {
  let zeros: u32 = 0;
  while (zeros + 1 < len && load<u8>(x + zeros) === 0) zeros++;
  return zeros;
}

/** Content length of the INTEGER of a big-endian number. */
export function derIntegerLength(x: usize, len: u32): u32 {
  const zeros = leadingZeros(x, len);
  return len - zeros + (load<u8>(x + zeros) >>> 7);
}

/** Writes the INTEGER of a big-endian number; where the next value goes. */
export function derPutInteger(out: usize, x: usize, len: u32): usize {
  const zeros = leadingZeros(x, len);
  const size = derIntegerLength(x, len);
  out = derPutHeader(out, DER_INTEGER, size);
  if (size > len - zeros) store<u8>(out++, 0);
  memory.copy(out, x + zeros, len - zeros);
  return out + (len - zeros);
}
