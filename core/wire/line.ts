// SPDX-License-Identifier: BSD-3-Clause
// Framing: received bytes become lines, however they are split. atProtocol: every reply ends with a
// line feed and is followed by a prompt, `@` or `@me@`, which may come before, glued to, or apart
// from the next line.
import { LINE_CAP, LINE_HEAD, LINE_MAX, RX } from "../memory";
import { Status } from "../status";

const AT: u8 = 0x40;
const CARRIAGE_RETURN: u8 = 0x0d;
const LINE_FEED: u8 = 0x0a;

/** Bytes in RX, and how many of them were searched for a line feed. */
let fill: u32 = 0;
let searched: u32 = 0;
/** Where the bytes after the line being looked at begin; 0: no line is being looked at. */
let next: u32 = 0;
let length: u32 = 0;
/** The line is too long: its head is kept, the rest is thrown away up to the line feed. */
let skipping: bool = false;

/** Forgets everything received: a new link. */
export function lineReset(): void {
  fill = searched = next = length = 0;
  skipping = false;
}

/** Where received bytes go. */
export function lineTail(): usize {
  return RX + fill;
}

/** How many bytes may be received now. */
export function lineRoom(): u32 {
  return LINE_CAP - fill;
}

/** `len` bytes have been written at lineTail(). */
export function linePush(len: u32): void {
  fill += len;
}

/** Whether the other side has spoken: its greeting is one prompt without a line feed. */
export function lineGreeted(): bool {
  return fill > 0;
}

/**
 * The next line, at RX, without its prompts and line end: its length (1 or more), LineTooLong (its
 * first LINE_HEAD bytes are at RX), or Pending. Then the caller has to lineDone(). me: the atSign
 * of the prompt, with its @.
 */
export function lineNext(me: usize, meLen: u32): i32 {
  if (next > 0) return length;
  while (searched < fill) {
    if (searched === 0 && !skipping && !dropPrompts(me, meLen)) return Status.Pending;
    const status = search();
    if (status !== 0) return status;
  }
  return Status.Pending;
}

/** The bytes kept of the line: all of it, or the head of one that is too long. */
export function lineLength(): u32 {
  return length;
}

/** Drops the line. */
export function lineDone(): void {
  drop(next);
  next = length = 0;
}

// Looks for the line feed. 0: an empty line was dropped or nothing was found.
function search(): i32 {
  while (searched < fill) {
    const c = load<u8>(RX + searched);
    searched++;
    if (c === LINE_FEED) return found();
    // LINE_MAX bytes and a carriage return may still precede a line feed; one more can't.
    if (!skipping && searched > LINE_MAX + 1) skipping = true;
  }
  if (skipping) {
    fill = searched = fill < LINE_HEAD ? fill : LINE_HEAD;
  }
  return 0;
}

function found(): i32 {
  next = searched;
  length = searched - 1;
  if (skipping || length - trailingReturns() > LINE_MAX) {
    skipping = false;
    if (length > LINE_HEAD) length = LINE_HEAD;
    return Status.LineTooLong;
  }
  length -= trailingReturns();
  if (length > 0) return length;
  lineDone();
  return 0;
}

function trailingReturns(): u32 {
  return length > 0 && load<u8>(RX + length - 1) === CARRIAGE_RETURN ? 1 : 0;
}

// Drops the prompts before a line. False while what is there could still become one.
function dropPrompts(me: usize, meLen: u32): bool {
  while (fill > 0 && load<u8>(RX) === AT) {
    let same: u32 = 1;
    while (same < fill && same < meLen && load<u8>(RX + same) === load<u8>(me + same)) same++;
    if (same === fill && fill <= meLen) return false;
    // Equal up to the closing @ it is `@me@`; anything else began with the bare prompt.
    drop(same === meLen && load<u8>(RX + same) === AT ? same + 1 : 1);
  }
  return fill > 0;
}

function drop(len: u32): void {
  memory.copy(RX, RX + len, fill - len);
  fill -= len;
  searched = 0;
}
