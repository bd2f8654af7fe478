// SPDX-License-Identifier: BSD-3-Clause
import type { DirectoryLimits } from "./limits.ts";
import type { Lookups } from "./lookups.ts";

/** Longest time between two looks at what is idle, ms. */
const SWEEP_MILLIS = 30_000;

/** The open connections of an atDirectory; the longest idle leave when there are too many, or after their time. */
export class OpenConnections {
  private readonly open = new Set<Lookups>();
  private readonly blocks = new Map<string, Set<Lookups>>();
  private readonly limits: DirectoryLimits;
  private readonly now: () => number;
  private sweeper: NodeJS.Timeout | undefined;

  constructor(limits: DirectoryLimits, now: () => number) {
    this.limits = limits;
    this.now = now;
  }

  /** Closes from now on what is idle for too long. */
  watch(): void {
    const period = Math.min(this.limits.idleMillis, SWEEP_MILLIS);
    this.sweeper = setInterval(() => this.closeIdle(), period);
    this.sweeper.unref();
  }

  /** Takes a connection, at the cost of the longest idle one when there are as many as may be. */
  add(connection: Lookups): void {
    if (this.open.size >= this.limits.maxConnections) longestIdle(this.open)?.close();
    this.open.add(connection);
    this.ofBlock(connection.block).add(connection);
    connection.ended.addEventListener("abort", () => this.remove(connection), { once: true });
  }

  /** Connections from an address block. */
  from(block: string): number {
    return this.blocks.get(block)?.size ?? 0;
  }

  /** Closes the longest idle one from an address block. */
  closeIdlest(block: string): void {
    longestIdle(this.blocks.get(block) ?? [])?.close();
  }

  /** Ends `watch`. */
  unwatch(): void {
    clearInterval(this.sweeper);
  }

  private closeIdle(): void {
    const since = this.now() - this.limits.idleMillis;
    for (const connection of [...this.open]) {
      if (connection.lastAnswer < since) connection.close();
    }
  }

  private remove(connection: Lookups): void {
    this.open.delete(connection);
    const ofBlock = this.ofBlock(connection.block);
    ofBlock.delete(connection);
    if (ofBlock.size === 0) this.blocks.delete(connection.block);
  }

  private ofBlock(block: string): Set<Lookups> {
    let found = this.blocks.get(block);
    if (found === undefined) {
      found = new Set();
      this.blocks.set(block, found);
    }
    return found;
  }
}

function longestIdle(connections: Iterable<Lookups>): Lookups | undefined {
  let idlest: Lookups | undefined;
  for (const each of connections) {
    if (idlest === undefined || each.lastAnswer < idlest.lastAnswer) idlest = each;
  }
  return idlest;
}
