// SPDX-License-Identifier: BSD-3-Clause
import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { OTP_TTL_MILLIS, type Tuning } from "./config.ts";
import { isActive, type Records } from "./records.ts";
import { sameSecret } from "./signatures.ts";

const LETTERS = "ABCDEFGHIJKLMNPQRSTUVWXYZ";
const DIGITS = "123456789";
const OTP_LENGTH = 6;

function randomPasscode(): string {
  const alphabet = LETTERS + DIGITS;
  const digitAt = randomInt(OTP_LENGTH);
  return Array.from({ length: OTP_LENGTH }, (_, i) => {
    const from = i === digitAt ? DIGITS : alphabet;
    return from[randomInt(from.length)] ?? "";
  }).join("");
}

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

/** One-time passcodes, the semi-permanent one, and the growing delay behind wrong ones (atProtocol, enroll:request). */
export class Passcodes {
  private readonly records: Records;
  private readonly atSign: string;
  private readonly now: () => number;
  private readonly delays: PasscodeDelays;

  constructor(records: Records, atSign: string, now: () => number, tuning: Tuning) {
    this.records = records;
    this.atSign = atSign;
    this.now = now;
    this.delays = new PasscodeDelays(tuning.otpDelayBaseMillis, tuning.otpDelayThresholdMillis);
  }

  /** Makes a passcode for one enrollment request. */
  async create(ttl: number = OTP_TTL_MILLIS): Promise<string> {
    const otp = randomPasscode();
    await this.records.put(this.otpKey(otp), otp, { ttl });
    return otp;
  }

  /** Sets the passcode that stays valid; `ttl` ms, for ever when absent. */
  async setPermanent(passcode: string, ttl: number | undefined): Promise<void> {
    await this.records.put(`private:spp.__otp${this.atSign}`, passcode, { ttl: ttl ?? 0 });
  }

  /** Whether a passcode is good; a one-time passcode is used up by it. A wrong one is answered late. */
  async accept(passcode: string | undefined): Promise<boolean> {
    const arrived = this.now();
    if (passcode !== undefined && (this.isPermanent(passcode) || (await this.use(passcode)))) {
      return true;
    }
    await delay(this.delays.next(arrived));
    return false;
  }

  private isPermanent(passcode: string): boolean {
    return [`private:spp.__otp${this.atSign}`, `private:spp${this.atSign}`].some((key) => {
      const stored = this.records.active(key)?.value;
      return typeof stored === "string" && sameSecret(stored.toLowerCase(), passcode.toLowerCase());
    });
  }

  private use(passcode: string): Promise<boolean> {
    if (!/^\w+$/.test(passcode)) return Promise.resolve(false);
    const keys = [this.otpKey(passcode), `private:${passcode.toLowerCase()}${this.atSign}`];
    const now = this.now();
    return this.records.store.write((writer) => {
      const key = keys.find((candidate) => {
        const record = writer.record(candidate);
        if (record === undefined || record.value === null) return false;
        const same = sameSecret(record.value.toLowerCase(), passcode.toLowerCase());
        return same && isActive(record.metadata, now);
      });
      if (key === undefined) return false;
      writer.remove(key, false);
      return true;
    });
  }

  private otpKey(otp: string): string {
    return `private:${otp.toLowerCase()}.__otp${this.atSign}`;
  }
}
