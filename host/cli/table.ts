// SPDX-License-Identifier: BSD-3-Clause

/** Columns aligned to the left, two spaces apart, without a line end at the end. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  indent = "",
): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) =>
    Math.max(...all.map((row) => [...(row[column] ?? "")].length)),
  );
  return all
    .map((row) =>
      row
        .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - [...cell].length))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => indent + line)
    .join("\n");
}
