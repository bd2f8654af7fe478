// SPDX-License-Identifier: BSD-3-Clause
// Fingerprints and pairing codes as people write them (AT-AUTH-1, section 2): 18 digits of base 32 and two that check
// them, in groups of four.

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const CHECKED = 18;
/** Digits of such a text. */
export const CHECKED_DIGITS = 20;
const MODULUS = 1021n;

/** The two digits that check these. */
function checkOf(digits: string): string {
  const value = [...digits].reduce((sum, digit) => 32n * sum + BigInt(DIGITS.indexOf(digit)), 0n);
  const check = Number(value % MODULUS);
  return `${DIGITS[check >> 5]}${DIGITS[check & 31]}`;
}

/**
 * The 20 digits in lower case, without what separates them; o is read as 0, i and l as 1. null: they are not 20, or one
 * is wrong.
 */
export function readCheckedDigits(text: string): string | null {
  const digits = text.toLowerCase().replace(/[\s-]/g, "").replace(/o/g, "0").replace(/[il]/g, "1");
  if (digits.length !== CHECKED_DIGITS) return null;
  if ([...digits].some((digit) => !DIGITS.includes(digit))) return null;
  return checkOf(digits.slice(0, CHECKED)) === digits.slice(CHECKED) ? digits : null;
}

/** Digits in groups of four, as they are shown. */
export function groupedDigits(digits: string): string {
  return digits.replace(/.{4}(?=.)/g, "$&-");
}
