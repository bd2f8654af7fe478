// SPDX-License-Identifier: BSD-3-Clause
// The sources of wasm3 as this project compiles them: a copy in the build folder, edited.
//   WASM3_DIR  wasm3's source folder (the copy in react-native-webassembly)

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WASM3 } from "../compilerFlags.mjs";
import { makeCodeACache } from "./cache.mjs";
import { correct } from "./corrections.mjs";
import { tellFigures } from "./figures.mjs";
import { limit } from "./limits.mjs";
import { SourceDiffers } from "./source.mjs";
import { shrinkTables } from "./tables.mjs";
import {
  BadOperations,
  declareOperations,
  dispatchByRegisters,
  finishOperations,
  OPERATIONS_FLAGS,
  OPERATIONS_UNIT,
} from "./thumb.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);

/** No source, one the edits do not fit, or a compiler that makes something else of it; the message is one clause. */
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
  for (const name of ["code.h", "code.c"])
    copyFileSync(join(here, name), join(folder, `m3_${name}`));
  for (const name of ["names.h", "names.c"]) copyFileSync(join(here, name), join(folder, name));
}

/** Applies edits, and says what it means when the source is another. */
function edit(apply) {
  try {
    apply();
  } catch (error) {
    if (!(error instanceof SourceDiffers)) throw error;
    throw new Wasm3Unusable(`${error.message}; the edits in device/wasm3/ are for wasm3 0.5.0`);
  }
}

const unitsIn = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".c"))
    .sort()
    .map((name) => join(folder, name));

/** What every unit that includes wasm3's headers needs. */
export function settingsFlags() {
  return ["-include", join(here, "settings.h")];
}

/** Flags of wasm3's own units. */
const unitFlags = (folder) => [
  "-w",
  ...settingsFlags(),
  `-I${folder}`,
  "-Dcalloc=heap_calloc",
  "-Drealloc=heap_realloc",
  "-Dfree=heap_free",
];

/**
 * Writes the edited sources to `folder`, which it empties first: for compilers that make tail calls. The flags are for
 * wasm3's units, which need -O2; the allocator they call is heap_calloc, heap_realloc, heap_shrink and heap_free. With
 * `figures` the compiler calls compile_figure() (device/figures/figures.c). Throws Wasm3Unusable.
 * @param {string} folder
 */
export function prepareWasm3(folder, { figures = false } = {}) {
  copy(sourceFolder(), folder);
  edit(() => {
    shrinkTables(folder);
    makeCodeACache(folder);
    correct(folder);
    limit(folder);
    if (figures) tellFigures(folder);
  });
  return { folder, units: unitsIn(folder), flags: unitFlags(folder) };
}

const HAND_WRITTEN = ["thumbRun.S", "thumbMultiply.S"];
const COMPILER_MILLIS = 120_000;

function compile(cc, args) {
  const done = spawnSync(cc, args, {
    encoding: "utf8",
    timeout: COMPILER_MILLIS,
    maxBuffer: 1 << 26,
  });
  if (done.status === 0) return done.stdout;
  const why = done.error ? done.error.message : done.stderr;
  throw new Wasm3Unusable(`${cc} failed on the interpreter's operations: ${why}`);
}

/**
 * The same for Thumb-1. `cc` is the cross compiler, `machine` its flags for the chip; the operations are compiled here,
 * to operations.S, each in a section .text.op_*. All the other units may be compiled for size. Throws Wasm3Unusable.
 * @param {string} folder
 * @param {{ cc: string, machine: readonly string[] }} compiler
 */
export function prepareThumbWasm3(folder, { cc, machine }) {
  const prepared = prepareWasm3(folder);
  edit(() => dispatchByRegisters(folder));
  const unit = join(folder, "operations.unit");
  writeFileSync(unit, OPERATIONS_UNIT);
  const args = [...machine, ...WASM3, ...prepared.flags, "-x", "c"];
  writeFileSync(
    join(folder, "m3_operations.h"),
    declareOperations(compile(cc, [...args, "-E", unit])),
  );
  const assembly = compile(cc, [...args, ...OPERATIONS_FLAGS, "-S", "-o", "-", unit]);
  try {
    writeFileSync(join(folder, "operations.S"), finishOperations(assembly));
  } catch (error) {
    if (!(error instanceof BadOperations)) throw error;
    throw new Wasm3Unusable(`the compiler made unusable operations: ${error.message}`);
  }
  for (const name of HAND_WRITTEN) copyFileSync(join(here, name), join(folder, name));
  const assembled = ["operations.S", ...HAND_WRITTEN].map((name) => join(folder, name));
  return { ...prepared, units: [...prepared.units, ...assembled] };
}
