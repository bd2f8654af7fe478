// SPDX-License-Identifier: BSD-3-Clause
// Compiles the wasm3 binding to build/device/node/wasm3.node. Silent when it succeeds.
//   CC         the C compiler (cc)
//   WASM3_DIR  wasm3's source folder (the copy in react-native-webassembly)

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OWN, WASM3 } from "../compilerFlags.mjs";
import { prepareWasm3, settingsFlags, Wasm3Unusable } from "../wasm3/prepare.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const load = createRequire(import.meta.url);

/** The compiler failed; the message is one clause. */
export class BuildFailed extends Error {}

/** Runs the compiler; shows what it printed when it fails. */
export function run(cc, args, cwd) {
  const done = spawnSync(cc, args, { cwd, encoding: "utf8" });
  if (done.error) {
    throw new BuildFailed(
      `the C compiler ${cc} could not be started (${done.error.message}); install gcc or clang, or set CC`,
    );
  }
  if (done.status === 0) return;
  process.stderr.write(`${done.stdout}${done.stderr}`);
  throw new BuildFailed(`${cc} failed while compiling the interpreter; its output is above`);
}

/** Compiler flags of our own units. wasm3's headers are system headers here: their warnings are not ours. @param {string} folder */
export function ownFlags(folder) {
  return [...OWN, ...settingsFlags(), "-isystem", folder];
}

function compile(cc, objects) {
  const { folder, units, flags } = prepareWasm3(join(objects, "wasm3"));
  const headers = load("node-api-headers").include_dir;
  // -O2 matters: without it the interpreter's tail calls nest on the native stack.
  const common = ["-c", "-O2", "-fPIC", "-fvisibility=hidden"];
  run(cc, [...common, ...WASM3, ...flags, ...units], objects);
  const own = ["heap.c", "instance.c", "addon.c"].map((name) => join(here, name));
  run(
    cc,
    [...common, ...ownFlags(folder), "-isystem", headers, "-DNAPI_VERSION=8", ...own],
    objects,
  );
}

function build() {
  const cc = process.env.CC ?? "cc";
  const out = fileURLToPath(new URL("../../build/device/node/", import.meta.url));
  mkdirSync(out, { recursive: true });
  const objects = mkdtempSync(join(out, "objects-"));
  try {
    compile(cc, objects);
    const shared =
      process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"];
    const files = readdirSync(objects).filter((name) => name.endsWith(".o"));
    run(cc, [...shared, "-o", "wasm3.node", ...files], objects);
    // A process that has the old binding loaded keeps it.
    renameSync(join(objects, "wasm3.node"), join(out, "wasm3.node"));
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
