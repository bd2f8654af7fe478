// SPDX-License-Identifier: BSD-3-Clause

/** Most bytes of one line, LF included, that an atServer reads from its owner or a peer, and a client from an atServer. */
export const MAX_LINE_BYTES = 10_240_000;

const LF = 0x0a;
/** First bytes of a long line that its limit is chosen by. */
const START_BYTES = 64;
const NOTHING = new Uint8Array(0);
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * How long a line may be that is longer than the reader's limit, by its first bytes (at most 64): bytes, LF included, or
 * undefined when that can't be said yet.
 */
export type LongLine = (start: Uint8Array) => number | undefined;

/**
 * Cuts a byte stream into lines. `push` returns the lines a chunk completed, decoded as UTF-8 and without their LF
 * (`null` for a line that isn't UTF-8). Once a line is longer than it may be, `overflowed` is true and everything after the
 * lines already returned is dropped. An unfinished line takes at most twice its bytes, however small its pieces are.
 */
export class LineReader {
  readonly limit: number;
  overflowed = false;
  private readonly longer: LongLine | undefined;
  /** The unfinished line, in its first `held` bytes. */
  private buffer = NOTHING;
  private held = 0;
  /** What came behind a line whose limit can't be said yet. */
  private unread: Uint8Array[] = [];

  /** `limit`: most bytes of a line, LF included; `longer` is asked about one that has more. */
  constructor(limit: number, longer?: LongLine) {
    this.limit = limit;
    this.longer = longer;
  }

  /** Bytes of the line that isn't complete yet. */
  get pending(): number {
    return this.held;
  }

  /** Whether a line waits for its limit; `again` goes on. */
  get stalled(): boolean {
    return this.unread.length > 0;
  }

  /** Bytes of memory that what isn't returned yet takes. */
  get allocated(): number {
    return this.unread.reduce((sum, { length }) => sum + length, this.buffer.length);
  }

  /** Takes the next bytes of the stream; returns the lines they complete. */
  push(chunk: Uint8Array): (string | null)[] {
    const lines: (string | null)[] = [];
    if (this.stalled) this.unread.push(chunk);
    else this.read(chunk, lines);
    return lines;
  }

  /** Asks again for the limit of the line that waits for it; gives the lines that came since. */
  again(): (string | null)[] {
    const lines: (string | null)[] = [];
    for (const chunk of this.unread.splice(0)) {
      if (this.stalled) this.unread.push(chunk);
      else this.read(chunk, lines);
    }
    return lines;
  }

  /** Drops what is held, and everything that comes: the line is too long. */
  abandon(): void {
    this.overflowed = true;
    this.release();
    this.unread = [];
  }

  private read(chunk: Uint8Array, lines: (string | null)[]): void {
    let start = 0;
    while (!this.overflowed && start < chunk.length) {
      const end = chunk.indexOf(LF, start);
      const part = chunk.subarray(start, end < 0 ? chunk.length : end + 1);
      const limit = this.limitFor(part, lines.length > 0);
      if (limit === undefined) {
        this.unread.push(chunk.subarray(start));
        return;
      }
      if (this.held + part.length > limit) this.abandon();
      else if (end >= 0 && this.held === 0) lines.push(decode(chunk.subarray(start, end)));
      else {
        this.keep(part, limit);
        if (end >= 0) lines.push(this.take());
      }
      start += part.length;
    }
  }

  /** Lines in front of a long one come first: what they do may decide about its limit. */
  private limitFor(part: Uint8Array, others: boolean): number | undefined {
    const length = this.held + part.length;
    if (length <= this.limit || this.longer === undefined) return this.limit;
    if (others) return undefined;
    const start = new Uint8Array(Math.min(length, START_BYTES));
    start.set(this.buffer.subarray(0, Math.min(this.held, start.length)));
    const missing = start.length - this.held;
    if (missing > 0) start.set(part.subarray(0, missing), this.held);
    return this.longer(start);
  }

  private keep(part: Uint8Array, limit: number): void {
    const length = this.held + part.length;
    if (length > this.buffer.length) {
      const grown = new Uint8Array(Math.max(length, Math.min(2 * this.buffer.length, limit)));
      grown.set(this.buffer.subarray(0, this.held));
      this.buffer = grown;
    }
    this.buffer.set(part, this.held);
    this.held = length;
  }

  private take(): string | null {
    const line = decode(this.buffer.subarray(0, this.held - 1));
    this.release();
    return line;
  }

  private release(): void {
    this.buffer = NOTHING;
    this.held = 0;
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
