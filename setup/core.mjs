// SPDX-License-Identifier: BSD-3-Clause
// Compiles the core. primitives.wasm has the exports of core/primitives.ts, which the suites of the primitives and the
// benchmarks call. core.wasm, which boards run, is the same module without the exports that core/index.ts hasn't, and without
// the functions that nothing calls any more: those that stay are the same, byte for byte but for their numbers
// (core/test/shipped.test.ts).
//   node setup/core.mjs [folder that has core/ and asconfig.json]
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import binaryen from "assemblyscript/binaryen";

const { MutableGlobals, SignExt, NontrappingFPToInt, BulkMemory, BulkMemoryOpt } =
  binaryen.Features;
const FEATURES = MutableGlobals | SignExt | NontrappingFPToInt | BulkMemory | BulkMemoryOpt;

const folder = resolve(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)));

function compile() {
  const asc = fileURLToPath(import.meta.resolve("assemblyscript/asc"));
  const program = join(asc, "../../bin/asc.js");
  const args = [program, "--config", "asconfig.json"];
  const done = spawnSync(process.execPath, args, { cwd: folder, stdio: "inherit" });
  if (done.error) throw done.error;
  if (done.status !== 0) process.exit(done.status ?? 1);
}

/** The names in the export list of core/index.ts. */
function shippedExports() {
  const source = readFileSync(join(folder, "core/index.ts"), "utf8");
  const lists = [...source.matchAll(/^export \{([^}]*)\}/gm)].map(([, names = ""]) =>
    names.split(","),
  );
  return new Set(["memory", ...lists.flat().map((name) => name.trim())]);
}

/** Writes a module with these exports alone, and without what nothing calls then. Both modules are written by this. */
function write(name, isExported) {
  const module = binaryen.readBinary(compiled);
  module.setFeatures(FEATURES);
  const names = Array.from(
    { length: module.getNumExports() },
    (_, i) => binaryen.getExportInfo(module.getExportByIndex(i)).name,
  );
  for (const each of names) if (!isExported(each)) module.removeExport(each);
  // Functions that are called often get the short numbers.
  module.runPasses(["remove-unused-module-elements", "reorder-functions"]);
  writeFileSync(join(folder, `build/${name}.wasm`), module.emitBinary());
  writeFileSync(join(folder, `build/${name}.wat`), module.emitText());
}

/** The compiler's module once more through the optimiser, which puts nothing into its only caller: calls go less deep then. */
function optimized(wasm) {
  const module = binaryen.readBinary(wasm);
  module.setFeatures(FEATURES);
  module.optimize();
  return module.emitBinary();
}

compile();
binaryen.setOptimizeLevel(3);
binaryen.setShrinkLevel(2);
binaryen.setOneCallerInlineMaxSize(0);
const compiled = optimized(readFileSync(join(folder, "build/primitives.wasm")));
const shipped = shippedExports();
write("primitives", () => true);
write("core", (name) => shipped.has(name));
