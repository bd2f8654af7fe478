// SPDX-License-Identifier: BSD-3-Clause
// Everything that is tried again after a failure by a timer, in one list: whoever can make something fail decides how often
// it is done, so each has a pause and a bound.
import { setTimeout as sleep } from "node:timers/promises";

/** How something that failed is tried again. */
export interface RetryPolicy {
  /** What is tried. */
  readonly name: string;
  /** Pause after the first failure, ms. */
  readonly firstMillis: number;
  /** Factor by which each further pause is longer than the one before, */
  readonly factor: number;
  /** but at most this, ms. */
  readonly mostMillis: number;
  /** Tries in all, the first one too; Infinity: until it succeeds, or who asked for it has enough. */
  readonly tries: number;
  /** The share of a pause, 0 to 1, of which a random part is left out, so that many don't come back at once. */
  readonly jitter: number;
}

/** Waits; rejects with the signal's reason when it is aborted. */
export type Pause = (millis: number, signal?: AbortSignal) => Promise<void>;

export const retries = {
  /** A connection to the atDirectory for each try (at_client's pauses). */
  directoryLookup: {
    name: "look-up in the atDirectory",
    firstMillis: 50,
    factor: 2,
    mostMillis: 200,
    tries: 5,
    jitter: 0,
  },
  /** The connection of a client's monitor, after it broke or could not be opened; until the monitor is closed. */
  monitorLink: {
    name: "connection of a monitor",
    firstMillis: 500,
    factor: 2,
    mostMillis: 60_000,
    tries: Number.POSITIVE_INFINITY,
    jitter: 0.5,
  },
  /** Login of an enrollment that waits for its approval; 48 hours, after which an atServer forgets it. */
  enrollmentApproval: {
    name: "login of an enrollment that waits for its approval",
    firstMillis: 5_000,
    factor: 1,
    mostMillis: 5_000,
    tries: 34_560,
    jitter: 0,
  },
  /**
   * What an atServer has for another that doesn't take it, one recipient after the other; also ended by the notification's
   * life. First pause and tries are parameters (`notification.quarantineDuration`, `.max_retries`).
   */
  notificationDelivery: {
    name: "delivery of notifications to an atServer",
    firstMillis: 10_000,
    factor: 2,
    mostMillis: 60_000,
    tries: 30,
    jitter: 0,
  },
  /** The atDirectory answers that it can't meanwhile. */
  redisConnection: {
    name: "connection of an atDirectory to its Redis",
    firstMillis: 50,
    factor: 2,
    mostMillis: 1_000,
    tries: Number.POSITIVE_INFINITY,
    jitter: 0,
  },
} as const satisfies Record<string, RetryPolicy>;

/** Pause after this number of failures in a row, 1 for the first, ms. */
export function pauseMillis(policy: RetryPolicy, failures: number): number {
  const { firstMillis, factor, mostMillis, jitter } = policy;
  const millis = Math.min(firstMillis * factor ** (failures - 1), mostMillis);
  return millis * (1 - jitter * Math.random());
}

const pause: Pause = (millis, signal) => sleep(millis, undefined, { signal });

/** The pauses of one thing that is tried again. */
export class Retry {
  private readonly policy: RetryPolicy;
  private readonly wait: Pause;
  private failures = 0;

  constructor(policy: RetryPolicy, wait: Pause = pause) {
    this.policy = policy;
    this.wait = wait;
  }

  /** After a failure: waits, and resolves to whether to try again. Rejects with the signal's reason. */
  async again(signal?: AbortSignal): Promise<boolean> {
    this.failures += 1;
    if (this.failures >= this.policy.tries) return false;
    await this.wait(pauseMillis(this.policy, this.failures), signal);
    return true;
  }

  /** After a success: the next failure counts as the first. */
  reset(): void {
    this.failures = 0;
  }
}
