// SPDX-License-Identifier: BSD-3-Clause
// JSON (RFC 8259) as a pull reader over a byte range: one call, one token, with the place of its text. Nothing is
// copied or allocated; nesting is a bit a level, JSON_DEPTH levels. Bytes from 0x80 up are passed through as they are.
//
// A reader: next byte, end, token's text, its length, depth, one bit a level (1 object), what may come next (u32 each).
import { bytesEqual } from "../bytes";
import { Status } from "../status";
import { jsonKeyIs, jsonStringEnd } from "./jsonString";

/** Bytes of a reader. */
export const JSON_READER: u32 = 28;
/** Deepest nesting; more is BadJson. */
export const JSON_DEPTH: u32 = 8;

/** What jsonNext found. End comes once the text holds one complete value and nothing after it. */
export const JSON_END: i32 = 0;
export const JSON_OBJECT: i32 = 1;
export const JSON_OBJECT_END: i32 = 2;
export const JSON_ARRAY: i32 = 3;
export const JSON_ARRAY_END: i32 = 4;
export const JSON_KEY: i32 = 5;
export const JSON_STRING: i32 = 6;
export const JSON_NUMBER: i32 = 7;
export const JSON_TRUE: i32 = 8;
export const JSON_FALSE: i32 = 9;
export const JSON_NULL: i32 = 10;

// Offsets in a reader.
const AT: usize = 0;
const STOP: usize = 4;
const TEXT: usize = 8;
const TEXT_LEN: usize = 12;
const DEPTH: usize = 16;
const OBJECTS: usize = 20;
const EXPECT: usize = 24;

// What may come next.
const A_VALUE: u32 = 0;
const FIRST_ITEM: u32 = 1;
const FIRST_KEY: u32 = 2;
const SEPARATOR: u32 = 3;
const NOTHING: u32 = 4;
const FAILED: u32 = 5;

const TRUE: usize = memory.data<u8>([0x74, 0x72, 0x75, 0x65]);
const FALSE: usize = memory.data<u8>([0x66, 0x61, 0x6c, 0x73, 0x65]);
const NULL: usize = memory.data<u8>([0x6e, 0x75, 0x6c, 0x6c]);

/** Begins to read the `xLen` bytes at `x`, which have to stay where they are. */
export function jsonOpen(r: usize, x: usize, xLen: u32): void {
  memory.fill(r, 0, JSON_READER);
  store<u32>(r + AT, x as u32);
  store<u32>(r + STOP, (x as u32) + xLen);
}

/** Where the last token's text begins: of a key or string inside its quotes, escapes untouched. */
export function jsonText(r: usize): usize {
  return load<u32>(r + TEXT);
}

/** Length of the last token's text; 0 for the ends and beginnings. */
export function jsonTextLen(r: usize): u32 {
  return load<u32>(r + TEXT_LEN);
}

/** The next token, or BadJson (from then on always). */
export function jsonNext(r: usize): i32 {
  const token = next(r);
  if (token < 0) store<u32>(r + EXPECT, FAILED);
  return token;
}

function next(r: usize): i32 {
  let c = peek(r);
  let expect = load<u32>(r + EXPECT);
  if (expect === NOTHING) return c < 0 ? JSON_END : Status.BadJson;
  if (expect === FAILED || c < 0) return Status.BadJson;
  const inObject = load<u32>(r + OBJECTS) & 1;
  if (expect !== A_VALUE && c === (inObject ? 0x7d : 0x5d)) return leave(r, inObject);
  if (expect === SEPARATOR) {
    if (c !== 0x2c) return Status.BadJson;
    step(r, 1);
    c = peek(r);
    expect = inObject ? FIRST_KEY : A_VALUE;
  }
  return expect === FIRST_KEY ? key(r, c) : value(r, c);
}

/** The next byte that is no white space, not consumed; -1 at the end. */
function peek(r: usize): i32 {
  const end = load<u32>(r + STOP);
  let at = load<u32>(r + AT);
  let c: i32 = -1;
  while (at < end) {
    c = load<u8>(at);
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) break;
    c = -1;
    at++;
  }
  store<u32>(r + AT, at);
  return c;
}

function step(r: usize, len: u32): void {
  store<u32>(r + AT, load<u32>(r + AT) + len);
}

/** Notes the token's text. */
function text(r: usize, at: u32, len: u32): void {
  store<u32>(r + TEXT, at);
  store<u32>(r + TEXT_LEN, len);
}

/** A string's text; false when it is no string. */
function quoted(r: usize, c: i32): bool {
  if (c !== 0x22) return false;
  const start = load<u32>(r + AT) + 1;
  const end = jsonStringEnd(start, load<u32>(r + STOP)) as u32;
  if (end === 0) return false;
  text(r, start, end - start);
  store<u32>(r + AT, end + 1);
  return true;
}

function key(r: usize, c: i32): i32 {
  if (!quoted(r, c) || peek(r) !== 0x3a) return Status.BadJson;
  step(r, 1);
  store<u32>(r + EXPECT, A_VALUE);
  return JSON_KEY;
}

function value(r: usize, c: i32): i32 {
  if (c === 0x7b || c === 0x5b) return enter(r, c === 0x7b);
  store<u32>(r + EXPECT, load<u32>(r + DEPTH) ? SEPARATOR : NOTHING);
  if (c === 0x22) return quoted(r, c) ? JSON_STRING : Status.BadJson;
  if (c === 0x74) return literal(r, TRUE, 4, JSON_TRUE);
  if (c === 0x66) return literal(r, FALSE, 5, JSON_FALSE);
  if (c === 0x6e) return literal(r, NULL, 4, JSON_NULL);
  return number(r);
}

function enter(r: usize, object: bool): i32 {
  const depth = load<u32>(r + DEPTH);
  if (depth === JSON_DEPTH) return Status.BadJson;
  text(r, load<u32>(r + AT), 0);
  step(r, 1);
  store<u32>(r + DEPTH, depth + 1);
  store<u32>(r + OBJECTS, (load<u32>(r + OBJECTS) << 1) | u32(object));
  store<u32>(r + EXPECT, object ? FIRST_KEY : FIRST_ITEM);
  return object ? JSON_OBJECT : JSON_ARRAY;
}

function leave(r: usize, object: u32): i32 {
  const depth = load<u32>(r + DEPTH) - 1;
  text(r, load<u32>(r + AT), 0);
  step(r, 1);
  store<u32>(r + DEPTH, depth);
  store<u32>(r + OBJECTS, load<u32>(r + OBJECTS) >>> 1);
  store<u32>(r + EXPECT, depth ? SEPARATOR : NOTHING);
  return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

function literal(r: usize, word: usize, len: u32, token: i32): i32 {
  const at = load<u32>(r + AT);
  if (len > load<u32>(r + STOP) - at || !bytesEqual(at, word, len)) return Status.BadJson;
  text(r, at, len);
  step(r, len);
  return token;
}

/** The end of a run of decimal digits. */
function digits(at: u32, end: u32): u32 {
  while (at < end && (load<u8>(at) as u32) - 0x30 < 10) at++;
  return at;
}

function number(r: usize): i32 {
  const start = load<u32>(r + AT);
  const end = load<u32>(r + STOP);
  let at = start;
  if (load<u8>(at) === 0x2d) at++;
  const whole = at;
  at = digits(at, end);
  if (at === whole || (load<u8>(whole) === 0x30 && at > whole + 1)) return Status.BadJson;
  if (at < end && load<u8>(at) === 0x2e) {
    const fraction = at + 1;
    at = digits(fraction, end);
    if (at === fraction) return Status.BadJson;
  }
  if (at < end && (load<u8>(at) | 0x20) === 0x65) {
    at++;
    if (at < end && (load<u8>(at) === 0x2b || load<u8>(at) === 0x2d)) at++;
    const exponent = at;
    at = digits(at, end);
    if (at === exponent) return Status.BadJson;
  }
  text(r, start, at - start);
  store<u32>(r + AT, at);
  return JSON_NUMBER;
}

/** After an object's or array's beginning: reads to its end. 0 or BadJson. */
export function jsonSkip(r: usize): i32 {
  const outside = load<u32>(r + DEPTH) - 1;
  while (load<u32>(r + DEPTH) > outside) {
    const token = jsonNext(r);
    if (token < 0) return token;
  }
  return Status.Done;
}

/** After an object's beginning or one of its members: goes on to the value of the next member called `name` (escapes in
 *  the text undone) and returns its token. NotFound when the object ends before, or BadJson. */
export function jsonFind(r: usize, name: usize, nameLen: u32): i32 {
  while (true) {
    let token = jsonNext(r);
    if (token < 0) return token;
    if (token !== JSON_KEY) return Status.NotFound;
    const found = jsonKeyIs(jsonText(r), jsonTextLen(r), name, nameLen);
    token = jsonNext(r);
    if (token < 0 || found) return token;
    if ((token === JSON_OBJECT || token === JSON_ARRAY) && jsonSkip(r) < 0) return Status.BadJson;
  }
}

/** The value's token of member `name` of the object that the `xLen` bytes at `x` are. NotFound, BadJson. */
export function jsonMember(r: usize, x: usize, xLen: u32, name: usize, nameLen: u32): i32 {
  jsonOpen(r, x, xLen);
  const token = jsonNext(r);
  if (token < 0) return token;
  return token === JSON_OBJECT ? jsonFind(r, name, nameLen) : Status.BadJson;
}

/** The same of member `name` of the object in member `outer`. NotFound also when that is not an object. */
export function jsonMemberIn(
  r: usize,
  x: usize,
  xLen: u32,
  outer: usize,
  outerLen: u32,
  name: usize,
  nameLen: u32,
): i32 {
  const token = jsonMember(r, x, xLen, outer, outerLen);
  if (token < 0) return token;
  return token === JSON_OBJECT ? jsonFind(r, name, nameLen) : Status.NotFound;
}
