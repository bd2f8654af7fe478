// SPDX-License-Identifier: BSD-3-Clause
import { setImmediate as nextTurn } from "node:timers/promises";
import { DeviceClock } from "./clock.ts";
import { Fault, PowerCut } from "./fault.ts";
import type { Flash } from "./flash.ts";
import type { Soc, SocStart } from "./soc.ts";

/** Something outside the chip, soldered to its pins. Lives through the chip's resets, not through power cuts. */
export interface Attachment {
  /** The chip starts after a reset; `powered`: power came with it. */
  attach(chip: Soc, powered: boolean): void;
  /** Power is gone. */
  powerOff(): void;
  /** Called when something happens that the device could be asleep for. */
  onEvent: () => void;
}

export interface EmulatorOptions<Chip extends Soc = Soc> {
  readonly flash: Flash;
  readonly attachments?: readonly Attachment[];
  /** A line of the console, without its end. */
  readonly onLine?: (line: string) => void;
  /** Marks of the firmware below 250. */
  onMark?(code: number, emulator: Emulator<Chip>): void;
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

/** Marks from here on end the run. */
export const STOP_CODE = 250;
/** Longest nap of this process while the device sleeps, so that `until` is asked. */
const LONGEST_NAP_MS = 20;

/** A board: a chip with its flash and what is attached to it. */
export abstract class Emulator<Chip extends Soc = Soc> {
  readonly flash: Flash;
  readonly #options: EmulatorOptions<Chip>;
  #chip: Chip | null = null;
  #clock = new DeviceClock();
  #line = "";
  #stop: number | null = null;
  #resetAsked = false;
  #resets = 0;
  #wake: () => void = () => {};

  constructor(options: EmulatorOptions<Chip>) {
    this.#options = options;
    this.flash = options.flash;
    for (const attachment of options.attachments ?? []) attachment.onEvent = () => this.#wake();
  }

  /** The chip as it is now; null while it has no power. */
  get chip(): Chip | null {
    return this.#chip;
  }

  /** The chip's count since the last reset. */
  get cycles(): number {
    return this.#chip?.cycles ?? 0;
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
        if (this.#chip?.isAsleep === false) this.#chip.slice();
        if (this.#stop !== null) return { kind: "stopped", code: this.#stop };
        if (this.#resetAsked) this.#restart();
        if (this.#chip?.isAsleep) await this.#sleep(end);
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
    this.#resets = 0;
    this.#start(true);
  }

  #restart(): void {
    this.#resets++;
    this.#start(false);
  }

  /** A chip at its start, what the former one keeps over a reset in it; nothing of it is carried out yet. */
  protected abstract startChip(start: SocStart, former: Chip | null): Chip;

  #start(powered: boolean): void {
    this.#stop = null;
    this.#resetAsked = false;
    const { nanos } = this.#clock;
    this.#clock = new DeviceClock();
    this.#clock.nanos = nanos;
    const start: SocStart = {
      clock: this.#clock,
      powered,
      onByte: (byte) => this.#consoleByte(byte),
      onReset: () => {
        this.#resetAsked = true;
        this.#chip?.leave();
      },
      onMark: (code) => this.#mark(code),
    };
    const chip = this.startChip(start, powered ? null : this.#chip);
    for (const attachment of this.#options.attachments ?? []) attachment.attach(chip, powered);
    this.#chip = chip;
  }

  /** WFI: one nap of the device, at most to its next alarm. */
  async #sleep(end: number): Promise<void> {
    const speed = this.#options.idleSpeed ?? 1;
    const left = Math.min(this.#clock.nanosToNextAlarm, end - this.#clock.nanos);
    const passed = await this.#nap(left / speed);
    this.#clock.tick(Math.min(left, passed * speed));
  }

  /** Waits for an event outside, at most this many nanoseconds of this machine; returns how many passed. */
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
      this.#chip?.leave();
    } else this.#options.onMark?.(code, this);
  }

  #consoleByte(byte: number): void {
    if (byte !== 0x0a) {
      this.#line += String.fromCharCode(byte);
      return;
    }
    const line = Buffer.from(this.#line, "latin1").toString("utf8").trimEnd();
    this.#line = "";
    this.#options.onLine?.(line);
  }
}
