// SPDX-License-Identifier: BSD-3-Clause
// Pieces of the grammar of record keys (atProtocol, key grammar). It counts UTF-16 units, so expressions made of them are
// written without the u flag, and with the i flag.

const EMOJI =
  "(?:\\u00a9|\\u00ae|[\\u2000-\\u3300]|[\\ufe00-\\ufe0f]|\\ud83c[\\ud000-\\udfff]|\\ud83d[\\ud000-\\udfff]|\\ud83e[\\ud000-\\udfff])";

/** An atSign without its `@`. */
export const ATSIGN = `(?:[\\w-]|${EMOJI}){1,55}`;
/** A name with its namespace. */
export const ENTITY = `(?:[\\w.\\-'*"]|${EMOJI})+`;
/** Behind the name: whose it is. */
export const OWNER = `@${ATSIGN}`;
/** In front of the name: whom it is shared with. */
export const SHARED = `@${ATSIGN}:`;

/** An expression that takes a key from its first to its last character. */
export function whole(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, "i");
}
