// SPDX-License-Identifier: BSD-3-Clause

/** Most bytes of one line, LF included, that an atServer reads from a client or a peer. */
export const MAX_LINE_BYTES = 10_240_000;

const LF = 0x0a;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Cuts a byte stream into lines. `push` returns the lines a chunk completed, decoded as UTF-8 and without their LF
 * (`null` for a line that isn't UTF-8). Once a line is longer than `limit` bytes, `overflowed` is true and everything
 * after the lines already returned is dropped.
 */
export class LineReader {
  readonly limit: number;
  overflowed = false;
  private parts: Uint8Array[] = [];
  private held = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes of the line that isn't complete yet. */
  get pending(): number {
    return this.held;
  }

  push(chunk: Uint8Array): (string | null)[] {
    const lines: (string | null)[] = [];
    let start = 0;
    while (!this.overflowed && start < chunk.length) {
      const end = chunk.indexOf(LF, start);
      const length = (end < 0 ? chunk.length : end + 1) - start;
      if (this.held + length > this.limit) {
        this.overflowed = true;
        this.parts = [];
        this.held = 0;
      } else if (end >= 0 && this.held === 0) {
        lines.push(decode(chunk.subarray(start, end)));
      } else {
        this.parts.push(chunk.subarray(start, start + length));
        this.held += length;
        if (end >= 0) lines.push(this.take());
      }
      start += length;
    }
    return lines;
  }

  private take(): string | null {
    const bytes = new Uint8Array(this.held - 1);
    let at = 0;
    for (const part of this.parts) {
      bytes.set(part.subarray(0, Math.min(part.length, bytes.length - at)), at);
      at += part.length;
    }
    this.parts = [];
    this.held = 0;
    return decode(bytes);
  }
}

function decode(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
