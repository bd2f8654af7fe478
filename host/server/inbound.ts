// SPDX-License-Identifier: BSD-3-Clause
import { AtError, formatError } from "../wire/errors.ts";
import { MIN_AUTHENTICATED_IDLE_MILLIS, MIN_IDLE_MILLIS, type Tuning } from "./config.ts";
import type { Connection } from "./connection.ts";

/** Share of the capacity below which idle connections keep their full time. */
const LOW_WATER_RATIO = 0.5;

/** What a connection is told that finds no room, as it is. */
export const FULL_LINE = `${formatError(
  new AtError("AT0012", "Inbound connection limit exceeded"),
  { json: false, owner: false },
).replace("Exception: ", "")}\n`;

/** The open connections, and how long they may be idle while others want in (atProtocol, connection limits). */
export class Inbound {
  private readonly open = new Set<Connection>();
  private readonly tuning: Tuning;
  private readonly now: () => number;

  constructor(tuning: Tuning, now: () => number) {
    this.tuning = tuning;
    this.now = now;
  }

  get size(): number {
    return this.open.size;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.open.values();
  }

  add(connection: Connection): void {
    this.open.add(connection);
  }

  remove(connection: Connection): void {
    this.open.delete(connection);
  }

  /** Closes what was idle for too long; true when there is room for one more. */
  makeRoom(): boolean {
    const share = this.idleShare();
    for (const connection of [...this.open]) {
      if (!connection.closed && !this.isIdle(connection, share)) continue;
      connection.close();
      this.open.delete(connection);
    }
    return this.open.size < this.tuning.inboundMaxLimit;
  }

  /** Whether a connection was idle for longer than it may: its next command only ends it. */
  isOverdue(connection: Connection): boolean {
    return this.isIdle(connection, this.idleShare());
  }

  private idleShare(): number {
    const capacity = this.tuning.inboundMaxLimit;
    const low = Math.floor(capacity * LOW_WATER_RATIO);
    return 1 - Math.max(this.open.size - low, 0) / (capacity - low);
  }

  private isIdle(connection: Connection, share: number): boolean {
    const known = connection.owner || connection.peer !== undefined;
    const max = known ? this.tuning.authenticatedInboundIdleMillis : this.tuning.inboundIdleMillis;
    const min = known ? MIN_AUTHENTICATED_IDLE_MILLIS : MIN_IDLE_MILLIS;
    const allowed = Math.floor((max - min) * share) + min;
    return this.now() - connection.lastWrite > allowed;
  }
}
