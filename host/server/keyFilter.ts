// SPDX-License-Identifier: BSD-3-Clause
import { createContext, Script } from "node:vm";
import { AtError } from "../wire/errors.ts";

const MAX_PATTERN = 1_000;
/** Longest a filter may take over all keys, ms. */
const TIME_LIMIT_MILLIS = 250;

const filter = new Script(
  "const regex = new RegExp(pattern); keys.filter((key) => regex.test(key))",
);

/** The regular expression of a command. Throws AT0003 for one that is none. */
export function parseRegex(pattern: string): RegExp {
  if (pattern.length > MAX_PATTERN) throw new AtError("AT0003", "Invalid syntax. regex too long");
  try {
    return new RegExp(pattern);
  } catch (cause) {
    throw new AtError("AT0003", "Invalid syntax. regex can't be read", { cause });
  }
}

/**
 * The keys a pattern matches anywhere, case-sensitively. Anybody may send a pattern, so a time limit guards against those
 * that backtrack without end: AT0003, as for a pattern that is none.
 */
export function filterKeys(keys: string[], pattern: string): string[] {
  parseRegex(pattern);
  try {
    const context = createContext({ pattern, keys: [...keys] });
    return [...(filter.runInContext(context, { timeout: TIME_LIMIT_MILLIS }) as string[])];
  } catch (cause) {
    throw new AtError("AT0003", "Invalid syntax. regex takes too long", { cause });
  }
}
