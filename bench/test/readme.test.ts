// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { readmeWithTables } from "../readme.ts";

it("shows in the README what was measured last", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  expect(readme).toBe(readmeWithTables());
  expect(readme).not.toMatch(/NaN|undefined/);
});
