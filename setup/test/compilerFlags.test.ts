// SPDX-License-Identifier: BSD-3-Clause
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

function filesOf(folder: string, ending: RegExp): string[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" })
    .filter((name) => ending.test(name))
    .map((name) => `${folder}/${name}`);
}

const places = ["core", "device", "boards", "host", "bench", "emulate", "setup"];

it("keeps dialects and warnings of C in one file", () => {
  const others = places
    .flatMap((folder) => filesOf(folder, /\.(?:ts|mjs)$/))
    .filter((file) => !/compilerFlags/.test(file))
    .filter((file) =>
      /"-(?:std=|W(?:all|extra|conversion|error)\b)/.test(readFileSync(`${root}${file}`, "utf8")),
    );
  expect(others).toEqual([]);
});

it("writes the names of C files as the others, smallFirst", () => {
  const files = ["device", "boards", "host"].flatMap((folder) => filesOf(folder, /\.[chS]$/));
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((file) => !/\/[a-z][A-Za-z0-9]*\.[chS]$/.test(file))).toEqual([]);
});
