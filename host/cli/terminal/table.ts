// SPDX-License-Identifier: BSD-3-Clause
import { shown } from "./output.ts";

/** Lines of columns aligned to the left, two spaces apart; the cells escaped, so that they stay in their places. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const all = [head, ...rows].map((row) => row.map(shown));
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => [...(row[column] ?? "")].length)),
  );
  return all.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - [...cell].length))
      .join("  ")
      .trimEnd(),
  );
}
