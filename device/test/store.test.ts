// SPDX-License-Identifier: BSD-3-Clause
// The store of the boards on a flash that loses power at every operation of a long random script.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const source = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-store-"));
  execFileSync(process.env.CC ?? "cc", [
    ...["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Werror"],
    ...["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-I", source(".")],
    ...[source("test/storeHarness.c"), source("store.c"), "-o", join(folder, "harness")],
  ]);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Every cut of the script was made: it has fewer flash operations than `most`. */
function cutsOf(...args: number[]): { cuts: number; least: number; most: number } {
  const text = execFileSync(join(folder, "harness"), args.map(String), { encoding: "utf8" });
  const found = /^(\d+) cuts, (\d+) to (\d+) erases a sector\n$/.exec(text);
  if (!found) throw new Error(text);
  return { cuts: Number(found[1]), least: Number(found[2]), most: Number(found[3]) };
}

it.each([
  { sectors: 2, values: 3, seed: 1, writes: 300 },
  { sectors: 4, values: 8, seed: 2, writes: 400 },
  { sectors: 8, values: 8, seed: 3, writes: 600 },
])("is old or new, never half, with $sectors sectors", ({ sectors, values, seed, writes }) => {
  const { cuts, least, most } = cutsOf(sectors, values, seed, writes, 10_000);
  expect(cuts).toBeGreaterThan(writes);
  expect(cuts).toBeLessThan(10_000);
  // No sector wears out before the others.
  expect(most - least).toBeLessThanOrEqual(2);
});
