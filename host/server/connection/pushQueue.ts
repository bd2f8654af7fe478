// SPDX-License-Identifier: BSD-3-Clause
import type { Buffer } from "node:buffer";
import { MAX_LINE_BYTES } from "../../wire/line.ts";

/** Bytes that may wait for a monitor that doesn't read. A line is shared by all monitors it waits for. */
export const MAX_QUEUED_BYTES = MAX_LINE_BYTES;

/** Where the lines go. */
export interface PushTarget {
  /** Whether a line may be written now: no request is in the way, and the other side reads. */
  readonly ready: boolean;
  /** Writes a line with its line feed. */
  write(line: Buffer): void;
  /** More is waiting than `MAX_QUEUED_BYTES`. */
  overflow(): void;
}

/** Lines for one monitoring connection, written in order and no faster than they are read. */
export class PushQueue {
  private readonly target: PushTarget;
  private readonly replays: Iterator<Buffer>[] = [];
  private lines: Buffer[] = [];
  private bytes = 0;

  constructor(target: PushTarget) {
    this.target = target;
  }

  /** Writes what an iterator gives, before any line pushed later; it is asked for one line at a time. */
  replay(lines: Iterable<Buffer>): void {
    this.replays.push(lines[Symbol.iterator]());
    this.flow();
  }

  push(line: Buffer): void {
    const size = line.length;
    // One line of any length may wait, so that none is too long to be ever taken.
    if (this.lines.length > 0 && this.bytes + size > MAX_QUEUED_BYTES) {
      this.clear();
      this.target.overflow();
      return;
    }
    this.lines.push(line);
    this.bytes += size;
    this.flow();
  }

  /** Goes on writing, as far as the target is ready. */
  flow(): void {
    while (this.target.ready) {
      const line = this.next();
      if (line === undefined) return;
      this.target.write(line);
    }
  }

  clear(): void {
    this.replays.length = 0;
    this.lines = [];
    this.bytes = 0;
  }

  private next(): Buffer | undefined {
    for (;;) {
      const [replay] = this.replays;
      if (replay === undefined) break;
      const { done, value } = replay.next();
      if (done !== true) return value;
      this.replays.shift();
    }
    const line = this.lines.shift();
    if (line !== undefined) this.bytes -= line.length;
    return line;
  }
}
