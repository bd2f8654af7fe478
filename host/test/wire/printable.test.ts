// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, it } from "vitest";
import { hasHiddenCharacters, replaceHiddenCharacters } from "../../wire/printable.ts";

/** First and last code points of what is hidden, as Unicode and the terminals' standards name them. */
const hidden: readonly (readonly [number, number])[] = [
  [0x0000, 0x001f],
  [0x007f, 0x009f],
  [0x061c, 0x061c],
  [0x200e, 0x200f],
  [0x202a, 0x202e],
  [0x2066, 0x2069],
  [0xd800, 0xdfff],
];

describe("characters that act instead of being seen", () => {
  it("are these and no others", () => {
    for (let code = 0; code <= 0x1_0ffff; code++) {
      const is = hidden.some(([first, last]) => code >= first && code <= last);
      if (hasHiddenCharacters(`a${String.fromCodePoint(code)}b`) !== is) {
        expect.fail(`U+${code.toString(16)} has to be ${is ? "hidden" : "seen"}`);
      }
    }
  });

  it("aren't the halves of a pair", () => {
    expect(hasHiddenCharacters("🌱")).toBe(false);
    expect(hasHiddenCharacters("\ud83c")).toBe(true);
    expect(hasHiddenCharacters("\udf31\ud83c")).toBe(true);
  });

  it("are replaced one by one, again and again", () => {
    for (let round = 0; round < 2; round++) {
      expect(
        replaceHiddenCharacters("a\u001b[2J\u202eb\ud800🌱", (c) => `<${c.charCodeAt(0)}>`),
      ).toBe("a<27>[2J<8238>b<55296>🌱");
    }
  });
});
