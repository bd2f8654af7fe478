// SPDX-License-Identifier: BSD-3-Clause
// What a module uses of what settings.h allows it, from the figures of its compilation.
//   node device/figures/margins.mjs <module.wasm>   prints it; ends with 1 when the module is not what it has to be

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

/** The program of build.mjs. */
export const PROGRAM = fileURLToPath(
  new URL("../../build/device/figures/figures", import.meta.url),
);
const SETTINGS = new URL("../wasm3/settings.h", import.meta.url);
const SLOT_BYTES = 4;
/** Of code on a 32-bit chip: a word, and what a page of it takes besides. */
const WORD_BYTES = 4;
const PAGE_BYTES = 16;

/** The module can't be compiled, or holds what it must not; the message is a clause with cause and remedy. */
export class UnfitModule extends Error {}

/** @typedef {{ callDepth: number, blockNesting: number, brTable: number }} Limits */

/**
 * What a module uses: codeBytes of the functions that call each other, on a 32-bit chip; preservedTwice: functions in which an
 * i64 local is set while it lies on the operand stack twice.
 * @typedef {Limits & { functions: number, frameSlots: number, valueStackBytes: number, codeBytes: number, preservedTwice: number[] }} Use
 */

/** The limits of settings.h. @returns {Limits} */
export function limits() {
  const text = readFileSync(SETTINGS, "utf8");
  const limit = (name) => Number(new RegExp(`^#define LIMIT_${name} (\\d+)$`, "m").exec(text)?.[1]);
  return {
    callDepth: limit("CALL_DEPTH"),
    blockNesting: limit("BLOCK_NESTING"),
    brTable: limit("BR_TABLE"),
  };
}

/** Lines of figures.c: { index, what, value, more }. */
function figuresOf(path, program) {
  const done = spawnSync(program, [path], { encoding: "utf8", maxBuffer: 1 << 26 });
  if (done.error) throw done.error;
  if (done.status !== 0) {
    throw new UnfitModule(`${basename(path)} does not compile under wasm3: ${done.stderr.trim()}`);
  }
  return done.stdout.split("\n").flatMap((line) => {
    const [index, what, value, more] = line.split(" ");
    return what ? [{ index: Number(index), what, value: Number(value), more: Number(more) }] : [];
  });
}

/**
 * The most of all chains of calls: functions in each other, slots of the value stack, bytes of code, all of which is kept
 * while it runs. An import is one function and takes none of the others. Throws UnfitModule when a function calls itself, if by others.
 */
function deepest(figures) {
  const frames = new Map();
  const code = new Map();
  const calls = new Map();
  for (const { index, what, value, more } of figures) {
    if (what === "frame") frames.set(index, value);
    if (what === "code") code.set(index, value * WORD_BYTES + more * PAGE_BYTES);
    if (what === "call") calls.set(index, [...(calls.get(index) ?? []), { to: value, at: more }]);
  }
  const known = new Map();
  const from = (index) => {
    const found = known.get(index);
    if (found) return found;
    if (found === null) throw new UnfitModule(`function ${index} calls itself`);
    known.set(index, null);
    const below = (calls.get(index) ?? []).map(({ to, at }) => ({ at, ...from(to) }));
    const need = {
      functions: 1 + Math.max(0, ...below.map(({ functions }) => functions)),
      slots: Math.max(frames.get(index) ?? 0, ...below.map(({ at, slots }) => at + slots)),
      bytes: (code.get(index) ?? 0) + Math.max(0, ...below.map(({ bytes }) => bytes)),
    };
    known.set(index, need);
    return need;
  };
  const needs = [...frames.keys()].map(from);
  return {
    functions: Math.max(...needs.map(({ functions }) => functions)),
    slots: Math.max(...needs.map(({ slots }) => slots)),
    bytes: Math.max(...needs.map(({ bytes }) => bytes)),
  };
}

const most = (figures, wanted) =>
  figures.reduce((most, { what, value }) => (what === wanted ? Math.max(most, value) : most), 0);

/** What the module at `path` uses. Throws UnfitModule. @param {string} path @returns {Use} */
export function used(path, program = PROGRAM) {
  const figures = figuresOf(path, program);
  const { functions, slots, bytes } = deepest(figures);
  const twice = figures.filter(({ what }) => what === "preservedTwice");
  return {
    functions: figures.filter(({ what }) => what === "frame").length,
    callDepth: functions,
    blockNesting: most(figures, "block"),
    brTable: most(figures, "brTable"),
    frameSlots: most(figures, "frame"),
    // The check of wasm3 leaves a slot.
    valueStackBytes: (slots + 1) * SLOT_BYTES,
    codeBytes: bytes,
    preservedTwice: [...new Set(twice.map(({ index }) => index))],
  };
}

/** One line of what is used of what is allowed. @param {string} path @param {Use} use */
export function describe(path, use) {
  const { callDepth, blockNesting, brTable } = limits();
  return [
    `${basename(path)} under wasm3: ${use.functions} functions`,
    `calls ${use.callDepth} deep of ${callDepth}`,
    `blocks ${use.blockNesting} deep of ${blockNesting}`,
    `br_table ${use.brTable} of ${brTable}`,
    `value stack ${use.valueStackBytes} bytes`,
    `code of a chain of calls ${use.codeBytes} bytes`,
    `i64 locals set while they lie on the operand stack twice: ${use.preservedTwice.length}`,
  ].join(", ");
}

/** Throws UnfitModule when a wasm3 without corrections.mjs would compute wrongly with it. */
export function expectNoneTwice(path, { preservedTwice }) {
  if (preservedTwice.length === 0) return;
  throw new UnfitModule(
    `${basename(path)}: in function ${preservedTwice.join(", ")} an i64 local is set while it lies on the operand stack twice, with which wasm3 computes wrongly where it has no mend (device/wasm3/corrections.mjs); write that expression in two statements`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [path = ""] = process.argv.slice(2);
  try {
    const use = used(path);
    process.stdout.write(`${describe(path, use)}\n`);
    expectNoneTwice(path, use);
  } catch (error) {
    if (!(error instanceof UnfitModule)) throw error;
    process.stderr.write(`atmicro: ${error.message}.\n`);
    process.exitCode = 1;
  }
}
