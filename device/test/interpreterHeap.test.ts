// SPDX-License-Identifier: BSD-3-Clause
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TESTED } from "../compilerFlags.mjs";
import { makes32Bit } from "./replay/machine.ts";

const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-heap-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(command: string, args: readonly string[]): string {
  const done = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
  return `${done.stdout}${done.stderr}`;
}

it.each([
  ["64 bits", []],
  ["32 bits", ["-m32"]],
])("the interpreter's heap keeps what is in it and becomes one piece again, %s", (_, machine) => {
  if (machine.length > 0 && !makes32Bit()) return;
  const files = [source("./heapLife.c"), source("../interpreterHeap.c")];
  const include = ["-I", source(".."), "-DINTERPRETER_HEAP=16384"];
  const built = run(process.env.CC ?? "cc", [
    ...[...TESTED, ...machine, ...include],
    ...["-o", "heap", ...files],
  ]);
  expect(built).toBe("");
  expect(run("./heap", [])).toBe("good\n");
});
