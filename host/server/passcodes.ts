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

/** One-time passcodes, the semi-permanent one, and the growing delay behind wrong ones (atProtocol, enroll:request). */
export class Passcodes {
  private readonly records: Records;
  private readonly atSign: string;
  private readonly now: () => number;
  private readonly tuning: Tuning;
  private series: [number, number];
  private lastInvalid = Number.NEGATIVE_INFINITY;

  constructor(records: Records, atSign: string, now: () => number, tuning: Tuning) {
    this.records = records;
    this.atSign = atSign;
    this.now = now;
    this.tuning = tuning;
    this.series = [0, tuning.otpDelayBaseMillis];
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
    const now = this.now();
    if (now - this.lastInvalid >= this.tuning.otpDelayThresholdMillis) {
      this.series = [0, this.tuning.otpDelayBaseMillis];
    }
    if (passcode !== undefined && (this.isPermanent(passcode) || (await this.use(passcode)))) {
      return true;
    }
    this.lastInvalid = now;
    await delay(this.nextDelay());
    return false;
  }

  private nextDelay(): number {
    const [previous, current] = this.series;
    const next = previous + current;
    if (current < this.tuning.otpDelayThresholdMillis) this.series = [current, next];
    return next;
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
