// SPDX-License-Identifier: BSD-3-Clause
import { addressBlock } from "./addressBlock.ts";

const MINUTE_MILLIS = 60_000;

/** Connections of others, alike its own, that a site (an IPv4 address, an IPv6 /48) may put out, at once and in a minute. */
export const DISPLACEMENTS_PER_MINUTE = 12;

/** Addresses of which the use is remembered; the one that did nothing for longest goes first. */
export const MAX_ADDRESSES = 10_000;

interface Bucket {
  /** What may still be done at once. */
  left: number;
  /** ms since the epoch up to which `left` was counted. */
  at: number;
}

/**
 * How often something may be done from one address (of IPv6 a /64): so many times at once, and as many in each minute. An
 * address that did nothing for a minute is forgotten, so that MAX_ADDRESSES is reached by that many at once only.
 */
export class AddressRate {
  private readonly perMinute: () => number;
  private readonly blockOf: (address: string) => string;
  /** In the order of their latest use. */
  private readonly buckets = new Map<string, Bucket>();

  /** `blockOf`: what counts as one address. */
  constructor(perMinute: () => number, blockOf: (address: string) => string = addressBlock) {
    this.perMinute = perMinute;
    this.blockOf = blockOf;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.buckets.size;
  }

  /** Whether it may be done once more from an address; it then counts as done. `now`: ms since the epoch. */
  take(address: string, now: number): boolean {
    this.forgetIdle(now);
    const bucket = this.use(this.blockOf(address), now);
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

  /** What was done last from an address doesn't count after all. */
  giveBack(address: string, now: number): void {
    const block = this.blockOf(address);
    if (!this.buckets.has(block)) return;
    const bucket = this.use(block, now);
    bucket.left = Math.min(this.perMinute(), bucket.left + 1);
  }

  private use(block: string, now: number): Bucket {
    const most = this.perMinute();
    const bucket = this.buckets.get(block) ?? { left: most, at: now };
    this.buckets.delete(block);
    this.buckets.set(block, bucket);
    // Nothing is gained when the clock is set back.
    const passed = Math.max(0, now - bucket.at);
    bucket.left = Math.min(most, bucket.left + (passed * most) / MINUTE_MILLIS);
    bucket.at = now;
    return bucket;
  }

  private forgetIdle(now: number): void {
    for (const [block, { at }] of this.buckets) {
      const isIdle = Math.abs(now - at) >= MINUTE_MILLIS;
      if (!isIdle && this.buckets.size < MAX_ADDRESSES) return;
      this.buckets.delete(block);
    }
  }
}
