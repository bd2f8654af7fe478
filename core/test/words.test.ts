// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const SOURCE = readFileSync(new URL("../wire/words.ts", import.meta.url), "utf8");
const WORD = /\/\*\* `([^\n]*)` \*\/\nexport const (\w+): usize = WORDS \+ (\d+);\n/g;

test("every word points at its length and its text, one after the other", () => {
  const table = /memory\.data<u8>\(\[([\d,\s]+)\]\)/.exec(SOURCE)?.[1] ?? "";
  const bytes = Buffer.from(
    table
      .split(",")
      .filter((n) => n.trim())
      .map(Number),
  );
  let end = 0;
  for (const [, text = "", name, offset] of SOURCE.matchAll(WORD)) {
    expect(Number(offset), name).toBe(end);
    expect(bytes[end], name).toBe(text.length);
    expect(bytes.toString("ascii", end + 1, end + 1 + text.length), name).toBe(text);
    end += 1 + text.length;
  }
  expect(end).toBe(bytes.length);
  expect(SOURCE.match(/^export/gm)?.length).toBe([...SOURCE.matchAll(WORD)].length);
});
