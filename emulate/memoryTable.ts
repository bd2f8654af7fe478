// SPDX-License-Identifier: BSD-3-Clause
import type { MemoryParts, MemoryPhase } from "./memory.ts";

const COLUMNS: readonly (readonly [keyof MemoryParts, string])[] = [
  ["data", ".data"],
  ["bss", ".bss"],
  ["linearMemory", "linear memory"],
  ["code", "wasm3 code"],
  ["interpreter", "wasm3 other"],
  ["tlsHeap", "TLS heap"],
  ["stack", "stack"],
];

/** RAM of the whole device by phase and part, bytes, the most so far; and the flash image. Markdown lines. */
export function memoryTable(phases: readonly MemoryPhase[], flashBytes: number): string[] {
  const row = (cells: readonly (string | number)[]) => {
    const [name = "", ...rest] = cells;
    const numbers = rest.map((cell) => String(cell).padStart(13)).join(" | ");
    return `| ${String(name).padEnd(16)} | ${numbers} |`;
  };
  const head = ["phase", ...COLUMNS.map(([, title]) => title), "whole device"];
  const rule = head.map((_, i) => (i === 0 ? "----------------" : "------------:"));
  return [
    row(head),
    row(rule),
    ...phases.map(({ name, parts, peakBytes }) =>
      row([name, ...COLUMNS.map(([part]) => parts[part]), peakBytes]),
    ),
    "",
    `Flash: ${flashBytes} bytes.`,
  ];
}
