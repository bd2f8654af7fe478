// SPDX-License-Identifier: BSD-3-Clause
import { Emulator, type EmulatorOptions } from "../emulator.ts";
import { Fault } from "../fault.ts";
import type { SocStart } from "../soc.ts";
import { boot } from "./bootRom.ts";
import { Chip } from "./chip.ts";
import { hostBits, type WatchdogMemory } from "./peripherals.ts";

export interface Rp2040Options extends EmulatorOptions<Chip> {
  /** Bits of the ring oscillator; this machine's generator when absent. */
  readonly entropy?: () => number;
  /** Degrees Celsius of the chip. */
  readonly temperature?: () => number;
  /** Volts at the analog inputs 0 to 3; an input without is not connected, and measuring it is a fault. */
  readonly analog?: (channel: number) => number | undefined;
}

/** The temperature sensor's channel (RP2040 datasheet, 4.9.5), and its volts. */
const TEMPERATURE = 4;
const temperatureVolts = (celsius: number) => 0.706 - (celsius - 27) * 0.001721;

/** A W5500-EVB-Pico's RP2040 with its flash and what is attached to it. Marks are BKPT instructions. */
export class Rp2040Emulator extends Emulator<Chip> {
  readonly #chipOptions: Rp2040Options;
  #watchdog: WatchdogMemory = { reason: 0, scratch: new Uint32Array(8) };

  constructor(options: Rp2040Options) {
    super(options);
    this.#chipOptions = options;
  }

  protected startChip(start: SocStart, former: Chip | null): Chip {
    if (start.powered) this.#watchdog = { reason: 0, scratch: new Uint32Array(8) };
    const chip = new Chip({
      flash: this.flash,
      clock: start.clock,
      watchdog: this.#watchdog,
      hadPowerOn: start.powered,
      ...(former && { sram: former.sram }),
      entropy: this.#chipOptions.entropy ?? hostBits(),
      onWatchdogReset: start.onReset,
      onMark: start.onMark,
    });
    const uart = chip.uart[0];
    if (uart) uart.onByte = start.onByte;
    chip.adc.onADCRead = (channel) => {
      chip.adc.channelValues[channel] = this.#analogCode(channel);
      chip.adc.currentChannel = channel;
      chip.adc.sampleAlarm.schedule(chip.adc.sampleTime * 1000);
    };
    boot(chip);
    return chip;
  }

  /** What the converter of 12 bits makes of a channel at 3.3 V. */
  #analogCode(channel: number): number {
    const { temperature, analog } = this.#chipOptions;
    const volts =
      channel === TEMPERATURE ? temperatureVolts(temperature?.() ?? 27) : analog?.(channel);
    if (volts === undefined) throw new Fault(`ADC channel ${channel} is not connected`);
    return Math.max(0, Math.min(4095, Math.round((volts * 4096) / 3.3)));
  }
}
