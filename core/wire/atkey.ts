// SPDX-License-Identifier: BSD-3-Clause
// atKeys: `[cached:][public:|@bob:]entity[.namespace]@owner`. A view holds offsets into the text,
// which is never copied. The namespace follows the last dot of the entity. atProtocol: key strings.
import { KEY_MAX } from "../memory";
import { Status } from "../status";
import { atsignAllows } from "./atsign";
import { startsWith } from "./response";
import { CACHED, PUBLIC } from "./words";

/**
 * Bytes of a view: text, flags, then offset and length of each part, each a u16 except the text's
 * pointer.
 */
export const ATKEY_VIEW: u32 = 24;

export const ATKEY_CACHED: u16 = 1;
export const ATKEY_PUBLIC: u16 = 2;
export const ATKEY_SHARED: u16 = 4;

const TEXT: u32 = 0;
const FLAGS: u32 = 4;
/**
 * Parts: the atSign it is shared with (with its @), the entity without namespace, the namespace,
 * the owner (with its @).
 */
export const ATKEY_SHARED_WITH: u32 = 8;
export const ATKEY_ENTITY: u32 = 12;
export const ATKEY_NAMESPACE: u32 = 16;
export const ATKEY_OWNER: u32 = 20;

const AT: u8 = 0x40;
const COLON: u8 = 0x3a;
const DOT: u8 = 0x2e;

/** Reads the atKey of `len` bytes at x into the view; x has to stay. 0, KeyTooLong or BadAtKey. */
export function atkeyParse(view: usize, x: usize, len: u32): i32 {
  memory.fill(view, 0, ATKEY_VIEW);
  store<u32>(view + TEXT, x as u32);
  let flags: u16 = 0;
  let at: u32 = 0;
  if (startsWith(x, len, CACHED)) {
    flags = ATKEY_CACHED;
    at = load<u8>(CACHED);
  }
  if (len > KEY_MAX + at) return Status.KeyTooLong;
  if (startsWith(x + at, len - at, PUBLIC)) {
    flags |= ATKEY_PUBLIC;
    at += load<u8>(PUBLIC);
  } else if (at < len && load<u8>(x + at) === AT) {
    const end = atsignEnd(x, at + 1, len);
    if (end - at < 2 || end >= len || load<u8>(x + end) !== COLON) return Status.BadAtKey;
    flags |= ATKEY_SHARED;
    setPart(view, ATKEY_SHARED_WITH, at, end);
    at = end + 1;
  }
  store<u16>(view + FLAGS, flags);
  return parseEntity(view, x, at, len);
}

/** ATKEY_CACHED, ATKEY_PUBLIC, ATKEY_SHARED. */
export function atkeyFlags(view: usize): u16 {
  return load<u16>(view + FLAGS);
}

/** Where a part begins; meaningless when its length is 0. */
export function atkeyPtr(view: usize, part: u32): usize {
  return (load<u32>(view + TEXT) as usize) + (load<u16>(view + part) as usize);
}

/** Length of a part; 0 when it is absent. */
export function atkeyLen(view: usize, part: u32): u32 {
  return load<u16>(view + part + 2) as u32;
}

/** Where the atKey ends. */
export function atkeyEnd(view: usize): usize {
  return atkeyPtr(view, ATKEY_OWNER) + atkeyLen(view, ATKEY_OWNER);
}

function parseEntity(view: usize, x: usize, from: u32, len: u32): i32 {
  let at = from;
  let dot: u32 = 0;
  while (at < len && entityAllows(load<u8>(x + at))) {
    if (load<u8>(x + at) === DOT) dot = at;
    at++;
  }
  if (at === from || at >= len || load<u8>(x + at) !== AT) return Status.BadAtKey;
  const end = atsignEnd(x, at + 1, len);
  if (end !== len || end - at < 2) return Status.BadAtKey;
  // A dot at either end leaves no namespace or no name, so it belongs to the entity.
  if (dot > from && dot + 1 < at) {
    setPart(view, ATKEY_ENTITY, from, dot);
    setPart(view, ATKEY_NAMESPACE, dot + 1, at);
  } else {
    setPart(view, ATKEY_ENTITY, from, at);
  }
  setPart(view, ATKEY_OWNER, at, len);
  return 0;
}

function atsignEnd(x: usize, from: u32, len: u32): u32 {
  let at = from;
  while (at < len && atsignAllows(load<u8>(x + at))) at++;
  return at;
}

// Word characters, `.`, `-`, `'`, `*`, `"` and whatever lies beyond ASCII; lowercase, as keys are.
function entityAllows(c: u8): bool {
  return atsignAllows(c) || c === DOT || c === 0x27 || c === 0x2a || c === 0x22;
}

function setPart(view: usize, part: u32, from: u32, to: u32): void {
  store<u16>(view + part, from as u16);
  store<u16>(view + part + 2, (to - from) as u16);
}
