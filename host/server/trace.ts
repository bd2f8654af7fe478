// SPDX-License-Identifier: BSD-3-Clause

/** What a log may show of an unexpected error: where it happened. Its message may quote a key or a value. */
export function traceOf(error: unknown): { name: string; at: string[] } {
  if (!(error instanceof Error)) return { name: typeof error, at: [] };
  const at = (error.stack ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at "));
  return { name: error.name, at };
}
