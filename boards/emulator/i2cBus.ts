// SPDX-License-Identifier: BSD-3-Clause
// Two lines with pull-ups between the pins of an I2C block and the devices on them (NXP UM10204).
import type { Alarm, DeviceClock } from "./clock.ts";
import type { Attachment } from "./emulator.ts";
import type { I2cMaster, Soc } from "./soc.ts";

/** A device on the bus. */
export interface I2cDevice {
  /** It has power since now, by this clock. */
  powerOn(clock: DeviceClock): void;
  /** A start with its address; true: it acknowledges. */
  start(isRead: boolean): boolean;
  /** A byte for it; true: it acknowledges. */
  write(byte: number): boolean;
  read(): number;
  stop(): void;
}

export interface I2cPins {
  /** 0 or 1. */
  readonly block: number;
  readonly data: number;
  readonly clock: number;
}

/** An address or a byte with its acknowledgement. */
const BYTE_BITS = 9;

export class I2cBus implements Attachment {
  onEvent: () => void = () => {};
  /** A device holds the clock low and never lets go. */
  isClockHeld = false;
  /** Clocks a device that was cut off in the middle of a byte still wants before it lets the data line go. */
  clocksToFree = 0;
  readonly #pins: I2cPins;
  readonly #devices = new Map<number, I2cDevice>();
  #chip: Soc | null = null;
  #talking: I2cDevice | null = null;
  #alarm: Alarm | null = null;
  #next: () => void = () => {};

  constructor(pins: I2cPins, devices: Readonly<Record<number, I2cDevice>> = {}) {
    this.#pins = pins;
    for (const [address, device] of Object.entries(devices)) {
      this.#devices.set(Number(address), device);
    }
  }

  /** Connects a device of this address while the board may be running. */
  plug(address: number, device: I2cDevice): void {
    this.#devices.set(address, device);
    if (this.#chip) device.powerOn(this.#chip.deviceClock);
  }

  unplug(address: number): void {
    if (this.#talking === this.#devices.get(address)) this.#talking = null;
    this.#devices.delete(address);
  }

  attach(chip: Soc, powered: boolean): void {
    this.#chip = chip;
    this.#talking = null;
    if (powered) for (const device of this.#devices.values()) device.powerOn(chip.deviceClock);
    this.#alarm = chip.deviceClock.createAlarm(() => this.#next());
    this.#connectLines(chip);
    const block = chip.i2cMaster(this.#pins.block);
    block.onStart = () => this.#after(block, 1, () => block.completeStart());
    block.onConnect = (address, isRead) => {
      this.#talking = block.isRoutedTo(this.#pins.data, this.#pins.clock)
        ? (this.#devices.get(address) ?? null)
        : null;
      const acknowledged = this.#talking?.start(isRead) ?? false;
      this.#after(block, BYTE_BITS, () => block.completeConnect(acknowledged));
    };
    block.onWriteByte = (byte) => {
      const acknowledged = this.#talking?.write(byte) ?? false;
      this.#after(block, BYTE_BITS, () => block.completeWrite(acknowledged));
    };
    block.onReadByte = () => {
      const byte = this.#talking?.read() ?? 0xff;
      this.#after(block, BYTE_BITS, () => block.completeRead(byte));
    };
    block.onStop = () => {
      this.#talking?.stop();
      this.#after(block, 1, () => block.completeStop());
    };
  }

  powerOff(): void {
    this.#chip = null;
    this.#alarm = null;
    this.#talking = null;
  }

  #after(block: I2cMaster, bits: number, next: () => void): void {
    this.#next = next;
    if (!this.isClockHeld) this.#alarm?.schedule(bits * block.nanosPerBit);
  }

  /** Levels while the pins are GPIOs: pulled up, except for a data line that a device holds. */
  #connectLines(chip: Soc): void {
    const { data, clock } = this.#pins;
    const settle = () => {
      chip.drive(data, this.clocksToFree > 0 ? false : null, "up");
      chip.drive(clock, this.isClockHeld ? false : null, "up");
    };
    settle();
    chip.onOutput(clock, (isHigh) => {
      if (!isHigh && this.clocksToFree > 0) this.clocksToFree--;
      settle();
    });
  }
}
