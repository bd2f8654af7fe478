// SPDX-License-Identifier: BSD-3-Clause
// What a device shows at its enrolment: a one-time passcode, with its pairing code where its owner's client made one.
import { CHECKED_DIGITS, groupedDigits, readCheckedDigits } from "./checkedDigits.ts";

/** Most characters of the passcode alone: more without a separator is one whose pairing code lost its dashes (config_set 12). */
const LONGEST = 20;

/** What was typed is no passcode; the message says why, and holds nothing of it. */
export class PasscodeError extends Error {
  override readonly name = "PasscodeError";
}

/**
 * "AB12CD" as it is, "AB12CD-g0v0-nggt-tegj-dp8c-7n4k" (AT-AUTH-1, section 9) with its last 20 digits in lower case and
 * groups of four. Throws PasscodeError.
 */
export function readPasscode(text: string): string {
  const typed = text.trim();
  const joined = typed.replace(/[\s-]/g, "");
  if (joined === "") throw new PasscodeError("there is no one-time passcode");
  const hasCode = joined !== typed;
  const passcode = hasCode ? joined.slice(0, -CHECKED_DIGITS) : joined;
  if (passcode.length > LONGEST || !/^[\x21-\x7e]+$/.test(joined)) {
    throw new PasscodeError(
      `a one-time passcode is at most ${LONGEST} printable characters, its pairing code behind a dash`,
    );
  }
  if (!hasCode) return passcode;
  const digits = readCheckedDigits(joined.slice(-CHECKED_DIGITS));
  if (digits === null || passcode === "") {
    throw new PasscodeError("the pairing code behind the passcode has a wrong digit, or not 20");
  }
  return `${passcode}-${groupedDigits(digits)}`;
}
