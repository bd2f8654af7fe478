// SPDX-License-Identifier: BSD-3-Clause
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { nodeFlags, optimizeLate } from "../../cli/process/nodeFlags.ts";
import { atmicroProgram } from "../../cli/process/program.ts";

it("is started by its first line with the flags that keep it small", () => {
  const [first] = readFileSync(atmicroProgram(), "utf8").split("\n");
  expect(first).toBe(`#!/usr/bin/env -S node ${nodeFlags.join(" ")}`);
});

it("has flags that Node knows", () => {
  const { status, stdout } = spawnSync(process.execPath, [
    ...nodeFlags,
    optimizeLate,
    "--print",
    "6 * 7",
  ]);
  expect([status, stdout.toString()]).toEqual([0, "42\n"]);
});
