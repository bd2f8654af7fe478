// SPDX-License-Identifier: BSD-3-Clause
// An I2C block of the RP2040 (datasheet §4.3) as rp2040js models it, with what silicon does not forgive.
import { type RP2040, RPI2C } from "rp2040js";
import { Fault } from "../fault.ts";

const REGISTER = {
  control: 0x00,
  target: 0x04,
  data: 0x10,
  highCount: 0x1c,
  lowCount: 0x20,
  hold: 0x7c,
  spike: 0xa0,
} as const;
/** What they are after a reset (§4.3.17). */
const RESET_VALUES = {
  control: 0x65,
  targetAddress: 0x55,
  fsClockHighPeriod: 6,
  fsClockLowPeriod: 13,
  abortSource: 0,
  intRaw: 0,
  intEnable: 0,
  spikelen: 7,
  state: 0,
  busy: false,
  stop: false,
  pendingRestart: false,
} as const;
/** These are only taken while the block is off. */
const ONLY_WHILE_OFF: ReadonlySet<number> = new Set([
  ...[REGISTER.control, REGISTER.target, REGISTER.highCount, REGISTER.lowCount],
  ...[REGISTER.hold, REGISTER.spike],
]);
const ENABLE = 1;
const INTERRUPT = { receivedTooMuch: 1 << 1, sentTooMuch: 1 << 3, abort: 1 << 6 } as const;

export class I2cBlock extends RPI2C {
  #hold = 1;

  constructor(chip: RP2040, name: string, irq: number) {
    super(chip, name, irq);
    this.reset();
  }

  /** The block was held in reset: nothing of what it did is left. */
  reset(): void {
    super.writeUint32(0x6c, 0);
    Object.assign(this, RESET_VALUES);
    this.#hold = 1;
  }

  /** One clock of the bus (§4.3.14.1), without the time the lines take to rise. */
  get nanosPerBit(): number {
    const spike = super.readUint32(REGISTER.spike);
    const cycles = this.fsClockHighPeriod + spike + 7 + this.fsClockLowPeriod + 1;
    return (cycles * 1e9) / this.rp2040.clkSys;
  }

  override readUint32(offset: number): number {
    return offset === REGISTER.hold ? this.#hold : super.readUint32(offset);
  }

  override writeUint32(offset: number, value: number): void {
    const isOn = (this.enable & ENABLE) !== 0;
    if (ONLY_WHILE_OFF.has(offset) && isOn) {
      throw new Fault(`${this.name}: register ${offset} is written while the block is on`);
    }
    if (offset === REGISTER.hold) {
      this.#hold = value;
      return;
    }
    if (offset === REGISTER.data) {
      if (!isOn) throw new Fault(`${this.name}: a command while the block is off`);
      // Its FIFO stays flushed until the abort is cleared (IC_RAW_INTR_STAT, TX_ABRT).
      if (this.intRaw & INTERRUPT.abort) return;
    }
    super.writeUint32(offset, value);
    if (this.intRaw & INTERRUPT.sentTooMuch) throw new Fault(`${this.name}: a command too many`);
  }

  protected override pushRX(value: number): void {
    super.pushRX(value);
    if (this.intRaw & INTERRUPT.receivedTooMuch) throw new Fault(`${this.name}: a byte was lost`);
  }
}
