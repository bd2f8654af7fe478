// SPDX-License-Identifier: BSD-3-Clause
// Peripherals of the RP2040 that rp2040js lacks or forgets over a reset. Registers: RP2040 datasheet, the section named.
import { randomBytes } from "node:crypto";
import { BasePeripheral, type RP2040 } from "rp2040js";
import type { Alarm, DeviceClock } from "../clock.ts";

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

/** Blocks that stay in reset until the firmware releases them (§2.14.3): their bit, and where their registers are. */
const RESET_BLOCKS = {
  adc: { bit: 0, at: 0x4004c },
  i2c0: { bit: 3, at: 0x40044 },
  i2c1: { bit: 4, at: 0x40048 },
  ioBank0: { bit: 5, at: 0x40014 },
  padsBank0: { bit: 8, at: 0x4001c },
  pllSys: { bit: 12, at: 0x40028 },
  pllUsb: { bit: 13, at: 0x4002c },
  spi0: { bit: 16, at: 0x4003c },
  spi1: { bit: 17, at: 0x40040 },
  timer: { bit: 21, at: 0x40054 },
  uart0: { bit: 22, at: 0x40034 },
  uart1: { bit: 23, at: 0x40038 },
} as const;
export type ResetBlock = keyof typeof RESET_BLOCKS;

const ALL_BLOCKS = 0x1ff_ffff;
/** What the boot ROM needed to read the flash: IO_QSPI and PADS_QSPI. */
const RELEASED_BY_ROM = (1 << 6) | (1 << 9);

/** Subsystem resets (§2.14). A block that is put into reset forgets everything. */
export class Resets extends BasePeripheral {
  readonly #onReset: (block: ResetBlock) => void;
  readonly #blockAt = new Map<number, ResetBlock>();
  #held = ALL_BLOCKS & ~RELEASED_BY_ROM;

  constructor(chip: RP2040, onReset: (block: ResetBlock) => void) {
    super(chip, "RESETS");
    this.#onReset = onReset;
    for (const [name, { at }] of Object.entries(RESET_BLOCKS)) {
      this.#blockAt.set(at, name as ResetBlock);
    }
  }

  /** The block whose registers are there (address without its low 12 bits), when it is in reset. */
  heldAt(page: number): ResetBlock | null {
    const block = this.#blockAt.get(page);
    return block !== undefined && (this.#held >> RESET_BLOCKS[block].bit) & 1 ? block : null;
  }

  override readUint32(offset: number): number {
    if (offset === 0x00) return this.#held;
    if (offset === 0x08) return ~this.#held & ALL_BLOCKS;
    return super.readUint32(offset);
  }

  override writeUint32(offset: number, value: number): void {
    if (offset !== 0x00) {
      super.writeUint32(offset, value);
      return;
    }
    const put = value & ~this.#held;
    this.#held = value & ALL_BLOCKS;
    for (const [name, { bit }] of Object.entries(RESET_BLOCKS)) {
      if ((put >> bit) & 1) this.#onReset(name as ResetBlock);
    }
  }
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
