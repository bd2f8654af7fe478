// SPDX-License-Identifier: BSD-3-Clause

/** C0, DEL and C1; unpaired surrogates; U+061C, 200E, 200F, 202A–202E and 2066–2069, which turn the direction of text. */
const HIDDEN = /[\p{Cc}\p{Cs}\p{Bidi_Control}]/gu;

/** Whether a text has characters that act on the terminal or editor it is shown in instead of being seen. */
export function hasHiddenCharacters(text: string): boolean {
  return text.search(HIDDEN) >= 0;
}

/** The text with each such character replaced by what `shown` makes of it; nothing else changes. */
export function replaceHiddenCharacters(
  text: string,
  shown: (character: string) => string,
): string {
  return text.replace(HIDDEN, shown);
}
