// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { AtError } from "../../wire/errors.ts";
import { hasHiddenCharacters } from "../../wire/printable.ts";
import type { Enrollment } from "../access/enrollments.ts";

/** Longest name of an application, a device or a namespace, bytes of UTF-8. */
export const MAX_NAME_BYTES = 128;
/** Namespaces one enrollment may be for. */
export const MAX_NAMESPACES = 256;

/** Throws AT0022 for a name that an approver couldn't read as it is. */
function demandName(what: string, name: string): void {
  const refuse = (why: string): never => {
    throw new AtError("AT0022", `${what} ${why}`);
  };
  if (name === "") refuse("is empty");
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) refuse(`is longer than ${MAX_NAME_BYTES} bytes`);
  if (hasHiddenCharacters(name)) {
    refuse("has control characters, characters that turn the direction of text, or half of a pair");
  }
}

/**
 * Throws AT0022 for names that an approver couldn't read as they are: empty, longer than MAX_NAME_BYTES, or with characters
 * that act on where they are shown. All others are allowed, spaces and dots too.
 */
export function demandNames({ appName, deviceName, namespaces }: Enrollment): void {
  demandName("appName", appName);
  demandName("deviceName", deviceName);
  const names = Object.keys(namespaces);
  if (names.length > MAX_NAMESPACES) {
    throw new AtError("AT0022", `an enrollment is for at most ${MAX_NAMESPACES} namespaces`);
  }
  for (const name of names) demandName("a namespace", name);
}
