// SPDX-License-Identifier: BSD-3-Clause

import { DeviceClock } from "../emulator/clock.ts";
import { Flash } from "../emulator/flash.ts";
import { Network, type NetworkOptions } from "../emulator/network.ts";
import { Chip } from "../emulator/rp2040/chip.ts";
import { W5500 } from "../emulator/w5500.ts";

const RESETS_CLEAR = 0x4000_f000;
const SPI0 = 0x4003_c000;
const SELECT = 1 << 17;
const INTERRUPT_PIN = 21;
/** GPIO_STATUS (RP2040 datasheet, §2.19.6.1). */
const IN_FROM_PAD = 1 << 17;

/** A W5500 model and the frames of its SPI (datasheet §2.2), made through the RP2040's registers. */
export class W5500Bus {
  readonly network: Network;
  readonly clock = new DeviceClock();
  readonly chip: Chip;
  readonly w5500: W5500;

  constructor(options: NetworkOptions = { names: {}, routes: {} }) {
    this.network = new Network(options);
    this.w5500 = new W5500(this.network);
    this.chip = new Chip({
      flash: new Flash(),
      clock: this.clock,
      watchdog: { reason: 0, scratch: new Uint32Array(8) },
      hadPowerOn: true,
      entropy: () => 0,
      onWatchdogReset: () => {},
      onMark: () => {},
    });
    this.w5500.attach(this.chip, true);
    this.chip.writeUint32(RESETS_CLEAR, 0x1ff_ffff);
    this.chip.writeUint32(0x4001_4004 + 17 * 8, 5);
    this.chip.writeUint32(0xd000_0014, SELECT);
    this.chip.writeUint32(0xd000_0024, SELECT);
    this.chip.writeUint32(SPI0, 7);
    this.chip.writeUint32(SPI0 + 4, 2);
  }

  read(block: number, address: number, count: number): number[] {
    return this.#frame(block << 3, address, new Array<number>(count).fill(0));
  }

  write(block: number, address: number, ...bytes: readonly number[]): void {
    this.#frame((block << 3) | 4, address, bytes);
  }

  byte(block: number, address: number): number {
    return this.read(block, address, 1)[0] ?? -1;
  }

  half(block: number, address: number): number {
    const [high = 0, low = 0] = this.read(block, address, 2);
    return (high << 8) | low;
  }

  /** The level of INTn. */
  get interruptPin(): boolean {
    return ((this.chip.gpio[INTERRUPT_PIN]?.status ?? 0) & IN_FROM_PAD) !== 0;
  }

  /** Resolves when the model has something for the device. */
  event(): Promise<void> {
    return new Promise((resolve) => {
      this.w5500.onEvent = resolve;
    });
  }

  #frame(control: number, address: number, data: readonly number[]): number[] {
    this.chip.writeUint32(0xd000_0018, SELECT);
    const answers = [address >> 8, address & 0xff, control, ...data].map((byte) => {
      this.chip.writeUint32(SPI0 + 8, byte);
      return this.chip.readUint32(SPI0 + 8);
    });
    this.chip.writeUint32(0xd000_0014, SELECT);
    return answers.slice(3);
  }
}
