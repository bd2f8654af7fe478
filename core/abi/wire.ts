// SPDX-License-Identifier: BSD-3-Clause
// The wire formats alone, for the tests of framing and of keys: text in the I/O area, results
// beside it.
import { atkeyParse } from "../wire/atkey";
import { atsignNormalise } from "../wire/atsign";
import { lineDone, lineNext, lineReset } from "../wire/line";
import { responseCode, responseLen, responseParse, responsePtr } from "../wire/response";

/** Forgets what was received. */
export function line_reset(): void {
  lineReset();
}

/**
 * Length of the next line at the start of the I/O area, LineTooLong or Pending; me: the prompt's
 * atSign.
 */
export function line_next(me: usize, meLen: u32): i32 {
  return lineNext(me, meLen);
}

/** Drops the line. */
export function line_done(): void {
  lineDone();
}

/** Classifies a line: 0 other, 1 data, 2 error, 3 notification. */
export function response_parse(x: usize, len: u32): i32 {
  return responseParse(x, len);
}

/** Where the payload of the line that response_parse read last begins: after `data:`, or an error's text. */
export function response_ptr(): usize {
  return responsePtr();
}

/** Bytes of that payload. */
export function response_len(): u32 {
  return responseLen();
}

/** The number of the last error parsed. */
export function response_code(): i32 {
  return responseCode();
}

/** Normalises an atSign in place: its length or BadAtSign. */
export function atsign_normalise(x: usize, len: u32): i32 {
  return atsignNormalise(x, len);
}

/**
 * Parses an atKey at x into the 24 bytes at view: pointer, flags, then offset and length of each
 * part as u16.
 */
export function atkey_parse(view: usize, x: usize, len: u32): i32 {
  return atkeyParse(view, x, len);
}
