// SPDX-License-Identifier: BSD-3-Clause
import type { Io } from "./command.ts";

/** Prints a result: one JSON line for machines, or the text for people, nothing for an empty one. */
export function printResult(io: Io, json: boolean | undefined, value: unknown, text: string): void {
  if (json === true) io.stdout(JSON.stringify(value));
  else if (text !== "") io.stdout(text);
}

/** Resolves when the user asks the program to end. */
export function interruption({ signal }: Io): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
