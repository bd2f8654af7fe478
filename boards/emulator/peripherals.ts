// SPDX-License-Identifier: BSD-3-Clause
// Peripherals of the RP2040 that rp2040js lacks or forgets over a reset. Registers: RP2040 datasheet, the section named.
import { randomBytes } from "node:crypto";
import { BasePeripheral, type RP2040 } from "rp2040js";
import type { Alarm, DeviceClock } from "./clock.ts";

/** Ring oscillator (§2.17): its random bit, and enough of its status for firmware that waits for it. */
export class RingOscillator extends BasePeripheral {
  readonly #bit: () => number;
  #control = 0xaa0;

  constructor(chip: RP2040, bit: () => number) {
    super(chip, "ROSC");
    this.#bit = bit;
  }

  override readUint32(offset: number): number {
    if (offset === 0x00) return this.#control;
    if (offset === 0x18) return 0x8000_1000;
    if (offset === 0x1c) return this.#bit();
    return super.readUint32(offset);
  }

  override writeUint32(offset: number, value: number): void {
    if (offset === 0x00) this.#control = value;
    else super.writeUint32(offset, value);
  }
}

/** Bits of this machine's generator, one a call. */
export function hostBits(): () => number {
  let pool = randomBytes(256);
  let at = 0;
  return () => {
    if (at === pool.length * 8) {
      pool = randomBytes(256);
      at = 0;
    }
    const bit = ((pool[at >> 3] ?? 0) >> (at & 7)) & 1;
    at++;
    return bit;
  };
}

/** Voltage regulator and chip reset (§2.10.6): only why the chip was last reset as a whole. */
export class ChipReset extends BasePeripheral {
  readonly #hadPowerOn: boolean;

  constructor(chip: RP2040, hadPowerOn: boolean) {
    super(chip, "VREG_AND_CHIP_RESET");
    this.#hadPowerOn = hadPowerOn;
  }

  override readUint32(offset: number): number {
    return offset === 0x08 ? (this.#hadPowerOn ? 1 << 8 : 0) : super.readUint32(offset);
  }
}

/** What the watchdog block keeps over the resets it makes. */
export interface WatchdogMemory {
  /** 0 none, 1 the counter ran out, 2 forced. */
  reason: number;
  readonly scratch: Uint32Array;
}

const TRIGGER = 0x8000_0000;
const ENABLE = 0x4000_0000;
const COUNT = 0x00ff_ffff;

/** Watchdog (§4.7). Its counter loses two a microsecond (erratum RP2040-E1). */
export class Watchdog extends BasePeripheral {
  readonly #memory: WatchdogMemory;
  readonly #alarm: Alarm;
  readonly #clock: DeviceClock;
  readonly #onReset: () => void;
  #enabled = false;
  #loaded = COUNT;
  #loadedAt = 0;
  #tick = 0;

  constructor(chip: RP2040, clock: DeviceClock, memory: WatchdogMemory, onReset: () => void) {
    super(chip, "WATCHDOG");
    this.#clock = clock;
    this.#memory = memory;
    this.#onReset = onReset;
    this.#alarm = clock.createAlarm(() => this.#reset(1));
  }

  override readUint32(offset: number): number {
    if (offset === 0x00) return (this.#enabled ? ENABLE : 0) | this.#left();
    if (offset === 0x08) return this.#memory.reason;
    if (offset >= 0x0c && offset <= 0x28) return this.#memory.scratch[(offset - 0x0c) >> 2] ?? 0;
    if (offset === 0x2c) return this.#tick & 0x200 ? this.#tick | 0x400 : this.#tick;
    return super.readUint32(offset);
  }

  override writeUint32(offset: number, value: number): void {
    if (offset === 0x00) this.#control(value >>> 0);
    else if (offset === 0x04) this.#load(value & COUNT);
    else if (offset >= 0x0c && offset <= 0x28) this.#memory.scratch[(offset - 0x0c) >> 2] = value;
    else if (offset === 0x2c) this.#tick = value & 0x3ff;
    else super.writeUint32(offset, value);
  }

  #control(value: number): void {
    if ((value & TRIGGER) !== 0) {
      this.#reset(2);
      return;
    }
    this.#enabled = (value & ENABLE) !== 0;
    this.#load(this.#left());
  }

  #load(count: number): void {
    this.#loaded = count;
    this.#loadedAt = this.#clock.nanos;
    if (this.#enabled) this.#alarm.schedule(count * 500);
    else this.#alarm.cancel();
  }

  #left(): number {
    if (!this.#enabled) return this.#loaded;
    const gone = Math.floor((this.#clock.nanos - this.#loadedAt) / 500);
    return Math.max(0, this.#loaded - gone);
  }

  #reset(reason: number): void {
    this.#memory.reason = reason;
    this.#onReset();
  }
}
