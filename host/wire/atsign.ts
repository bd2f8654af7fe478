// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "./errors.ts";

/** Longest atSign without its `@`, in UTF-16 units. */
export const MAX_ATSIGN_LENGTH = 55;

/** Longest text that is read as one at all: dots and white space around it don't count, but have an end. */
const MAX_TYPED_LENGTH = 255;

const RESERVED = /[!*'`();:&=+$,/?#[\]{}]/;

function isControl(unit: number): boolean {
  return (
    unit < 0x20 ||
    unit === 0x7f ||
    (unit >= 0x2400 && unit <= 0x241f) ||
    unit === 0x2421 ||
    unit === 0x2424 ||
    unit === 0x2425
  );
}

function refuse(reason: string): never {
  throw new AtError("AT0011", `invalid @sign: ${reason}`, { closes: true });
}

function tooLong(): never {
  return refuse(`Cannot be longer than ${MAX_ATSIGN_LENGTH} characters`);
}

/**
 * The one spelling of an atSign: lower case, a leading `@`, no dots. `Ali.Ce` becomes `@alice`.
 * Throws AT0011 (closing) for what the protocol doesn't allow in an atSign.
 */
export function normalizeAtSign(text: string): string {
  if (text.length > MAX_TYPED_LENGTH) tooLong();
  const trimmed = text.trim().toLowerCase();
  const name = (trimmed.startsWith("@") ? trimmed.slice(1) : trimmed).replaceAll(".", "");
  if (name === "") refuse("must include one @ character and at least one character on the right");
  if (name.includes("@")) refuse("Cannot Contain more than one @ character");
  if (RESERVED.test(name)) refuse("Cannot contain !*'`();:&=+$,/?#[]{} characters");
  if (/\s/u.test(name)) refuse("Cannot Contain whitespace characters");
  for (let i = 0; i < name.length; i++) {
    if (isControl(name.charCodeAt(i))) refuse("must not include control characters");
  }
  if (name.length > MAX_ATSIGN_LENGTH) tooLong();
  return `@${name}`;
}

/** The atSign without its `@`. */
export function atSignName(atSign: string): string {
  return atSign.startsWith("@") ? atSign.slice(1) : atSign;
}
