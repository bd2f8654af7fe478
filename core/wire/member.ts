// SPDX-License-Identifier: BSD-3-Clause
// Members of the JSON objects the atServer sends, looked up by name where they lie. A text cut
// short still yields the members before the cut. null and absent are the same. atProtocol: missing
// and null in metadata.
import {
  JSON_ARRAY,
  JSON_NULL,
  JSON_OBJECT,
  JSON_STRING,
  jsonMember,
  jsonText,
  jsonTextLen,
} from "../codec/json";
import { jsonUnescape } from "../codec/jsonString";
import { Status } from "../status";

const READER: usize = memory.data(28, 4);

let value: usize = 0;
let valueLength: u32 = 0;
let isString: bool = false;
let malformed: bool = false;

/**
 * Finds the member `name` (a word) of the object at x. Its value is then memberPtr(), memberLen().
 * False: none, or null.
 */
export function memberFind(x: usize, len: u32, name: usize): bool {
  const token = jsonMember(READER, x, len, name + 1, load<u8>(name));
  malformed = token === Status.BadJson;
  if (token < 0 || token === JSON_NULL) return false;
  isString = token === JSON_STRING;
  value = jsonText(READER);
  valueLength = jsonTextLen(READER);
  // An object is read up to its end, wherever that is.
  if (token === JSON_OBJECT || token === JSON_ARRAY) valueLength = (x + len - value) as u32;
  return true;
}

/**
 * The value found: a string without its quotes, still escaped; an object to the end of the text;
 * else as it stands.
 */
export function memberPtr(): usize {
  return value;
}

export function memberLen(): u32 {
  return valueLength;
}

export function memberIsString(): bool {
  return isString;
}

/**
 * What the last search that found nothing came to: BadJson, or NoValue when the object has no such
 * member.
 */
export function memberStatus(): i32 {
  return malformed ? Status.BadJson : Status.NoValue;
}

/** Resolves the escapes of a JSON string in place. Its new length, or BadJson. */
export function memberUnescape(x: usize, len: u32): i32 {
  return jsonUnescape(x, len, x, len);
}
