// SPDX-License-Identifier: BSD-3-Clause

/** An error whose message is a sentence for the operator: it quotes neither keys nor values, so a log may show it. */
export class OperatorError extends Error {
  override readonly name: string = "OperatorError";
}

/**
 * What a log may show of an unexpected error: where it happened. Its message may quote a key or a value,
 * unless it is one for the operator.
 */
export function traceOf(error: unknown): { name: string; at: string[]; reason?: string } {
  if (error instanceof OperatorError) return { name: error.name, at: [], reason: error.message };
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
