// SPDX-License-Identifier: BSD-3-Clause
import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const ITEMS = 235;

/** Items that have no test, and why. */
const leftOut: Record<number, string> = {};

/** Numbers of the items in the test files of this folder, as `item(1, …)` or as members `1: […]` of a table. */
function written(): number[] {
  const folder = new URL("./", import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".test.ts") && name !== "complete.test.ts")
    .flatMap((name) => {
      const text = readFileSync(new URL(name, folder), "utf8");
      const found = text.matchAll(/\bitem\(\s*(\d+),|\b(\d+): (?:\[|roundTrip\()/g);
      return [...found].map((match) => Number(match[1] ?? match[2]));
    });
}

it("every item of the conformance list is here once, or left out with a reason", () => {
  const all = Array.from({ length: ITEMS }, (_, index) => index + 1);
  const numbers = [...written(), ...Object.keys(leftOut).map(Number)].sort((a, b) => a - b);
  expect(numbers).toEqual(all);
});
