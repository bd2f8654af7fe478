// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import type { Changed } from "../verbs/verb.ts";

/**
 * Largest TLS record sent: what a device with a 4 kB receive buffer can take. It costs 22 bytes (TLS 1.3) for every 4 096
 * instead of every 16 384.
 */
export const MAX_RECORD_BYTES = 4_096;

/** What a command is answered with, once it is its turn. */
export interface Answer {
  /** Each is written on its own, so that it begins a TLS record. */
  readonly parts: readonly (string | Buffer)[];
  /** What monitors are told of behind it. */
  readonly changed?: Changed | undefined;
  /** The connection ends behind it. */
  readonly closes?: boolean | undefined;
  /** It is the end of one of which the beginning is written. */
  readonly endsStream?: true;
}

export const NO_ANSWER: Answer = { parts: [] };

/**
 * A line and its prompt. Clients take a line feed as the end of what they read and expect the prompt in the same TLS record; a
 * line whose prompt would begin a record of its own becomes two parts instead.
 */
export function lineParts(text: string, prompt: string): Buffer[] {
  const bytes = Buffer.from(`${text}\n${prompt}`, "utf8");
  const lineFeed = bytes.length - Buffer.byteLength(prompt) - 1;
  const record = (index: number): number => Math.floor(index / MAX_RECORD_BYTES);
  if (record(lineFeed) === record(bytes.length - 1)) return [bytes];
  return [bytes.subarray(0, lineFeed - 1), bytes.subarray(lineFeed - 1)];
}
