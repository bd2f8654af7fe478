// SPDX-License-Identifier: BSD-3-Clause
// What a line is: `data:`, `error:` in its three forms, or `notification:`; and where its payload
// lies. atProtocol: responses and prompts; errors, the wire format.
import { Status } from "../status";
import { memberFind, memberLen, memberPtr } from "./member";
import { DATA, ERROR, NAME_ERROR_CODE, NAME_ERROR_TEXT, NOTIFICATION, NULL } from "./words";

export const enum Response {
  Other = 0,
  Data = 1,
  Error = 2,
  Notification = 3,
}

const SPACE: u8 = 0x20;

let payload: usize = 0;
let payloadLength: u32 = 0;
let code: i32 = 0;

/**
 * Classifies a line. The payload is then responsePtr(), responseLen(); for an error its code and
 * text.
 */
export function responseParse(x: usize, len: u32): Response {
  if (startsWith(x, len, DATA)) {
    take(x, len, DATA);
    return Response.Data;
  }
  if (startsWith(x, len, ERROR)) {
    take(x, len, ERROR);
    parseError();
    return Response.Error;
  }
  if (startsWith(x, len, NOTIFICATION)) {
    take(x, len, NOTIFICATION);
    return Response.Notification;
  }
  payload = x;
  payloadLength = len;
  return Response.Other;
}

export function responsePtr(): usize {
  return payload;
}

export function responseLen(): u32 {
  return payloadLength;
}

/** The number of the error, 15 for AT0015; 0 when the text carries none. */
export function responseCode(): i32 {
  return code;
}

/** Whether the payload is `null`: an ordinary "no value". */
export function responseIsNull(): bool {
  return wordIs(NULL, payload, payloadLength);
}

/** The Status of a refused request, by its error code; Refused where none is closer. */
export function responseStatus(): i32 {
  switch (code) {
    case 15:
      return Status.NotFound;
    // The own atServer could not get through to the peer's: a socket, too many connections outward, no address, a failed
    // handshake, a refused connection, no connection, no answer in time.
    case 4:
    case 6:
    case 7:
    case 8:
    case 13:
    case 21:
    case 23:
      return Status.PeerUnreachable;
    case 25:
      return Status.EnrollmentDenied;
    case 26:
      return Status.EnrollmentPending;
    case 27:
      return Status.EnrollmentRevoked;
    case 28:
      return Status.EnrollmentExpired;
  }
  return Status.Refused;
}

/** Whether the text at x is exactly this word. */
export function wordIs(word: usize, x: usize, len: u32): bool {
  return load<u8>(word) === len && startsWith(x, len, word);
}

/** Whether the text at x begins with this word. */
export function startsWith(x: usize, len: u32, word: usize): bool {
  const n = load<u8>(word) as u32;
  if (len < n) return false;
  for (let i: u32 = 0; i < n; i++) {
    if (load<u8>(x + i) !== load<u8>(word + 1 + i)) return false;
  }
  return true;
}

/** Where the word occurs in the text, as an offset; -1 when it does not. */
export function wordFind(word: usize, x: usize, len: u32): i32 {
  for (let i: u32 = 0; i < len; i++) {
    if (startsWith(x + i, len - i, word)) return i;
  }
  return -1;
}

function take(x: usize, len: u32, word: usize): void {
  const n = load<u8>(word) as u32;
  payload = x + n;
  payloadLength = len - n;
  // `data: [` of some verbs and `notification: {`; a value of its own never begins a JSON text with
  // a space.
  if (payloadLength > 1 && load<u8>(payload) === SPACE && isJson(load<u8>(payload + 1))) {
    payload++;
    payloadLength--;
  }
}

function isJson(c: u8): bool {
  return c === 0x7b || c === 0x5b;
}

// `AT0015-text`, `AT0025:text`, or {"errorCode":"AT0015","errorDescription":"text"}.
function parseError(): void {
  const x = payload;
  const len = payloadLength;
  code = 0;
  if (len > 0 && load<u8>(x) === 0x7b) {
    if (memberFind(x, len, NAME_ERROR_CODE)) code = codeOf(memberPtr(), memberLen());
    if (memberFind(x, len, NAME_ERROR_TEXT)) {
      payload = memberPtr();
      payloadLength = memberLen();
    }
    return;
  }
  code = codeOf(x, len);
}

function codeOf(x: usize, len: u32): i32 {
  if (len < 6 || load<u8>(x) !== 0x41 || load<u8>(x + 1) !== 0x54) return 0;
  let value = 0;
  for (let i: u32 = 2; i < 6; i++) {
    const digit = (load<u8>(x + i) as i32) - 48;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  return value;
}
