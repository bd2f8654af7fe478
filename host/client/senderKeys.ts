// SPDX-License-Identifier: BSD-3-Clause
const MINUTE_MILLIS = 60_000;
/** Age at which a known key is asked for again, ms; also after a login: an atSign may be reset. */
export const KNOWN_KEY_MILLIS = 60 * MINUTE_MILLIS;
/** Pause after which a key that could not be got is asked for again, ms. */
export const MISSING_KEY_MILLIS = 5 * MINUTE_MILLIS;
/** Wrapped keys that came with values: how many may be opened at once; after that one per `NEW_KEY_MILLIS`. */
export const NEW_KEYS_AT_ONCE = 4;
/** Pause after which one more wrapped key may be opened, ms. */
export const NEW_KEY_MILLIS = 60 * MINUTE_MILLIS;

/** Wrapped keys of one sender that are remembered: senders repeat theirs with every value. */
const REMEMBERED_KEYS = 8;

/** What is fetched by: a clock that only goes forward, ms, and how often this client has logged in. */
export interface Schedule {
  readonly now: () => number;
  readonly logins: () => number;
}

/** What asking for a sender's key led to. */
export type Fetched = { readonly key: string } | { readonly error: unknown };

/**
 * The keys of one sender. What is asked of the atServer, and when, follows from the clock, the logins and what arrives;
 * never from whether something could be decrypted: whoever can have texts decrypted would otherwise learn them bit by bit from
 * what leaves.
 */
export class SenderKeys {
  private readonly schedule: Schedule;
  private readonly opened = new Map<string, string>();
  private newKeysLeft = NEW_KEYS_AT_ONCE;
  private countedAt: number;
  private record: Promise<Fetched> | undefined;
  private fetchedAt = 0;
  private fetchedLogin = 0;
  private nextMillis = 0;

  constructor(schedule: Schedule) {
    this.schedule = schedule;
    this.countedAt = schedule.now();
  }

  /** The key that came wrapped with a value; undefined when too many others came before it. */
  open(wrapped: string, unwrap: (wrapped: string) => string): string | undefined {
    const known = this.opened.get(wrapped);
    if (known !== undefined) return known;
    if (!this.takeNewKey()) return undefined;
    const key = unwrap(wrapped);
    this.opened.set(wrapped, key);
    for (const oldest of this.opened.keys()) {
      if (this.opened.size <= REMEMBERED_KEYS) break;
      this.opened.delete(oldest);
    }
    return key;
  }

  /** The key opened last; undefined when none came with a value yet. */
  get latest(): string | undefined {
    return [...this.opened.values()].at(-1);
  }

  /** The key of the record that the sender shares; asks for it when it is due. Rejects as the latest asking did. */
  async shared(fetch: () => Promise<Fetched>): Promise<string> {
    if (this.record === undefined || this.isDue()) {
      this.fetchedAt = this.schedule.now();
      this.fetchedLogin = this.schedule.logins();
      this.nextMillis = MISSING_KEY_MILLIS;
      this.record = this.renew(this.record, fetch);
    }
    const record = await this.record;
    if ("error" in record) throw record.error;
    return record.key;
  }

  /** A key that was known stays when it can't be got again. */
  private async renew(
    before: Promise<Fetched> | undefined,
    fetch: () => Promise<Fetched>,
  ): Promise<Fetched> {
    const fresh = await fetch();
    if ("error" in fresh) {
      const known = await before;
      return known !== undefined && "key" in known ? known : fresh;
    }
    // Asking may have been what logged in.
    this.fetchedLogin = this.schedule.logins();
    this.nextMillis = KNOWN_KEY_MILLIS;
    return fresh;
  }

  private isDue(): boolean {
    const known = this.nextMillis === KNOWN_KEY_MILLIS;
    if (known && this.schedule.logins() !== this.fetchedLogin) return true;
    return this.schedule.now() - this.fetchedAt >= this.nextMillis;
  }

  private takeNewKey(): boolean {
    const earned = Math.floor((this.schedule.now() - this.countedAt) / NEW_KEY_MILLIS);
    this.countedAt += earned * NEW_KEY_MILLIS;
    this.newKeysLeft = Math.min(NEW_KEYS_AT_ONCE, this.newKeysLeft + earned);
    if (this.newKeysLeft === 0) return false;
    this.newKeysLeft -= 1;
    return true;
  }
}
