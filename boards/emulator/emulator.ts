// SPDX-License-Identifier: BSD-3-Clause
import { setImmediate as nextTurn } from "node:timers/promises";
import { boot } from "./bootRom.ts";
import { Chip } from "./chip.ts";
import { DeviceClock } from "./clock.ts";
import { Fault, PowerCut } from "./fault.ts";
import type { Flash } from "./flash.ts";
import { hostBits, type WatchdogMemory } from "./peripherals.ts";

/** Something outside the chip, soldered to its pins. Lives through the chip's resets, not through power cuts. */
export interface Attachment {
  /** The chip starts after a reset; `powered`: power came with it. */
  attach(chip: Chip, powered: boolean): void;
  /** Power is gone. */
  powerOff(): void;
  /** Called when something happens that the device could be asleep for. */
  onEvent: () => void;
}

export interface EmulatorOptions {
  readonly flash: Flash;
  readonly attachments?: readonly Attachment[];
  /** A line of UART 0, without its end. */
  readonly onLine?: (line: string) => void;
  /** BKPT codes of the firmware below 250: marks. */
  readonly onMark?: (code: number, emulator: Emulator) => void;
  /** Bits of the ring oscillator; this machine's generator when absent. */
  readonly entropy?: () => number;
  /** Degrees Celsius of the chip. */
  readonly temperature?: () => number;
  /** Volts at the analog inputs 0 to 3; an input without is not connected, and measuring it is a fault. */
  readonly analog?: (channel: number) => number | undefined;
  /** How much faster than this machine's clock time goes while the device sleeps. 1 by default. */
  readonly idleSpeed?: number;
}

/** How a run ended. */
export type RunEnd =
  | { readonly kind: "stopped"; readonly code: number }
  | { readonly kind: "until" }
  | { readonly kind: "time" }
  | { readonly kind: "powerCut" }
  | { readonly kind: "fault"; readonly message: string };

export interface RunLimits {
  /** Asked between slices of instructions. */
  readonly until?: () => boolean;
  /** Device milliseconds from now. */
  readonly deviceMs?: number;
}

const SLICE = 20_000;
/** BKPT codes from here on end the run. */
export const STOP_CODE = 250;
/** Longest nap of this process while the device sleeps, so that `until` is asked. */
const LONGEST_NAP_MS = 20;

/** The temperature sensor's channel (§4.9.5), and its volts. */
const TEMPERATURE = 4;
const temperatureVolts = (celsius: number) => 0.706 - (celsius - 27) * 0.001721;

/** A W5500-EVB-Pico's RP2040 with its flash and what is attached to it. */
export class Emulator {
  readonly flash: Flash;
  readonly #options: EmulatorOptions;
  #watchdog: WatchdogMemory = { reason: 0, scratch: new Uint32Array(8) };
  #chip: Chip | null = null;
  #clock = new DeviceClock();
  #line = "";
  #stop: number | null = null;
  #resetAsked = false;
  /** The slice of instructions ends here. */
  #interrupted = false;
  #asleep = false;
  #resets = 0;
  #wake: () => void = () => {};

  constructor(options: EmulatorOptions) {
    this.#options = options;
    this.flash = options.flash;
    for (const attachment of options.attachments ?? []) attachment.onEvent = () => this.#wake();
  }

  /** The chip as it is now; null while it has no power. */
  get chip(): Chip | null {
    return this.#chip;
  }

  /** Cycles since the last reset. */
  get cycles(): number {
    return this.#chip?.core.cycles ?? 0;
  }

  /** Device time since power came, milliseconds. */
  get deviceMs(): number {
    return this.#clock.nanos / 1e6;
  }

  /** Resets by the watchdog since power came. */
  get resets(): number {
    return this.#resets;
  }

  /** A word of SRAM at its address, as the firmware sees it. */
  word(address: number): number {
    if (!this.#chip) throw new Error("the device has no power");
    return this.#chip.readUint32(address);
  }

  powerOff(): void {
    this.#chip = null;
    this.#line = "";
    for (const attachment of this.#options.attachments ?? []) attachment.powerOff();
  }

  /** Runs the device, starting it when it has no power, until it stops, faults, or a limit is reached. */
  async run(limits: RunLimits = {}): Promise<RunEnd> {
    try {
      if (!this.#chip) this.#powerOn();
      const end = this.#clock.nanos + (limits.deviceMs ?? Number.POSITIVE_INFINITY) * 1e6;
      for (;;) {
        if (limits.until?.()) return { kind: "until" };
        if (this.#clock.nanos >= end) return { kind: "time" };
        if (!this.#isAsleep()) this.#slice();
        if (this.#stop !== null) return { kind: "stopped", code: this.#stop };
        if (this.#resetAsked) this.#restart();
        if (this.#isAsleep()) await this.#sleep(end);
        else await nextTurn();
      }
    } catch (error) {
      return this.#ended(error);
    }
  }

  #ended(error: unknown): RunEnd {
    if (error instanceof PowerCut) {
      this.powerOff();
      return { kind: "powerCut" };
    }
    if (!(error instanceof Fault)) throw error;
    return { kind: "fault", message: error.message };
  }

  #powerOn(): void {
    this.#clock = new DeviceClock();
    this.#watchdog = { reason: 0, scratch: new Uint32Array(8) };
    this.#resets = 0;
    this.#start(true);
  }

  #restart(): void {
    this.#resets++;
    this.#start(false, this.#chip?.sram);
  }

  #start(powered: boolean, sram?: Uint8Array): void {
    this.#stop = null;
    this.#resetAsked = false;
    this.#interrupted = false;
    this.#asleep = false;
    const { nanos } = this.#clock;
    this.#clock = new DeviceClock();
    this.#clock.nanos = nanos;
    const chip = new Chip({
      flash: this.flash,
      clock: this.#clock,
      watchdog: this.#watchdog,
      hadPowerOn: powered,
      ...(sram && { sram }),
      entropy: this.#options.entropy ?? hostBits(),
      onWatchdogReset: () => {
        this.#resetAsked = true;
        this.#interrupted = true;
      },
      onMark: (code) => this.#mark(code),
    });
    const uart = chip.uart[0];
    if (uart) uart.onByte = (byte) => this.#uartByte(byte);
    chip.adc.onADCRead = (channel) => {
      chip.adc.channelValues[channel] = this.#analogCode(channel);
      chip.adc.currentChannel = channel;
      chip.adc.sampleAlarm.schedule(chip.adc.sampleTime * 1000);
    };
    for (const attachment of this.#options.attachments ?? []) attachment.attach(chip, powered);
    this.#chip = chip;
    boot(chip);
  }

  /** What the converter of 12 bits makes of a channel at 3.3 V. */
  #analogCode(channel: number): number {
    const { temperature, analog } = this.#options;
    const volts =
      channel === TEMPERATURE ? temperatureVolts(temperature?.() ?? 27) : analog?.(channel);
    if (volts === undefined) throw new Fault(`ADC channel ${channel} is not connected`);
    return Math.max(0, Math.min(4095, Math.round((volts * 4096) / 3.3)));
  }

  /** In WFI with nothing pending. An interrupt ends WFI even when PRIMASK keeps it from being taken. */
  #isAsleep(): boolean {
    const core = this.#chip?.core;
    if (core && core.pendingInterrupts & core.enabledInterrupts) this.#asleep = false;
    return this.#asleep;
  }

  #slice(): void {
    const chip = this.#chip;
    if (!chip) return;
    const { core } = chip;
    const clock = this.#clock;
    let nanosPerCycle = 1e9 / chip.clkSys;
    for (let i = 0; i < SLICE; i++) {
      clock.tick(core.executeInstruction() * nanosPerCycle);
      if (core.waiting) {
        // rp2040js would take the interrupt that ends the sleep, masked or not.
        core.waiting = false;
        this.#asleep = true;
        return;
      }
      if (chip.spentNanos > 0) {
        core.cycles += Math.round(chip.spentNanos / nanosPerCycle);
        clock.tick(chip.spentNanos);
        chip.spentNanos = 0;
      }
      if (this.#interrupted) return;
      nanosPerCycle = i & 0xff ? nanosPerCycle : 1e9 / chip.clkSys;
    }
  }

  /** WFI: one nap of the device, at most to its next alarm. */
  async #sleep(end: number): Promise<void> {
    const speed = this.#options.idleSpeed ?? 1;
    const left = Math.min(this.#clock.nanosToNextAlarm, end - this.#clock.nanos);
    const passed = await this.#nap(left / speed);
    this.#clock.tick(Math.min(left, passed * speed));
  }

  /** Waits for an event outside or for so many nanoseconds of this machine; answers how many passed. */
  async #nap(nanos: number): Promise<number> {
    const before = process.hrtime.bigint();
    const ms = Math.min(nanos / 1e6, LONGEST_NAP_MS);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
    return Number(process.hrtime.bigint() - before);
  }

  #mark(code: number): void {
    if (code >= STOP_CODE) {
      this.#stop = code;
      this.#interrupted = true;
    } else this.#options.onMark?.(code, this);
  }

  #uartByte(byte: number): void {
    if (byte !== 0x0a) {
      this.#line += String.fromCharCode(byte);
      return;
    }
    const line = Buffer.from(this.#line, "latin1").toString("utf8").trimEnd();
    this.#line = "";
    this.#options.onLine?.(line);
  }
}
