// SPDX-License-Identifier: BSD-3-Clause
// The memory budget as a picture: a bar per board and phase, made of its parts, with lines at 128 and 192 kB.
import type { MemoryParts, MemoryPhase } from "../../emulate/memory.ts";
import {
  type BoardFigures,
  BUDGET_BYTES,
  LARGER_BUDGET_BYTES,
  PART_NAMES,
  PARTS,
} from "./figures.ts";

const WIDTH = 880;
const LEFT = 150;
const RIGHT = 70;
const SCALE_BYTES = 208_000;
const BAR = 22;
const ROW = 30;
const HEAD = 34;
const LEGEND = 64;

/** Colours that stay apart in greyscale and for colour-blind readers (after Okabe and Ito). */
const COLOURS: Readonly<Record<keyof MemoryParts, string>> = {
  data: "#bbbbbb",
  bss: "#888888",
  linearMemory: "#0072b2",
  code: "#e69f00",
  interpreter: "#cc79a7",
  tlsHeap: "#009e73",
  stack: "#d55e00",
};

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

const x = (bytes: number): number =>
  Math.round((LEFT + (bytes / SCALE_BYTES) * (WIDTH - LEFT - RIGHT)) * 10) / 10;

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

function text(at: number, y: number, words: string, more = ""): string {
  return `<text x="${at}" y="${y}"${more}>${escaped(words)}</text>`;
}

function bar(phase: MemoryPhase, y: number): string {
  let from = 0;
  const pieces = PART_NAMES.map((name) => {
    const bytes = phase.parts[name];
    const start = x(from);
    from += bytes;
    const width = Math.round((x(from) - start) * 10) / 10;
    const title = `<title>${escaped(`${PARTS[name]}: ${kilobytes(bytes)}`)}</title>`;
    return `<rect x="${start}" y="${y}" width="${width}" height="${BAR}" fill="${COLOURS[name]}">${title}</rect>`;
  });
  const middle = y + BAR - 6;
  return [
    text(LEFT - 8, middle, phase.name, ' text-anchor="end"'),
    ...pieces,
    text(x(phase.peakBytes) + 6, middle, kilobytes(phase.peakBytes)),
  ].join("\n");
}

function limit(bytes: number, top: number, bottom: number): string {
  const at = x(bytes);
  return [
    `<line x1="${at}" y1="${top}" x2="${at}" y2="${bottom}" stroke="#333" stroke-dasharray="4 3"/>`,
    text(at, top - 5, `${bytes / 1000} kB`, ' text-anchor="middle"'),
  ].join("\n");
}

function legend(y: number): string {
  return PART_NAMES.map((name, i) => {
    const at = LEFT + (i % 3) * 230;
    const row = y + Math.floor(i / 3) * 20;
    const box = `<rect x="${at}" y="${row}" width="12" height="12" fill="${COLOURS[name]}"/>`;
    return box + text(at + 18, row + 11, PARTS[name]);
  }).join("\n");
}

/** The SVG of the boards' figures, title above each board's bars. */
export function picture(boards: Readonly<Record<string, BoardFigures>>): string {
  const lines: string[] = [];
  let y = HEAD;
  for (const [title, { phases }] of Object.entries(boards)) {
    lines.push(text(8, y + 12, title, ' font-weight="bold"'));
    y += 22;
    for (const phase of phases) {
      lines.push(bar(phase, y));
      y += ROW;
    }
  }
  const bottom = y;
  lines.push(limit(BUDGET_BYTES, HEAD - 8, bottom), limit(LARGER_BUDGET_BYTES, HEAD - 8, bottom));
  lines.push(legend(bottom + 12));
  const height = bottom + LEGEND + 16;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...lines,
    "</svg>",
    "",
  ].join("\n");
}

/** The same figures as a Markdown table, a line per board and phase, kilobytes of 1,000 bytes. */
export function table(boards: Readonly<Record<string, BoardFigures>>): string {
  const head = ["board", "phase", ...PART_NAMES.map((name) => PARTS[name]), "all"];
  const rows = Object.entries(boards).flatMap(([title, { phases }]) =>
    phases.map((phase) => {
      const parts = PART_NAMES.map((name) => (phase.parts[name] / 1000).toFixed(1));
      return [title, phase.name, ...parts, (phase.peakBytes / 1000).toFixed(1)];
    }),
  );
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const align = ["---", "---", ...PART_NAMES.map(() => "---:"), "---:"];
  return `${[head, align, ...rows].map(line).join("\n")}\n`;
}
