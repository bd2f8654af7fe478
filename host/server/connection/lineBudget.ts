// SPDX-License-Identifier: BSD-3-Clause
import { MAX_ANONYMOUS_LINE_BYTES } from "./longRequests.ts";

/** Longest standstill of the line that may continue while others wait, ms. */
const STALL_MILLIS = 10_000;
/** Least progress of that line within this time, bytes. */
const STALL_BYTES = 65_536;

/** A connection that holds bytes of lines that don't run yet. */
export interface LineHolder {
  readonly standing: "owner" | "peer" | "anonymous";
  /** Stops or goes on reading. */
  hold(stopped: boolean): void;
  /** Gives up what it holds, and the connection with it. */
  surrender(): void;
}

interface Held {
  bytes: number;
  stopped: boolean;
}

/**
 * The bytes of lines that haven't all come or don't run yet, of all connections together. When there are too many, the
 * largest of connections without a login are given up. When only logged in ones are left, their long lines stop but one, an
 * owner's before a peer's, the earliest first; one that then stands still is given up.
 */
export class LineBudget {
  private readonly held = new Map<LineHolder, Held>();
  private readonly limit: () => number;
  private readonly stallMillis: number;
  private total = 0;
  private favoured: LineHolder | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** `limit`: bytes in all. */
  constructor(limit: () => number, stallMillis: number = STALL_MILLIS) {
    this.limit = limit;
    this.stallMillis = stallMillis;
  }

  /** Bytes held in all. */
  get bytes(): number {
    return this.total;
  }

  /** Says what a connection holds now. */
  set(holder: LineHolder, bytes: number): void {
    const before = this.held.get(holder)?.bytes ?? 0;
    if (bytes === before) return;
    this.note(holder, bytes);
    if (this.total > this.limit()) this.relieve();
    else if (this.favoured !== undefined) this.relax();
  }

  private get over(): boolean {
    return this.total > this.limit();
  }

  private note(holder: LineHolder, bytes: number): void {
    const entry = this.held.get(holder);
    this.total += bytes - (entry?.bytes ?? 0);
    if (bytes === 0) this.held.delete(holder);
    else if (entry === undefined) this.held.set(holder, { bytes, stopped: false });
    else entry.bytes = bytes;
    if (bytes === 0 && entry?.stopped) holder.hold(false);
  }

  private relieve(): void {
    while (this.over) {
      const largest = this.largestAnonymous();
      if (largest === undefined) break;
      this.giveUp(largest);
    }
    if (this.over) this.letOneGoOn();
    else this.relax();
  }

  private giveUp(holder: LineHolder): void {
    this.note(holder, 0);
    holder.surrender();
  }

  private largestAnonymous(): LineHolder | undefined {
    let largest: [LineHolder, number] | undefined;
    for (const [holder, { bytes }] of this.held) {
      if (holder.standing !== "anonymous") continue;
      if (largest === undefined || bytes > largest[1]) largest = [holder, bytes];
    }
    return largest?.[0];
  }

  private letOneGoOn(): void {
    const isLong = ({ bytes }: Held): boolean => bytes > MAX_ANONYMOUS_LINE_BYTES;
    const long = [...this.held].filter(([, entry]) => isLong(entry)).map(([holder]) => holder);
    const first = long.find(({ standing }) => standing === "owner") ?? long[0];
    for (const [holder, entry] of this.held) {
      this.stop(holder, entry, isLong(entry) && holder !== first);
    }
    this.favour(first);
  }

  private relax(): void {
    for (const [holder, entry] of this.held) this.stop(holder, entry, false);
    this.favour(undefined);
  }

  private stop(holder: LineHolder, entry: Held, stopped: boolean): void {
    if (entry.stopped === stopped) return;
    entry.stopped = stopped;
    holder.hold(stopped);
  }

  private favour(holder: LineHolder | undefined): void {
    if (holder === this.favoured) return;
    clearTimeout(this.timer);
    this.favoured = holder;
    if (holder !== undefined) this.watch(holder, this.held.get(holder)?.bytes ?? 0);
  }

  private watch(holder: LineHolder, before: number): void {
    this.timer = setTimeout(() => {
      const now = this.held.get(holder)?.bytes ?? 0;
      if (Math.abs(now - before) >= STALL_BYTES) {
        this.watch(holder, now);
        return;
      }
      this.giveUp(holder);
      this.relieve();
    }, this.stallMillis);
    this.timer.unref();
  }
}
