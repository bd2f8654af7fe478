// SPDX-License-Identifier: BSD-3-Clause
import { GPIOPinState, I2CMode, RP2040 } from "rp2040js";
import type { DeviceClock } from "../clock.ts";
import { Fault, hex } from "../fault.ts";
import type { Flash } from "../flash.ts";
import type { I2cMaster, Soc } from "../soc.ts";
import { callRom, romImage } from "./bootRom.ts";
import { I2cBlock } from "./i2cBlock.ts";
import { ChipReset, Resets, RingOscillator, Watchdog, type WatchdogMemory } from "./peripherals.ts";

const ROM_END = 0x4000;
const FLASH_START = 0x1000_0000;
const FLASH_END = 0x1400_0000;
const RAM_START = 0x2000_0000;
const RAM_BYTES = 264 * 1024;
const PERIPHERAL = {
  resets: 0x4000c,
  i2c0: 0x40044,
  i2c1: 0x40048,
  watchdog: 0x40058,
  rosc: 0x40060,
  reset: 0x40064,
};
const APB_START = 0x4000_0000;
const I2C_IRQ = 23;
/** SSIENR and the word that turns the flash interface on. */
const SSI_ENABLE = 0x1800_0008;
const EMPTY = new Uint8Array();
/** Instructions of a slice. */
const SLICE = 20_000;
/** GPIO function 3 (§2.19.2). */
const FUNCTION_I2C = 3;

export interface ChipOptions {
  readonly flash: Flash;
  /** Why it starts: power, or a reset by the watchdog, which keeps SRAM and the scratch registers. */
  readonly watchdog: WatchdogMemory;
  readonly hadPowerOn: boolean;
  readonly clock: DeviceClock;
  readonly sram?: Uint8Array;
  /** Bits of the ring oscillator. */
  readonly entropy: () => number;
  readonly onWatchdogReset: () => void;
  /** BKPT outside the boot ROM. */
  readonly onMark: (code: number) => void;
}

/** An RP2040 from one reset to the next, its flash beside it. What silicon would not forgive is thrown as a Fault. */
export class Chip extends RP2040 implements Soc {
  readonly nor: Flash;
  readonly deviceClock: DeviceClock;
  /** In WFI. */
  #asleep = false;
  /** The slice of instructions ends here. */
  #left = false;
  /** Nanoseconds an instruction spent beyond its cycles: the flash was busy. The run loop takes them. */
  spentNanos = 0;
  #flashConnected = false;
  #xipOn = false;
  readonly #romEnd: number;
  readonly #resets: Resets | undefined;
  /** What is connected to pins: a level, or a pull where nothing drives them. */
  readonly #outside = new Map<number, { level: boolean | null; pull: "up" | "none" }>();
  readonly #i2c: readonly [I2cBlock, I2cBlock];
  /** False while the base class's constructor reads the reset vector of a ROM that is not there yet. */
  readonly built: boolean = true;

  constructor(options: ChipOptions) {
    super(options.clock);
    this.deviceClock = options.clock;
    this.nor = options.flash;
    this.logger = {
      debug: () => {},
      info: () => {},
      warn: (part, message) => this.#fault(`${part}: ${message}`),
      error: (part, message) => this.#fault(`${part}: ${message}`),
    };
    const rom = romImage();
    this.#romEnd = rom.length;
    new Uint8Array(this.bootrom.buffer).set(rom);
    this.#mapFlash(EMPTY);
    // SRAM holds anything when power comes; zeros would hide what the firmware forgot to initialise.
    if (options.sram) this.sram.set(options.sram);
    else this.sram.fill(0xcd);
    this.#i2c = [new I2cBlock(this, "I2C0", I2C_IRQ), new I2cBlock(this, "I2C1", I2C_IRQ + 1)];
    [this.i2c[0], this.i2c[1]] = this.#i2c;
    this.peripherals[PERIPHERAL.i2c0] = this.#i2c[0];
    this.peripherals[PERIPHERAL.i2c1] = this.#i2c[1];
    this.#resets = new Resets(this, (block) => {
      if (block === "i2c0") this.#i2c[0].reset();
      if (block === "i2c1") this.#i2c[1].reset();
    });
    this.peripherals[PERIPHERAL.resets] = this.#resets;
    this.peripherals[PERIPHERAL.rosc] = new RingOscillator(this, options.entropy);
    this.peripherals[PERIPHERAL.reset] = new ChipReset(this, options.hadPowerOn);
    this.peripherals[PERIPHERAL.watchdog] = new Watchdog(
      this,
      options.clock,
      options.watchdog,
      options.onWatchdogReset,
    );
    this.onBreak = (code) => {
      if (this.core.PC < ROM_END) callRom(this, code);
      else options.onMark(code);
    };
  }

  get isXipOn(): boolean {
    return this.#xipOn;
  }

  get cycles(): number {
    return this.core.cycles;
  }

  /** In WFI with nothing pending. An interrupt ends WFI even when PRIMASK keeps it from being taken. */
  get isAsleep(): boolean {
    if (this.core.pendingInterrupts & this.core.enabledInterrupts) this.#asleep = false;
    return this.#asleep;
  }

  leave(): void {
    this.#left = true;
  }

  slice(): void {
    const { core, deviceClock } = this;
    this.#left = false;
    let nanosPerCycle = 1e9 / this.clkSys;
    for (let i = 0; i < SLICE; i++) {
      deviceClock.tick(core.executeInstruction() * nanosPerCycle);
      if (core.waiting) {
        // rp2040js would take the interrupt that ends the sleep, masked or not.
        core.waiting = false;
        this.#asleep = true;
        return;
      }
      if (this.spentNanos > 0) {
        core.cycles += Math.round(this.spentNanos / nanosPerCycle);
        deviceClock.tick(this.spentNanos);
        this.spentNanos = 0;
      }
      if (this.#left) return;
      nanosPerCycle = i & 0xff ? nanosPerCycle : 1e9 / this.clkSys;
    }
  }

  onOutput(pin: number, changed: (isHigh: boolean) => void): void {
    this.gpio[pin]?.addListener((state) => changed(state !== GPIOPinState.Low));
  }

  onSpi(block: number, exchange: (byte: number) => number): void {
    const spi = this.spi[block];
    if (spi) spi.onTransmit = (byte) => spi.completeTransmit(exchange(byte));
  }

  i2cMaster(block: number): I2cMaster {
    return i2cMasterOf(this, this.i2cBlock(block));
  }

  /** An I2C block by its number, 0 or 1. */
  i2cBlock(block: number): I2cBlock {
    const found = this.#i2c[block];
    if (!found) throw new RangeError(`there is no I2C block ${block}`);
    return found;
  }

  /** Connects a pin to something outside: to a level, or, with null, to nothing but a pull. */
  drive(pin: number, level: boolean | null, pull: "up" | "none" = "none"): void {
    this.#outside.set(pin, { level, pull });
    this.gpio[pin]?.setInputValue(level ?? pull === "up");
  }

  /** What SIO reads (§2.3.1.2): the level at each pad whose input is on. */
  override get gpioValues(): number {
    return this.gpio.reduce(
      (bits, pin, n) => (pin.inputEnable && this.#level(n) ? bits | (1 << n) : bits),
      0,
    );
  }

  /** The level at a pad: its own output, what is connected to it, or its pull; one that floats reads low. */
  #level(pin: number): boolean {
    const pad = this.gpio[pin];
    const outside = this.#outside.get(pin);
    if (!pad) return false;
    if (pad.outputEnable) return pad.outputValue;
    if (outside && outside.level !== null) return outside.level;
    return outside?.pull === "up" || pad.pullupEnabled;
  }

  connectFlash(): void {
    this.#flashConnected = true;
  }

  /** Reads of the flash's addresses, instruction fetches too, are faults until XIP is entered again. */
  exitXip(): void {
    if (!this.#flashConnected) throw new Fault("flash_exit_xip before connect_internal_flash");
    this.#xipOn = false;
    this.#mapFlash(EMPTY);
  }

  enterXip(): void {
    this.#xipOn = true;
    this.#mapFlash(this.nor.bytes);
  }

  // The first lines of these are what an instruction needs nearly always; the base class does the rest.

  override readUint32(address: number): number {
    if ((address & 3) === 0) {
      const inRam = address - RAM_START;
      if (inRam >= 0 && inRam < RAM_BYTES) return this.sramView.getUint32(inRam, true);
      const inFlash = address - FLASH_START;
      if (inFlash >= 0 && inFlash < this.flash.length) {
        return this.flashView.getUint32(inFlash, true);
      }
    }
    if (address < ROM_END && this.built && (address < 0x10 || address >= this.#romEnd)) {
      this.#fault(`read of ${hex(address)}, where there is nothing to read`);
    }
    if (this.built) this.#requireReleased(address);
    return super.readUint32(address);
  }

  override readUint16(address: number): number {
    if (address & 1) this.#fault(`read of a halfword at ${hex(address)}`);
    return super.readUint16(address);
  }

  override writeUint32(address: number, value: number): void {
    if (address & 3) this.#fault(`write of a word at ${hex(address)}`);
    const inRam = address - RAM_START;
    if (inRam >= 0 && inRam < RAM_BYTES) {
      this.sramView.setUint32(inRam, value, true);
      return;
    }
    if (address >>> 0 < FLASH_END) this.#fault(`write to ${hex(address)}`);
    if (this.built) this.#requireReleased(address);
    super.writeUint32(address, value);
    // The second stage sets the interface up by itself; from then on the flash can be read.
    if (address === SSI_ENABLE && value === 1 && !this.#xipOn) this.enterXip();
  }

  override writeUint16(address: number, value: number): void {
    if (address & 1) this.#fault(`write of a halfword at ${hex(address)}`);
    super.writeUint16(address, value);
  }

  #requireReleased(address: number): void {
    if (address >>> 0 < APB_START) return;
    const held = this.#resets?.heldAt((address >>> 14) << 2);
    if (held) this.#fault(`access to ${hex(address)} while ${held} is in reset`);
  }

  #mapFlash(bytes: Uint8Array<ArrayBuffer>): void {
    Object.assign(this, {
      flash: bytes,
      flash16: new Uint16Array(bytes.buffer),
      flashView: new DataView(bytes.buffer),
    });
  }

  #fault(message: string): never {
    const { PC, LR, SP } = this.core;
    throw new Fault(`${message} (pc ${hex(PC)}, lr ${hex(LR)}, sp ${hex(SP)})`);
  }
}

/** The block as the bus asks for it. */
function i2cMasterOf(chip: Chip, block: I2cBlock): I2cMaster {
  return {
    get nanosPerBit() {
      return block.nanosPerBit;
    },
    set onStart(start: () => void) {
      block.onStart = start;
    },
    set onConnect(connect: (address: number, isRead: boolean) => void) {
      block.onConnect = (address, mode) => connect(address, mode === I2CMode.Read);
    },
    set onWriteByte(write: (byte: number) => void) {
      block.onWriteByte = write;
    },
    set onReadByte(read: () => void) {
      block.onReadByte = read;
    },
    set onStop(stop: () => void) {
      block.onStop = stop;
    },
    completeStart: () => block.completeStart(),
    completeConnect: (acknowledged) => block.completeConnect(acknowledged),
    completeWrite: (acknowledged) => block.completeWrite(acknowledged),
    completeRead: (byte) => block.completeRead(byte),
    completeStop: () => block.completeStop(),
    isRoutedTo: (...pins) => pins.every((pin) => chip.gpio[pin]?.functionSelect === FUNCTION_I2C),
  };
}
