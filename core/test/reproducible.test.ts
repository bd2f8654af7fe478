// SPDX-License-Identifier: BSD-3-Clause
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const compiler = join(root, "setup/core.mjs");

const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

/** Builds the core in a folder of its own below `folder`, and hashes it. */
function buildIn(folder: string): string {
  mkdirSync(folder, { recursive: true });
  cpSync(join(root, "core"), join(folder, "core"), {
    recursive: true,
    filter: (path) => !path.startsWith(join(root, "core/test")),
  });
  cpSync(join(root, "asconfig.json"), join(folder, "asconfig.json"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const built = spawnSync(process.execPath, [compiler, folder], { encoding: "utf8" });
  expect(built.status, built.stderr).toBe(0);
  return sha256(join(folder, "build/core.wasm"));
}

it("gives the same bytes from two builds in two folders", () => {
  const parent = mkdtempSync(join(tmpdir(), "atmicro-reproducible-"));
  try {
    const first = buildIn(join(parent, "a"));
    const second = buildIn(join(parent, "somewhere", "else"));
    expect(second).toBe(first);
    expect(sha256(join(root, "build/core.wasm"))).toBe(first);
  } finally {
    rmSync(parent, { recursive: true });
  }
  // Two compilations, which a busy machine takes its time for.
}, 240_000);
