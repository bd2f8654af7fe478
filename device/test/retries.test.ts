// SPDX-License-Identifier: BSD-3-Clause
// device/retries.h is the list of what boards try again by time: nothing else in C may name such a pause.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Our C sources and headers, tests and copies of others' code left out. */
const sources = ["device", "boards"].flatMap((folder) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[ch]$/.test(name) && !/(^|\/)(test|node|wasm3|mbedtls)\//.test(name))
    .map((name) => `${folder}/${name}`),
);

const text = (file: string) => readFileSync(`${root}${file}`, "utf8");

it("holds every pause and bound of a retry, and every one of them is used", () => {
  const listed = [...text("device/retries.h").matchAll(/^#define (RETRY_\w+) \d+u$/gm)].map(
    ([, name]) => name ?? "",
  );
  expect(listed.length).toBeGreaterThan(5);
  const others = sources.filter((file) => file !== "device/retries.h");
  expect(others.length).toBeGreaterThan(30);
  for (const name of listed) {
    expect(others.filter((file) => text(file).includes(name)).length, name).toBeGreaterThan(0);
  }
  const defined = others.flatMap((file) =>
    [...text(file).matchAll(/^#define (\w*(?:RETRY|RETRIES|TRIES|AGAIN|BACKOFF)\w*)/gm)].map(
      ([, name]) => `${file}: ${name}`,
    ),
  );
  expect(defined).toEqual([]);
});
