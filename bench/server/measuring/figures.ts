// SPDX-License-Identifier: BSD-3-Clause
// What is read of a running process, and what is made of many figures.
import { readFileSync } from "node:fs";

/** Length of the kernel's clock tick that /proc reports processor time in (USER_HZ), µs. */
const TICK_MICROS = 10_000;

/** Processor time a process has used, all threads, user and system, µs in steps of 10 000. */
export function cpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The program's name, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS;
}

export type Memory = { readonly rssBytes: number; readonly anonBytes: number };

/** Resident memory of a process, and the part of it that no file backs. */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) * 1024;
  return { rssBytes: bytes("VmRSS"), anonBytes: bytes("RssAnon") };
}

/** Resident pages of files of that name that a process has mapped, bytes. */
export function mappedBytes(pid: number, fileName: string): number {
  const mappings = readFileSync(`/proc/${pid}/smaps`, "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return mappings
    .filter((mapping) => mapping.slice(0, mapping.indexOf("\n")).endsWith(`/${fileName}`))
    .map((mapping) => Number(/^Rss:\s+(\d+) kB$/m.exec(mapping)?.[1]) * 1024)
    .reduce((sum, bytes) => sum + bytes, 0);
}

/** The value below which `share` (0 to 1) of the values lie; NaN without any. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** To three significant digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** Median with the smallest and the largest value. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export function spread(values: readonly number[]): Spread {
  return {
    median: rounded(median(values)),
    min: rounded(Math.min(...values)),
    max: rounded(Math.max(...values)),
  };
}
