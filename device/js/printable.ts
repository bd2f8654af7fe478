// SPDX-License-Identifier: BSD-3-Clause
// What comes from a server, a peer or a file must not act on the terminal that shows it.

/** C0, DEL and C1, halves of pairs, what turns the direction of text, and line ends that are no control characters. */
const ACTING = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu;

const hex = (character: string): string => character.charCodeAt(0).toString(16);

/** The text as it may be shown: each such character is written `\u{1b}`; everything else stays. */
export function shown(text: string): string {
  return text.replace(ACTING, (character) => `\\u{${hex(character)}}`);
}

/** One line of JSON in which such characters are written `\u001b`: it means the same. */
export function shownJson(line: string): string {
  return line.replace(ACTING, (character) => `\\u${hex(character).padStart(4, "0")}`);
}
