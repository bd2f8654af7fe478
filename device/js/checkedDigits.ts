// SPDX-License-Identifier: BSD-3-Clause
// Fingerprints and pairing codes as people write them (AT-AUTH-1, section 2): 18 digits of base 32 and two that check
// them, in groups of four.

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const CHECKED = 18;
/** Digits of such a text. */
export const CHECKED_DIGITS = 20;
const MODULUS = 1021n;

/** A number in so many digits of base 32. */
function base32(value: bigint, count: number): string {
  const digit = (place: number) => DIGITS[Number((value >> BigInt(5 * place)) & 31n)] ?? "";
  return Array.from({ length: count }, (_, i) => digit(count - 1 - i)).join("");
}

const numberOf = (digits: string): bigint =>
  [...digits].reduce((sum, digit) => 32n * sum + BigInt(DIGITS.indexOf(digit)), 0n);

/** The 20 digits of a value of 90 bits. */
export function checkedDigits(value: bigint): string {
  return base32(value, CHECKED) + base32(value % MODULUS, CHECKED_DIGITS - CHECKED);
}

/**
 * The 20 digits in lower case, without what separates them; o is read as 0, i and l as 1. null: they are not 20, or one
 * is wrong.
 */
export function readCheckedDigits(text: string): string | null {
  const digits = text.toLowerCase().replace(/[\s-]/g, "").replace(/o/g, "0").replace(/[il]/g, "1");
  if (digits.length !== CHECKED_DIGITS) return null;
  if ([...digits].some((digit) => !DIGITS.includes(digit))) return null;
  return checkedDigits(numberOf(digits.slice(0, CHECKED))) === digits ? digits : null;
}

/** Digits in groups of four, as they are shown. */
export function groupedDigits(digits: string): string {
  return digits.replace(/.{4}(?=.)/g, "$&-");
}
