// SPDX-License-Identifier: BSD-3-Clause
// UART 0 of an emulated chip that runs the probe, used synchronously: the chip goes on while bytes are awaited.
import type { SerialLine } from "../../../device/probe/serialEngine.ts";
import { DeviceClock } from "../clock.ts";
import { Fault } from "../fault.ts";
import { Flash } from "../flash.ts";
import { boot } from "./bootRom.ts";
import { Chip } from "./chip.ts";
import { hostBits } from "./peripherals.ts";

/** BKPT number at which the firmware wants the cycle counter. */
const MARK_COUNT = 1;
/** Flag register of UART 0 and its bit "receive FIFO full" (RP2040 datasheet, 4.2.8). */
const UART0_FR = 0x4003_4018;
const UART_FR_RXFF = 1 << 6;
/** Instructions between two looks at the line. */
const SLICE = 200;
/** So many slices without a byte in either direction: about a minute of the chip. */
const LONGEST_SILENCE = 30_000_000;

export class EmulatedLine implements SerialLine {
  readonly #chip: Chip;
  readonly #clock = new DeviceClock();
  readonly #cyclesAt: number;
  #toChip: number[] = [];
  #fromChip: number[] = [];
  #stopped: number | null = null;

  /** `image` is the firmware's flash, `symbols` where its variables lie. */
  constructor(image: Uint8Array, symbols: Readonly<Record<string, number>>) {
    this.#cyclesAt = symbols.probe_cycles ?? 0;
    if (this.#cyclesAt === 0) throw new Error("the image is not the probe's");
    this.#chip = new Chip({
      flash: new Flash(image),
      clock: this.#clock,
      watchdog: { reason: 0, scratch: new Uint32Array(8) },
      hadPowerOn: true,
      entropy: hostBits(),
      onWatchdogReset: () => {
        throw new Fault("the watchdog bit");
      },
      onMark: (code) => this.#mark(code),
    });
    const uart = this.#chip.uart[0];
    if (!uart) throw new Error("the chip has no UART 0");
    uart.onByte = (byte) => this.#fromChip.push(byte);
    boot(this.#chip);
  }

  write(bytes: Uint8Array): void {
    for (const byte of bytes) this.#toChip.push(byte);
    this.#toChip.reverse();
    for (let slices = 0; this.#toChip.length > 0; slices++) {
      if (slices > LONGEST_SILENCE) throw new Error("the chip does not read");
      this.#feed();
      this.#slice();
    }
  }

  read(count: number): Uint8Array {
    for (let slices = 0; this.#fromChip.length < count; slices++) {
      if (slices > LONGEST_SILENCE) throw new Error("the chip is silent");
      this.#slice();
    }
    return Uint8Array.from(this.#fromChip.splice(0, count));
  }

  close(): void {
    this.#stopped = 0;
  }

  /** What the chip's FIFO has room for, as soon as the program has turned the UART on; the bytes wait last first. */
  #feed(): void {
    const uart = this.#chip.uart[0];
    while (uart?.enabled && !(this.#chip.readUint32(UART0_FR) & UART_FR_RXFF)) {
      const byte = this.#toChip.pop();
      if (byte === undefined) return;
      uart.feedByte(byte);
    }
  }

  #slice(): void {
    const { core } = this.#chip;
    const nanos = 1e9 / this.#chip.clkSys;
    for (let i = 0; i < SLICE; i++) this.#clock.tick(core.executeInstruction() * nanos);
    if (this.#stopped !== null) throw new Error(`the chip stopped with ${this.#stopped}`);
  }

  #mark(code: number): void {
    if (code !== MARK_COUNT) {
      this.#stopped = code;
      return;
    }
    const { cycles } = this.#chip.core;
    this.#chip.writeUint32(this.#cyclesAt, cycles >>> 0);
    this.#chip.writeUint32(this.#cyclesAt + 4, Math.floor(cycles / 2 ** 32));
  }
}
