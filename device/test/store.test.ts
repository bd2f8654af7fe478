// SPDX-License-Identifier: BSD-3-Clause
// The store of the boards on a flash that loses power at every operation.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TESTED } from "../compilerFlags.mjs";
import { crc32, provisionedStore } from "../js/provisioning.ts";
import { eightSectors, provisioning, valuesOf } from "./eightSectors.ts";

const source = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const SECTOR = 4096;

let folder = "";

function build(name: string): void {
  execFileSync(process.env.CC ?? "cc", [
    ...[...TESTED, "-I", source(".")],
    ...[source(`test/${name}.c`), source("test/powerCutFlash.c"), source("store.c")],
    ...["-o", join(folder, name)],
  ]);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-store-"));
  for (const name of ["storeHarness", "storeUpgradeHarness", "storeGuardHarness"]) build(name);
});

afterAll(() => rmSync(folder, { recursive: true }));

const run = (name: string, ...args: string[]) =>
  execFileSync(join(folder, name), args, { encoding: "utf8" });

/** Every cut of the script was made: it has fewer flash operations than `most`. */
function cutsOf(...args: number[]): { cuts: number; least: number; most: number } {
  const text = run("storeHarness", ...args.map(String));
  const found = /^(\d+) cuts, (\d+) to (\d+) erases a sector\n$/.exec(text);
  if (!found) throw new Error(text);
  return { cuts: Number(found[1]), least: Number(found[2]), most: Number(found[3]) };
}

it.each([
  { sectors: 2, values: 3, seed: 1, writes: 300 },
  { sectors: 4, values: 8, seed: 2, writes: 400 },
  { sectors: 8, values: 8, seed: 3, writes: 600 },
  { sectors: 16, values: 8, seed: 4, writes: 900 },
])("is old or new, never half, with $sectors sectors", ({ sectors, values, seed, writes }) => {
  const { cuts, least, most } = cutsOf(sectors, values, seed, writes, 10_000);
  expect(cuts).toBeGreaterThan(writes);
  expect(cuts).toBeLessThan(10_000);
  // No sector wears out before the others.
  expect(most - least).toBeLessThanOrEqual(2);
});

it("never takes an older table of numbers for the newest one", () => {
  expect(run("storeGuardHarness")).toBe("guarded\n");
});

/** What a store of these sectors becomes when it is opened: the answer, and its values if there are any. */
function opened(flash: Buffer): { answer: string; cuts: number; values: Map<number, string> } {
  const file = join(folder, "flash");
  writeFileSync(file, flash);
  const [answer = "", cuts = "", ...lines] = run("storeUpgradeHarness", file).trim().split("\n");
  const values = lines.map((line): [number, string] => {
    const [number, value = ""] = line.split(" ");
    return [Number(number), value];
  });
  return { answer, cuts: Number.parseInt(cuts, 10), values: new Map(values) };
}

/** Sixteen sectors, erased but for these bytes at a sector. */
function sixteen(bytes: Uint8Array, sector: number): Buffer {
  const flash = Buffer.alloc(16 * SECTOR, 0xff);
  flash.set(bytes, sector * SECTOR);
  return flash;
}

const hex = (values: ReadonlyMap<number, Buffer>) =>
  new Map([...values].map(([number, value]) => [number, value.toString("hex")]));

describe("a store of eight sectors, the last ones of sixteen", () => {
  it.each([
    { name: "provisioned", numbers: [16, 17] },
    { name: "enrolled", numbers: [1, 2, 16, 17] },
    { name: "secondHalf", numbers: [1, 2, 16, 17] },
    { name: "firstHalf", numbers: [1, 2, 16, 17] },
  ] as const)("is moved with all it holds, whenever the power goes: $name", ({ name, numbers }) => {
    const old = eightSectors(name);
    const expected = valuesOf(old);
    expect([...expected.keys()].sort((a, b) => a - b)).toEqual(numbers);
    const { answer, cuts, values } = opened(sixteen(old, 8));
    expect(answer).toBe("opened 0, changed");
    expect(values).toEqual(hex(expected));
    // Eight sectors erased, the records, the first page, eight sectors erased.
    expect(cuts).toBeGreaterThan(18);
  });

  it("is not looked at any more when the new one is there", () => {
    const flash = sixteen(eightSectors("firstHalf"), 8);
    flash.set(provisionedStore(provisioning));
    const { answer, values } = opened(flash);
    expect(answer).toBe("opened 0, changed");
    expect([...values.keys()]).toEqual([16, 17]);
    expect(values.get(16)).toBe(hex(valuesOf(provisionedStore(provisioning), 1)).get(16));
  });
});

/** The first page of a half: its mark, generation and CRC-32. */
function firstPage(mark: string, generation: number): Buffer {
  const head = Buffer.concat([Buffer.from(mark), Buffer.alloc(8)]);
  head.writeUInt32LE(generation, 4);
  head.writeUInt32LE(crc32(head.subarray(0, 8)), 8);
  return head;
}

describe("a store of another format", () => {
  it.each([
    { where: "in the first half", sector: 0, mark: "atm3" },
    { where: "in the second half", sector: 8, mark: "atm3" },
    { where: "where the second half of eight sectors was", sector: 12, mark: "atmt" },
    { where: "where the first format never was", sector: 0, mark: "atms" },
  ])("is refused and left as it is: $where", ({ sector, mark }) => {
    const flash = sixteen(firstPage(mark, 1), sector);
    expect(opened(flash).answer).toBe("opened -2, unchanged");
  });

  it.each([0, 8])("is refused beside one that is known, at sector %i", (sector) => {
    const flash = sixteen(firstPage("atm3", 1), sector);
    flash.set(provisionedStore(provisioning), (8 - sector) * SECTOR);
    expect(opened(flash).answer).toBe("opened -2, unchanged");
  });

  it("is only what has a right first page: a torn one is none", () => {
    const torn = firstPage("atm3", 1);
    torn[9] = 0;
    const flash = sixteen(torn, 0);
    flash.set(eightSectors("enrolled"), 8 * SECTOR);
    expect(opened(flash).values).toEqual(hex(valuesOf(eightSectors("enrolled"))));
  });

  it("is not what a value holds where eight sectors began a half", () => {
    const flash = sixteen(provisionedStore(provisioning), 8);
    flash.set(firstPage("atm3", 9), 12 * SECTOR);
    const { answer, values } = opened(flash);
    expect(answer).toMatch(/^opened 0, /);
    expect([...values.keys()]).toEqual([16, 17]);
  });
});
