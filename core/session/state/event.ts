// SPDX-License-Identifier: BSD-3-Clause
// The one event the board is to take: its kind, its status, and where its fields lie.
import { EVENT } from "../../memory";

export const enum Event {
  None = 0,
  State = 1,
  Operation = 2,
  Notification = 3,
  Notice = 4,
}

export const enum Field {
  Key = 1,
  Value = 2,
  From = 3,
  Id = 4,
  Epoch = 5,
  Operation = 6,
  Error = 7,
}

/** Status of a value that came unencrypted, where 0 is one that was decrypted or is public. */
export const EVENT_PLAIN: i32 = 1;

const FIELDS_LEN: u32 = 64;

let kind: Event = Event.None;
let status: i32 = 0;
let operation: i32 = 0;
let verdict: u32 = 0;

/** Clears all fields: they are filled before eventRaise(). */
export function eventBegin(): void {
  memory.fill(EVENT, 0, FIELDS_LEN);
  verdict = 0;
}

/** Says what is known of the event's value: bits of Verdict. */
export function eventJudge(bits: u32): void {
  verdict = bits;
}

export function eventVerdict(): u32 {
  return verdict;
}

/** Says where a field lies; it has to stay there until eventDrop(). */
export function eventField(field: i32, x: usize, len: u32): void {
  store<u32>(EVENT + 8 * field, x as u32);
  store<u32>(EVENT + 8 * field + 4, len);
}

/** Now the board shall take it. */
export function eventRaise(k: Event, s: i32, op: i32): void {
  kind = k;
  status = s;
  operation = op;
}

/** The board has taken it. */
export function eventDrop(): void {
  kind = Event.None;
}

export function eventKind(): Event {
  return kind;
}

export function eventStatus(): i32 {
  return status;
}

export function eventOperation(): i32 {
  return operation;
}

/** Where a field lies; 0: the event has none. */
export function eventPtr(field: i32): usize {
  return field >= 1 && field <= 7 ? (load<u32>(EVENT + 8 * field) as usize) : 0;
}

export function eventLen(field: i32): u32 {
  return field >= 1 && field <= 7 ? load<u32>(EVENT + 8 * field + 4) : 0;
}
