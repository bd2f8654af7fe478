// SPDX-License-Identifier: BSD-3-Clause
import type { Attachment } from "./emulator.ts";
import { Fault } from "./fault.ts";
import type { Network } from "./network.ts";
import type { Soc } from "./soc.ts";
import { COMMON, COMMON_RESET, MODE, PHY_UP } from "./w5500Registers.ts";
import { W5500Socket } from "./w5500Socket.ts";

/** Where a W5500 is connected to its chip. */
export interface W5500Wiring {
  /** The SPI block. */
  readonly spi: number;
  readonly chipSelect: number;
  readonly reset: number;
  readonly interrupt: number;
}

/** The W5500-EVB-Pico (its schematic): SPI 0 on the pins 16, 18, 19. */
export const PICO_WIRING: W5500Wiring = { spi: 0, chipSelect: 17, reset: 20, interrupt: 21 };
const SOCKETS = 8;
const WRITE = 0x04;
const OPERATION_MODE = 0x03;

/** The W5500 on the board: SPI frames (datasheet §2.2), common registers, eight sockets, INTn. */
export class W5500 implements Attachment {
  onEvent: () => void = () => {};
  readonly #network: Network;
  readonly #wiring: W5500Wiring;
  readonly #common = new Uint8Array(0x40);
  #sockets: W5500Socket[] = [];
  #chip: Soc | null = null;
  #selected = false;
  #phase = 0;
  #address = 0;
  #control = 0;

  constructor(network: Network, wiring: W5500Wiring = PICO_WIRING) {
    this.#network = network;
    this.#wiring = wiring;
    network.onLinkChanged = () => {
      for (const socket of this.#sockets) socket.resume();
      this.onEvent();
    };
  }

  /** The device's SPI bytes are answered from now on; sockets live through a reset of the chip alone. */
  attach(chip: Soc, powered: boolean): void {
    this.#chip = chip;
    if (powered || this.#sockets.length === 0) this.#reset();
    for (const socket of this.#sockets) socket.moveTo(chip.deviceClock);
    const { spi, chipSelect, reset } = this.#wiring;
    chip.onOutput(chipSelect, (isHigh) => {
      this.#selected = !isHigh;
      this.#phase = 0;
    });
    chip.onOutput(reset, (isHigh) => {
      if (!isHigh) this.#reset();
    });
    chip.onSpi(spi, (byte) => this.#exchange(byte));
    this.#changed();
  }

  powerOff(): void {
    for (const socket of this.#sockets) socket.drop();
    this.#sockets = [];
    this.#chip = null;
  }

  /** One byte each way: two of address, one of control, then data with the address counting on. */
  #exchange(byte: number): number {
    if (!this.#selected) return 0xff;
    const phase = this.#phase++;
    if (phase === 0) this.#address = byte << 8;
    else if (phase === 1) this.#address |= byte;
    else if (phase === 2) this.#setControl(byte);
    else return this.#data(byte);
    return 0xff;
  }

  #setControl(byte: number): void {
    if (byte & OPERATION_MODE) throw new Fault("W5500: fixed-length SPI frames are not modelled");
    this.#control = byte;
  }

  #data(byte: number): number {
    const at = this.#address;
    this.#address = (at + 1) & 0xffff;
    const block = this.#control >> 3;
    if (this.#control & WRITE) {
      this.#write(block, at, byte);
      return 0xff;
    }
    return this.#read(block, at);
  }

  /** Block select bits (§2.2.2): 0 common; 1, 2, 3 of socket n's four: registers, transmit and receive buffer. */
  #socket(block: number): W5500Socket {
    const socket = this.#sockets[block >> 2];
    if (!socket || (block & 3) === 0) throw new Fault(`W5500: block ${block} is reserved`);
    return socket;
  }

  #read(block: number, at: number): number {
    if (block === 0) return this.#readCommon(at);
    const socket = this.#socket(block);
    if ((block & 3) === 1) return socket.readRegister(at);
    return (block & 3) === 2 ? socket.readTx(at) : socket.readRx(at);
  }

  #write(block: number, at: number, value: number): void {
    if (block === 0) this.#writeCommon(at, value);
    else if ((block & 3) === 1) this.#socket(block).writeRegister(at, value);
    else if ((block & 3) === 2) this.#socket(block).writeTx(at, value);
    else throw new Fault("W5500: write to a receive buffer");
  }

  #readCommon(at: number): number {
    if (at === COMMON.SIR) return this.#socketInterrupts();
    const value = this.#common[at] ?? 0;
    return at === COMMON.PHYCFGR && this.#network.isLinkUp ? value | PHY_UP : value;
  }

  #writeCommon(at: number, value: number): void {
    if (at === COMMON.VERSIONR || at === COMMON.SIR) return;
    if (at === COMMON.MR && value & MODE.reset) this.#reset();
    else if (at === COMMON.IR) this.#common[COMMON.IR] = this.#register(COMMON.IR) & ~value;
    else this.#common[at] = value;
    this.#changed();
  }

  #socketInterrupts(): number {
    return this.#sockets.reduce((bits, socket, n) => bits | (socket.pending ? 1 << n : 0), 0);
  }

  /** INTn is low while an interrupt is pending that SIMR lets through (§4.1). */
  #changed(): void {
    const pending = this.#socketInterrupts() & this.#register(COMMON.SIMR);
    this.#chip?.drive(this.#wiring.interrupt, pending === 0);
    if (pending) this.onEvent();
  }

  #reset(): void {
    for (const socket of this.#sockets) socket.drop();
    this.#common.fill(0);
    for (const [at, value] of COMMON_RESET) this.#common[at] = value;
    this.#sockets = Array.from({ length: SOCKETS }, () => this.#newSocket());
    this.#changed();
  }

  #newSocket(): W5500Socket {
    const around = {
      network: this.#network,
      timeoutMs: () => this.#timeoutMs(),
      changed: () => this.#changed(),
    };
    const socket = new W5500Socket(around);
    if (this.#chip) socket.moveTo(this.#chip.deviceClock);
    return socket;
  }

  /** TCP time-out (§4.1, RCR): RTR doubles with every retransmission while it fits 16 bits, RCR retransmissions. */
  #timeoutMs(): number {
    const first = (this.#register(COMMON.RTR) << 8) | this.#register(COMMON.RTR + 1);
    let [total, wait] = [0, first];
    for (let n = 0; n <= this.#register(COMMON.RCR); n++) {
      total += wait;
      if (wait * 2 <= 0xffff) wait *= 2;
    }
    return total / 10;
  }

  #register(at: number): number {
    return this.#common[at] ?? 0;
  }
}
