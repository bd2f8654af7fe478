// SPDX-License-Identifier: BSD-3-Clause

/** Characters below which a lasting passcode is too easily guessed to be left open. */
export const MIN_LASTING_PASSCODE = 10;

/** What is to be said about a passcode that is to stay valid; undefined when nothing is. */
export function passcodeWarning(passcode: string): string | undefined {
  if (passcode.length >= MIN_LASTING_PASSCODE) return undefined;
  return `a lasting passcode of ${passcode.length} characters can be guessed; use ${MIN_LASTING_PASSCODE} or more, made at random`;
}
