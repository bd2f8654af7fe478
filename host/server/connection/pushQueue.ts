// SPDX-License-Identifier: BSD-3-Clause
import type { Buffer } from "node:buffer";
import { MAX_LINE_BYTES } from "../../wire/line.ts";
import { SLICE_BYTES } from "./longReply.ts";
import type { Claim, OutputBudget, OutputHolder } from "./outputBudget.ts";

/** Bytes that may wait for a monitor that doesn't read. A line is shared by all monitors it waits for. */
export const MAX_QUEUED_BYTES = MAX_LINE_BYTES;

/** Where the lines go. */
export interface PushTarget {
  /** Whether a line may be begun now: no request is in the way, and the other side reads. */
  readonly ready: boolean;
  /** Whether the other side has taken what was written. */
  readonly taken: boolean;
  write(bytes: Buffer): void;
  /** More is waiting than `MAX_QUEUED_BYTES`. */
  overflow(): void;
}

/** Lines, each with its line feed, for one monitoring connection, written in order and no faster than they are read. */
export class PushQueue {
  private readonly target: PushTarget;
  private readonly budget: OutputBudget;
  private readonly holder: OutputHolder;
  private readonly replays: Iterator<Buffer>[] = [];
  private lines: Claim<Buffer>[] = [];
  private bytes = 0;
  /** The line that is being written, and how much of it is. */
  private line: Claim<Buffer> | undefined;
  private written = 0;
  /** What was to be written meanwhile. */
  private followers: Buffer[] = [];

  /** What waits is held in the budget for `holder`. */
  constructor(target: PushTarget, budget: OutputBudget, holder: OutputHolder) {
    this.target = target;
    this.budget = budget;
    this.holder = holder;
  }

  /** Whether the beginning of a line is written, and its end isn't. */
  get inLine(): boolean {
    return this.line !== undefined;
  }

  /** Writes what an iterator gives, before any line pushed later; it is asked for one line at a time. */
  replay(lines: Iterable<Buffer>): void {
    this.replays.push(lines[Symbol.iterator]());
    this.flow();
  }

  push(line: Buffer): void {
    const isFirst = this.lines.length === 0;
    if (isFirst && this.replays.length === 0 && !this.inLine && this.target.ready) {
      this.write(line);
      return;
    }
    // One line of any length may wait, so that none is too long to be ever taken.
    if (!isFirst && this.bytes + line.length > MAX_QUEUED_BYTES) {
      this.clear();
      this.target.overflow();
      return;
    }
    this.bytes += line.length;
    this.lines.push(this.budget.claim(this.holder, line));
    this.flow();
  }

  /** Writes bytes right behind the line that is being written. */
  follow(bytes: Buffer): void {
    this.followers.push(bytes);
  }

  /** Goes on writing, as far as the target is ready. */
  flow(): void {
    while (this.line === undefined ? this.begin() : this.goOn());
  }

  clear(): void {
    const waiting = this.line === undefined ? this.lines : [this.line, ...this.lines];
    this.replays.length = 0;
    this.lines = [];
    this.bytes = 0;
    this.line = undefined;
    this.followers = [];
    for (const claim of waiting) claim.release();
  }

  /** Begins the next line; false when there is none or it has to wait. */
  private begin(): boolean {
    const line = this.target.ready ? this.next() : undefined;
    if (line === undefined) return false;
    this.write(line);
    return true;
  }

  /** Writes a line, or begins it when it is long. */
  private write(line: Buffer): void {
    if (line.length <= SLICE_BYTES) {
      this.target.write(line);
      return;
    }
    this.written = 0;
    this.line = this.budget.claim(this.holder, line);
    this.flow();
  }

  private goOn(): boolean {
    const { line, target } = this;
    if (line === undefined || !target.taken) return false;
    const slice = line.output.subarray(this.written, this.written + SLICE_BYTES);
    this.written += slice.length;
    if (this.written >= line.output.length) this.finish(line);
    target.write(slice);
    if (!this.inLine) for (const bytes of this.followers.splice(0)) target.write(bytes);
    return true;
  }

  private finish(line: Claim<Buffer>): void {
    this.line = undefined;
    line.release();
  }

  private next(): Buffer | undefined {
    for (;;) {
      const [replay] = this.replays;
      if (replay === undefined) break;
      const { done, value } = replay.next();
      if (done !== true) return value;
      this.replays.shift();
    }
    const claim = this.lines.shift();
    if (claim === undefined) return undefined;
    const line = claim.output;
    this.bytes -= line.length;
    claim.release();
    return line;
  }
}
