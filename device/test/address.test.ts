// SPDX-License-Identifier: BSD-3-Clause
// The runtime in C as a reader of addresses.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import cases from "../../core/test/vectors/addresses.json" with { type: "json" };
import { TESTED } from "../compilerFlags.mjs";

const source = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-address-"));
  execFileSync(process.env.CC ?? "cc", [
    ...[...TESTED, "-I", source(".")],
    ...[source("test/addressHarness.c"), source("address.c"), "-o", join(folder, "harness")],
  ]);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** What each text is read as: "host port", or "refused". */
function read(texts: readonly string[]): string[] {
  const input = texts.flatMap((text) => {
    const bytes = Buffer.from(text);
    const head = Buffer.alloc(2);
    head.writeUInt16BE(bytes.length);
    return [head, bytes];
  });
  const output = execFileSync(join(folder, "harness"), { input: Buffer.concat(input) });
  return output.toString("utf8").trimEnd().split("\n");
}

it("accepts what every reader accepts", () => {
  const texts = cases.accepted.map(({ text }) => text);
  expect(read(texts)).toEqual(cases.accepted.map(({ host, port }) => `${host} ${port}`));
  const longest = "a".repeat(cases.longest.letters);
  expect(read([`${longest}:64`])).toEqual([`${longest} 64`]);
});

it("leaves to the network what only looks like an IPv6 address", () => {
  const hosts = cases.unusable.map((text) => /^\[(.*)\]:64$/.exec(text)?.[1]);
  expect(read(cases.unusable)).toEqual(hosts.map((host) => `${host} 64`));
});

it("refuses what every reader refuses, and an address without a port", () => {
  const texts = [
    ...cases.refused.map(({ text }) => text),
    ...cases.hostAlone.map(({ text }) => text),
    `${"a".repeat(cases.longest.letters + 1)}:64`,
  ];
  expect(read(texts)).toEqual(texts.map(() => "refused"));
});
