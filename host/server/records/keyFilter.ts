// SPDX-License-Identifier: BSD-3-Clause
import type { RE2JS } from "re2js";
import { AtError } from "../../wire/errors.ts";
import type { TextPattern } from "../../wire/notification.ts";

/** Longest pattern, characters. */
export const MAX_PATTERN = 1_000;
/** Largest pattern once its repetitions are written out; a text takes at most this many steps a character. */
export const MAX_PATTERN_STEPS = 1_000;
/** Largest pattern that is compiled at all, by an estimate from its text. */
const MAX_ESTIMATE = 20_000;
/** Longest time that one filter may compute, ms. */
const MAX_WORK_MILLIS = 2_000;

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

/** The engine is loaded with the first pattern: it takes a megabyte that many servers never need. */
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

/** A pattern that works on keys for a limited time altogether. */
export class KeyFilter {
  private readonly pattern: TextPattern;
  private readonly maxWorkMillis: number;
  private worked = 0;

  private constructor(pattern: TextPattern, maxWorkMillis: number) {
    this.pattern = pattern;
    this.maxWorkMillis = maxWorkMillis;
  }

  /** Rejects with AT0003 as `parseRegex`. */
  static async parse(pattern: string, maxWorkMillis = MAX_WORK_MILLIS): Promise<KeyFilter> {
    return new KeyFilter(await parseRegex(pattern), maxWorkMillis);
  }

  /** Whether the pattern fits. Throws AT0003 once it has worked for too long. */
  test(key: string): boolean {
    const start = performance.now();
    const fits = this.pattern.test(key);
    this.worked += performance.now() - start;
    return this.worked > this.maxWorkMillis ? refuse("takes too long") : fits;
  }
}
