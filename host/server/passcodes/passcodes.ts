// SPDX-License-Identifier: BSD-3-Clause
import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { StoreReader, StoreWriter } from "../../store/store.ts";
import { AtError } from "../../wire/errors.ts";
import type { Enrollments } from "../access/enrollments.ts";
import { secretComparison } from "../access/signatures.ts";
import { OTP_TTL_MILLIS, type Tuning } from "../config/config.ts";
import { isActive, type Records } from "../records/records.ts";
import { PasscodeGuesses, type Refusal } from "./passcodeGuesses.ts";
import { PasscodeSuspension } from "./passcodeSuspension.ts";

const LETTERS = "ABCDEFGHIJKLMNPQRSTUVWXYZ";
const DIGITS = "123456789";
const OTP_LENGTH = 6;
/** What a passcode can be; anything else is refused without being looked for. */
const PASSCODE = /^\w{1,200}$/;
/** One-time passcodes that may wait to be used. */
export const MAX_WAITING = 1_000;

function randomPasscode(): string {
  const alphabet = LETTERS + DIGITS;
  const digitAt = randomInt(OTP_LENGTH);
  return Array.from({ length: OTP_LENGTH }, (_, i) => {
    const from = i === digitAt ? DIGITS : alphabet;
    return from[randomInt(from.length)] ?? "";
  }).join("");
}

/** A passcode that would be accepted. */
interface Passcode {
  readonly key: string;
  readonly text: string;
  /** The semi-permanent one, which isn't used up. */
  readonly permanent: boolean;
  /** The enrollment that made it, and with which it ends. */
  readonly maker?: string;
}

/** What `appMetadata` of a passcode's record says. */
type Made = { readonly enrollmentId?: string };

export interface PasscodesOptions {
  records: Records;
  enrollments: Enrollments;
  atSign: string;
  now: () => number;
  tuning: Tuning;
  /** The semi-permanent passcode is suspended. */
  onSuspended: () => Promise<void>;
}

function notLookedAt({ reason, waitMillis }: Refusal): AtError {
  const whose = reason === "address" ? " from this address" : "";
  const seconds = Math.max(1, Math.ceil(waitMillis / 1_000));
  return new AtError(
    "AT0028",
    `Too many wrong passcodes${whose}: this one wasn't looked at. Try again in ${seconds} s`,
  );
}

/** One-time passcodes, the semi-permanent one, and what is done about guesses (atProtocol, enroll:request). */
export class Passcodes {
  private readonly options: PasscodesOptions;
  private readonly guesses: PasscodeGuesses;
  private readonly suspension: PasscodeSuspension;
  private readonly closed = new AbortController();
  /** Passcodes are looked at one after the other, so that none slips in before the one in front of it is counted. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(options: PasscodesOptions) {
    this.options = options;
    const { records, atSign, tuning } = options;
    this.guesses = new PasscodeGuesses(tuning.otpDelayBaseMillis, tuning.otpDelayThresholdMillis);
    this.suspension = new PasscodeSuspension(records, atSign);
  }

  /** Makes a passcode for one enrollment request. Throws AT0028 when too many wait. */
  async create(maker: string | undefined, ttl: number = OTP_TTL_MILLIS): Promise<string> {
    const { records } = this.options;
    const waiting = this.acceptable(records.store).filter(({ permanent }) => !permanent);
    if (waiting.length >= MAX_WAITING) {
      throw new AtError("AT0028", `${MAX_WAITING} one-time passcodes wait to be used or to expire`);
    }
    const otp = randomPasscode();
    await records.put(this.otpKey(otp), otp, { ttl, appMetadata: made(maker) });
    return otp;
  }

  /** Sets the passcode that stays valid, or confirms it; `ttl` ms, for ever when absent. */
  async setPermanent(
    passcode: string,
    maker: string | undefined,
    ttl: number | undefined,
  ): Promise<void> {
    const { records } = this.options;
    const [key = "", ...older] = this.permanentKeys();
    await records.store.write((writer) => {
      records.putIn(writer, key, passcode, { ttl: ttl ?? 0, appMetadata: made(maker) });
      for (const old of older) writer.remove(old, false);
      this.suspension.lift(writer);
    });
  }

  /**
   * Whether a passcode is good; a one-time passcode is used up by it. A wrong one is answered late. Throws AT0028, without
   * looking at it, while a wrong one from its address is being answered and above the limits of `PasscodeGuesses`.
   */
  async accept(passcode: string | undefined, address: string): Promise<boolean> {
    if (passcode === undefined || !PASSCODE.test(passcode)) return false;
    const looked = this.turn.then(() => this.look(passcode, address));
    this.turn = looked.catch(() => undefined);
    const delayMillis = await looked;
    if (delayMillis === undefined) return true;
    try {
      await delay(delayMillis, undefined, { signal: this.closed.signal });
    } catch (error) {
      if (!this.closed.signal.aborted) throw error;
    }
    this.guesses.answered(address);
    return false;
  }

  /** Takes away what revoked enrollments made. */
  removeMadeBy(makers: ReadonlySet<string>, writer: StoreWriter): void {
    for (const { key, maker } of this.stored(writer)) {
      if (maker !== undefined && makers.has(maker)) writer.remove(key, false);
    }
  }

  /** Answers what waits for its delay at once. */
  close(): void {
    this.closed.abort();
  }

  /** The delay behind a wrong passcode, undefined behind a right one. */
  private async look(passcode: string, address: string): Promise<number | undefined> {
    const { now, onSuspended } = this.options;
    const refusal = this.guesses.refusal(address, now());
    if (refusal !== undefined) throw notLookedAt(refusal);
    if (await this.use(passcode)) return undefined;
    const delayMillis = this.guesses.wrong(address, now());
    if (this.acceptable(this.options.records.store).some(({ permanent }) => permanent)) {
      if (await this.suspension.wrong(now())) await onSuspended();
    }
    return delayMillis;
  }

  private use(passcode: string): Promise<boolean> {
    return this.options.records.store.write((writer) => {
      const isSame = secretComparison(passcode.toLowerCase());
      let found: Passcode | undefined;
      // All of them are compared, wherever the right one is.
      for (const candidate of this.acceptable(writer)) {
        if (isSame(candidate.text.toLowerCase())) found = candidate;
      }
      if (found !== undefined && !found.permanent) writer.remove(found.key, false);
      return found !== undefined;
    });
  }

  private acceptable(store: StoreReader): Passcode[] {
    const { enrollments } = this.options;
    const suspended = this.suspension.isSuspended(store);
    return this.stored(store).filter(({ permanent, maker }) => {
      if (permanent && suspended) return false;
      return maker === undefined || enrollments.get(maker)?.state === "approved";
    });
  }

  /** Passcodes that live, where this server and older ones keep them. */
  private stored(store: StoreReader): Passcode[] {
    const now = this.options.now();
    const permanentKeys = this.permanentKeys();
    const found: Passcode[] = [];
    for (const [key, { value, metadata }] of store.records("private:")) {
      if (value === null || !isActive(metadata, now)) continue;
      const permanent = permanentKeys.includes(key);
      if (!permanent && !this.oneTimeKeys(value).includes(key)) continue;
      const { enrollmentId: maker } = (metadata.appMetadata ?? {}) as Made;
      found.push({ key, text: value, permanent, ...(maker !== undefined && { maker }) });
    }
    return found;
  }

  private permanentKeys(): string[] {
    const { atSign } = this.options;
    return [`private:spp.__otp${atSign}`, `private:spp${atSign}`];
  }

  private oneTimeKeys(otp: string): string[] {
    return [this.otpKey(otp), `private:${otp.toLowerCase()}${this.options.atSign}`];
  }

  private otpKey(otp: string): string {
    return `private:${otp.toLowerCase()}.__otp${this.options.atSign}`;
  }
}

function made(maker: string | undefined): Made | null {
  return maker === undefined ? null : { enrollmentId: maker };
}
