// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const SOURCE = readFileSync(new URL("../wire/words.ts", import.meta.url), "utf8");
const WORD =
  /\/\*\* `([^\n]*)` \*\/\nexport const (\w+): usize = memory\.data<u8>\(\s*\[([\d,\s]+)\],\s*1,?\s*\);\n/g;

test("every word's bytes are its length and its text", () => {
  const words = [...SOURCE.matchAll(WORD)];
  expect(words.length).toBe(SOURCE.match(/memory\.data/g)?.length);
  for (const [, text = "", name, list = ""] of words) {
    const bytes = list
      .split(",")
      .filter((n) => n.trim())
      .map(Number);
    expect(bytes, name).toEqual([text.length, ...Buffer.from(text, "ascii")]);
  }
});
