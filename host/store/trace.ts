// SPDX-License-Identifier: BSD-3-Clause
import { StoreError } from "./store.ts";

/**
 * What a log may show of an unexpected error: where it happened. Its message may quote a key or a value; the store's
 * don't, and say what the operator has to do.
 */
export function traceOf(error: unknown): { name: string; at: string[]; reason?: string } {
  if (error instanceof StoreError) return { name: error.name, at: [], reason: error.message };
  if (!(error instanceof Error)) return { name: typeof error, at: [] };
  // The stack begins with the message, which may have lines of its own.
  const stack = error.stack ?? "";
  const behind = stack.indexOf(error.message) + error.message.length;
  const at = stack
    .slice(behind)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at "));
  return { name: error.name, at };
}
