// SPDX-License-Identifier: BSD-3-Clause
import { addressBlock } from "../../net/addressBlock.ts";

const MINUTE_MILLIS = 60_000;
const HOUR_MILLIS = 3_600_000;

/** Wrong passcodes within a minute, from one address (of IPv6 a /64) and from all, beyond which none is looked at. */
export const MAX_WRONG_OF_ADDRESS = 5;
export const MAX_WRONG_OF_ALL = 20;
/** Of those from all, the places for addresses from which a wrong one came within the last hour; the others have the rest. */
export const MAX_WRONG_OF_KNOWN = MAX_WRONG_OF_ALL / 2;

/**
 * How late a wrong passcode is answered, ms: 1, 2, 3, 5, 8… times the base up to the first value at or above the threshold,
 * from the beginning again when none was wrong for that long.
 */
export class PasscodeDelays {
  private readonly base: number;
  private readonly threshold: number;
  private series: [number, number];
  private last = Number.NEGATIVE_INFINITY;

  constructor(base: number, threshold: number) {
    this.base = base;
    this.threshold = threshold;
    this.series = [0, base];
  }

  /** The delay for a wrong passcode that arrived at `now`. */
  next(now: number): number {
    if (now - this.last >= this.threshold) this.series = [0, this.base];
    this.last = now;
    const [previous, current] = this.series;
    if (current < this.threshold) this.series = [current, previous + current];
    return this.series[1];
  }
}

/** A wrong passcode of the last minute. */
interface Wrong {
  readonly address: string;
  /** ms since the epoch. */
  time: number;
  /** Whether one came from the address within the hour before. */
  readonly known: boolean;
}

/** An address from which a wrong passcode came within the last hour. */
interface Guesser {
  readonly delays: PasscodeDelays;
  /** ms since the epoch of the latest wrong one. */
  last: number;
  /** ms by which its latest wrong one is answered late; 0 once it is answered. */
  delay: number;
}

/** Why a passcode isn't looked at, and for how long none would be, ms. */
export interface Refusal {
  readonly reason: "address" | "all";
  readonly waitMillis: number;
}

/**
 * The wrong passcodes of the last hour, and which further ones may be looked at. Of those that may not nothing is kept, so
 * that MAX_WRONG_OF_ALL bounds what is kept, however many addresses guess.
 */
export class PasscodeGuesses {
  private readonly base: number;
  private readonly threshold: number;
  /** Oldest first. */
  private recent: Wrong[] = [];
  private readonly guessers = new Map<string, Guesser>();

  constructor(base: number, threshold: number) {
    this.base = base;
    this.threshold = threshold;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.guessers.size;
  }

  /** Why a passcode from an address isn't looked at; undefined when it may be. */
  refusal(address: string, now: number): Refusal | undefined {
    this.forgetOld(now);
    const block = addressBlock(address);
    const guesser = this.guessers.get(block);
    if (guesser !== undefined && guesser.delay > 0) {
      return { reason: "address", waitMillis: guesser.last + guesser.delay - now };
    }
    const own = this.recent.filter((wrong) => wrong.address === block);
    if (own.length >= MAX_WRONG_OF_ADDRESS) return this.until("address", own, now);
    if (this.recent.length >= MAX_WRONG_OF_ALL) return this.until("all", this.recent, now);
    const known = this.recent.filter((wrong) => wrong.known);
    const full = guesser !== undefined && known.length >= MAX_WRONG_OF_KNOWN;
    return full ? this.until("all", known, now) : undefined;
  }

  /** Notes a wrong passcode; gives its delay, ms. Until `answered` nothing from its address is looked at. */
  wrong(address: string, now: number): number {
    const block = addressBlock(address);
    const known = this.guessers.get(block);
    this.recent.push({ address: block, time: now, known: known !== undefined });
    const guesser = known ?? this.newGuesser();
    this.guessers.set(block, guesser);
    guesser.last = now;
    guesser.delay = guesser.delays.next(now);
    return guesser.delay;
  }

  /** The delay behind the latest wrong passcode from an address is over. */
  answered(address: string): void {
    const guesser = this.guessers.get(addressBlock(address));
    if (guesser !== undefined) guesser.delay = 0;
  }

  private newGuesser(): Guesser {
    return { delays: new PasscodeDelays(this.base, this.threshold), last: 0, delay: 0 };
  }

  private until(reason: Refusal["reason"], wrong: readonly Wrong[], now: number): Refusal {
    return { reason, waitMillis: (wrong[0]?.time ?? now) + MINUTE_MILLIS - now };
  }

  /** What was noted later than now was noted before the clock was set back. */
  private forgetOld(now: number): void {
    for (const wrong of this.recent) wrong.time = Math.min(wrong.time, now);
    this.recent = this.recent.filter(({ time }) => time > now - MINUTE_MILLIS);
    for (const [address, guesser] of this.guessers) {
      guesser.last = Math.min(guesser.last, now);
      if (guesser.last <= now - HOUR_MILLIS && guesser.delay === 0) this.guessers.delete(address);
    }
  }
}
