// SPDX-License-Identifier: BSD-3-Clause
import { MAX_SLOW_READERS } from "./limits.ts";

/** A connection that waits for its other side to read. */
export interface SlowReader {
  /** Ends it without waiting for anything to be read. */
  giveUp(): void;
}

/** The connections whose answers aren't read; the one that has waited longest is given up when they are too many. */
export class SlowReaders {
  private readonly waiting = new Set<SlowReader>();

  /** It waits from now on. */
  add(reader: SlowReader): void {
    const [longest] = this.waiting;
    if (this.waiting.size >= MAX_SLOW_READERS && longest !== undefined) {
      this.waiting.delete(longest);
      longest.giveUp();
    }
    this.waiting.add(reader);
  }

  /** What was answered was read, or the connection is over. */
  remove(reader: SlowReader): void {
    this.waiting.delete(reader);
  }
}
