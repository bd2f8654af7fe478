// SPDX-License-Identifier: BSD-3-Clause
// The sources of wasm3 as this project compiles them: a copy in the build folder, edited.
//   WASM3_DIR  wasm3's source folder (the copy in react-native-webassembly)

import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { makeCodeACache } from "./cache.mjs";
import { SourceDiffers } from "./source.mjs";
import { shrinkTables } from "./tables.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);

/** No source, or one the edits do not fit; the message is one clause. */
export class Wasm3Unusable extends Error {}

function sourceFolder() {
  const folder = process.env.WASM3_DIR
    ? resolve(process.env.WASM3_DIR)
    : join(dirname(require.resolve("react-native-webassembly/package.json")), "cpp");
  if (!existsSync(join(folder, "m3_env.h"))) {
    throw new Wasm3Unusable(`no wasm3 source in ${folder}; run npm ci, or set WASM3_DIR`);
  }
  return folder;
}

/** The interpreter without WASI, libc, tracer and the printing of its own state. */
const wanted = (name) =>
  /^(m3_(?!api_|info\.c|exec\.c|code\.).*\.[ch]|wasm3(_defs)?\.h)$/.test(name);

function copy(from, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(from)) {
    if (wanted(name)) copyFileSync(join(from, name), join(folder, name));
  }
  for (const [name, as] of [
    ["code.h", "m3_code.h"],
    ["code.c", "m3_code.c"],
    ["names.h", "names.h"],
    ["names.c", "names.c"],
  ]) {
    copyFileSync(join(here, name), join(folder, as));
  }
}

/**
 * Writes the edited sources to `folder`, which it empties first. The flags are for wasm3's units; the allocator they
 * call is heap_calloc, heap_realloc, heap_shrink and heap_free.
 */
export function prepareWasm3(folder) {
  const from = sourceFolder();
  copy(from, folder);
  try {
    shrinkTables(folder);
    makeCodeACache(folder);
  } catch (error) {
    if (!(error instanceof SourceDiffers)) throw error;
    throw new Wasm3Unusable(`${error.message}; the edits in device/wasm3/ are for wasm3 0.5.0`);
  }
  const units = readdirSync(folder).filter((name) => name.endsWith(".c"));
  return {
    folder,
    units: units.sort().map((name) => join(folder, name)),
    flags: [
      "-w",
      ...settingsFlags(),
      `-I${folder}`,
      "-Dcalloc=heap_calloc",
      "-Drealloc=heap_realloc",
      "-Dfree=heap_free",
    ],
  };
}

/** What every unit that includes wasm3's headers needs. */
export function settingsFlags() {
  return ["-include", join(here, "settings.h")];
}
