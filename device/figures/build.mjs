// SPDX-License-Identifier: BSD-3-Clause
// Compiles figures.c with the interpreter to build/device/figures/figures. Silent when it succeeds.

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WASM3 } from "../compilerFlags.mjs";
import { BuildFailed, ownFlags, run } from "../node/build.mjs";
import { prepareWasm3, Wasm3Unusable } from "../wasm3/prepare.mjs";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

function compile(cc, objects) {
  const wasm3 = prepareWasm3(join(objects, "wasm3"), { figures: true });
  // Nothing of the module is run.
  const common = ["-c", "-O0"];
  run(cc, [...common, ...WASM3, ...wasm3.flags, ...wasm3.units], objects);
  const own = [path("figures.c"), path("../node/heap.c")];
  run(cc, [...common, ...ownFlags(wasm3.folder), ...own], objects);
}

function build() {
  const cc = process.env.CC ?? "cc";
  const out = path("../../build/device/figures/");
  mkdirSync(out, { recursive: true });
  const objects = mkdtempSync(join(out, "objects-"));
  try {
    compile(cc, objects);
    const files = readdirSync(objects).filter((name) => name.endsWith(".o"));
    run(cc, ["-o", "figures", ...files], objects);
    renameSync(join(objects, "figures"), join(out, "figures"));
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    build();
  } catch (error) {
    if (!(error instanceof BuildFailed || error instanceof Wasm3Unusable)) throw error;
    process.stderr.write(`atmicro: ${error.message}.\n`);
    process.exitCode = 1;
  }
}
