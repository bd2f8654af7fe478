// SPDX-License-Identifier: BSD-3-Clause
import { setImmediate as nextTurn } from "node:timers/promises";
import type { RE2JS } from "re2js";
import { AtError } from "../wire/errors.ts";
import type { TextPattern } from "../wire/notification.ts";

/** Longest pattern, characters. */
export const MAX_PATTERN = 1_000;
/** Largest pattern once its repetitions are written out; a text takes at most this many steps a character. */
export const MAX_PATTERN_STEPS = 1_000;
/** Largest pattern that is compiled at all, by an estimate from its text. */
const MAX_ESTIMATE = 20_000;
/** Longest one filter works, ms. */
const TIME_LIMIT_MILLIS = 2_000;
/** After so long, ms, other connections get their turn. */
const TURN_MILLIS = 5;

const everything: TextPattern = { test: () => true };

function refuse(reason: string, cause?: unknown): never {
  throw new AtError("AT0003", `Invalid syntax. regex ${reason}`, { cause });
}

/** Upper bound of a pattern's size with its repetitions written out: groups nest, single characters don't. */
function estimate(pattern: string): number {
  let groups = 1;
  let single = 1;
  for (const [, end, min, max] of pattern.matchAll(/(\)?)\{(\d{1,9})(?:,(\d{0,9}))?\}/g)) {
    const count = Math.max(1, Number(min), Number(max ?? 0));
    if (end === ")") groups *= count;
    else single = Math.max(single, count);
  }
  return pattern.length * groups * single;
}

/** The engine is loaded with the first pattern: a server nobody filters does without its megabyte. */
async function compile(pattern: string): Promise<RE2JS> {
  const { RE2JS, RE2JSException } = await import("re2js");
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern));
  } catch (cause) {
    if (cause instanceof RE2JSException) return refuse("can't be read", cause);
    throw cause;
  }
}

/**
 * The regular expression of a command, case-sensitive, found anywhere in a text. Anybody may send one, so it runs on an
 * engine without backtracking: its time grows with the length of the text alone. Look-around and back-references don't
 * exist there. Rejects with AT0003 for a pattern that can't be read or is too large.
 */
export async function parseRegex(pattern: string): Promise<TextPattern> {
  if (pattern.length > MAX_PATTERN) refuse("too long");
  if (pattern === "" || pattern === ".*") return everything;
  if (estimate(pattern) > MAX_ESTIMATE) refuse("too large");
  const compiled = await compile(pattern);
  if (compiled.programSize() > MAX_PATTERN_STEPS) refuse("too large");
  return compiled;
}

/** The keys a pattern fits, in their order. Rejects with AT0003 as `parseRegex`, or when the filter takes too long. */
export async function filterKeys(keys: readonly string[], pattern: string): Promise<string[]> {
  const regex = await parseRegex(pattern);
  const found: string[] = [];
  let worked = 0;
  let turn = performance.now();
  for (const key of keys) {
    if (regex.test(key)) found.push(key);
    const now = performance.now();
    if (now - turn < TURN_MILLIS) continue;
    worked += now - turn;
    if (worked > TIME_LIMIT_MILLIS) refuse("takes too long");
    await nextTurn();
    turn = performance.now();
  }
  return found;
}
