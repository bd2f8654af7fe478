// SPDX-License-Identifier: BSD-3-Clause
import type { DeviceClock } from "./clock.ts";

/** An I2C block as the bus sees it: it asks for one thing after the other, and goes on when that is complete. */
export interface I2cMaster {
  /** One clock of the bus, nanoseconds. */
  readonly nanosPerBit: number;
  onStart: () => void;
  onConnect: (address: number, isRead: boolean) => void;
  onWriteByte: (byte: number) => void;
  onReadByte: () => void;
  onStop: () => void;
  completeStart(): void;
  completeConnect(acknowledged: boolean): void;
  completeWrite(acknowledged: boolean): void;
  completeRead(byte: number): void;
  completeStop(): void;
  /** Whether these pins are the block's. */
  isRoutedTo(data: number, clock: number): boolean;
}

/** The chip of a board, from one reset to the next, as the run loop and what is soldered to its pins see it. */
export interface Soc {
  readonly deviceClock: DeviceClock;
  /** Cycles since the last reset, or instructions where the chip's model counts those. */
  readonly cycles: number;
  /** It waits for an interrupt, and none is pending. */
  readonly isAsleep: boolean;
  /** Carries out some ten thousand instructions, fewer when it falls asleep or is to leave; device time goes on with them. */
  slice(): void;
  /** Ends the slice that is under way. */
  leave(): void;
  /** A word of memory at its address, as the firmware sees it. */
  readUint32(address: number): number;
  /** Connects a pin to something outside: to a level, or, with null, to nothing but a pull. */
  drive(pin: number, level: boolean | null, pull?: "up" | "none"): void;
  /** Calls back with the level that the chip drives a pin to, whenever it changes. */
  onOutput(pin: number, changed: (isHigh: boolean) => void): void;
  /** Connects the other end of an SPI block: what it answers to a byte. */
  onSpi(block: number, exchange: (byte: number) => number): void;
  /** Throws RangeError for a block that isn't there. */
  i2cMaster(block: number): I2cMaster;
}

/** What a chip is started with, at power on and after each reset. */
export interface SocStart {
  readonly clock: DeviceClock;
  /** Power came; else it was reset. */
  readonly powered: boolean;
  /** A byte of the console's UART. */
  readonly onByte: (byte: number) => void;
  /** The chip resets itself: the slice ends, and the run loop starts it anew. */
  readonly onReset: () => void;
  /** A mark of the firmware. */
  readonly onMark: (code: number) => void;
}
