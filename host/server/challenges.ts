// SPDX-License-Identifier: BSD-3-Clause
import { CHALLENGE_TTL_MILLIS } from "./config.ts";

/**
 * Proofs this server shows a peer for pol (`public:<session>@me`): for 60 s, or until they are taken away. They are kept in
 * memory: no later process may ever show them.
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

  remove(key: string): void {
    this.held.delete(key);
  }
}
