// SPDX-License-Identifier: BSD-3-Clause
import { CHALLENGE_TTL_MILLIS } from "./config.ts";
import { keyNotFound } from "./records.ts";

/**
 * Proofs that live for 60 s and are used once: the challenge of `from` (`private:<session>@me` for the owner,
 * `public:<session>@other` for a peer), and the signature this server shows a peer for pol (`public:<session>@me`).
 * They are kept in memory: no other connection or later process may ever use them.
 */
export class Challenges {
  private readonly held = new Map<string, { text: string; until: number }>();
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  put(key: string, text: string): void {
    const now = this.now();
    for (const [old, { until }] of this.held) {
      if (until < now) this.held.delete(old);
    }
    this.held.set(key, { text, until: now + CHALLENGE_TTL_MILLIS });
  }

  get(key: string): string | undefined {
    const found = this.held.get(key);
    return found !== undefined && found.until >= this.now() ? found.text : undefined;
  }

  /** Throws AT0015 when there is none, or no longer. */
  demand(key: string): string {
    const text = this.get(key);
    if (text === undefined) throw keyNotFound(key);
    return text;
  }

  remove(key: string): void {
    this.held.delete(key);
  }
}
