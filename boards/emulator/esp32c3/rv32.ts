// SPDX-License-Identifier: BSD-3-Clause
// A RISC-V hart, RV32IMC with machine mode only (The RISC-V Instruction Set Manual, volumes I and II), as the ESP32-C3 has
// one: misaligned loads and stores work, no counters, no floating point.
import { Fault, hex } from "../fault.ts";
import { EXPANDED } from "./compressed.ts";

/** Bytes of a page of the maps. */
export const MAP_PAGE = 0x1_0000;
const IN_PAGE = MAP_PAGE - 1;
const PAGES = 0x1_0000;

/** mcause of the exceptions (volume II, table of cause values). */
export const CAUSE = {
  fetch: 1,
  illegal: 2,
  breakpoint: 3,
  load: 5,
  store: 7,
  call: 11,
} as const;

/** What isn't mapped memory. */
export interface Bus {
  /** A load of 1, 2 or 4 bytes. Undefined where nothing answers. */
  load(address: number, bytes: number): number | undefined;
  /** A store; false where nothing answers. */
  store(address: number, value: number, bytes: number): boolean;
  /** An instruction is to be fetched from there: where the hart goes on instead, undefined where nothing answers. */
  fetch(address: number): number | undefined;
  /** SLTI to x0, free for custom use (volume I, HINT instructions): a mark of the program, −2048 to 2047. */
  mark(code: number): void;
}

const WFI = 0x1050_0073;
const MRET = 0x3020_0073;
const ECALL = 0x0000_0073;
const EBREAK = 0x0010_0073;

const CSR = { status: 0x300, isa: 0x301, vector: 0x305, scratch: 0x340, epc: 0x341 } as const;
/** Registers that hold what is written to them. */
const PLAIN = new Set<number>([0x304, CSR.vector, CSR.scratch, CSR.epc, 0x342, 0x343]);
/** misa, mvendorid, marchid, mimpid, mhartid, mip: as they are. */
const FIXED: ReadonlyMap<number, number> = new Map([
  [CSR.isa, 0x4000_1104],
  [0x344, 0],
  [0xf11, 0x612],
  [0xf12, 0x8000_0001 | 0],
  [0xf13, 1],
  [0xf14, 0],
]);
const STATUS_MIE = 1 << 3;
const STATUS_MPIE = 1 << 7;
const STATUS_MPP = 3 << 11;

/** High 32 bits of the product of two unsigned numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle % 0x1_0000);
  return (aHigh * bHigh + Math.floor(middle / 0x1_0000) + Math.floor(other / 0x1_0000)) | 0;
}

export class Hart {
  /** x0 to x31. */
  readonly x = new Int32Array(32);
  pc = 0;
  /** Instructions retired since the start. */
  instructions = 0;
  /** In WFI. */
  waiting = false;
  /** Offset in `memory` of each page of 64 KiB; −1: not mapped. */
  readonly readable = new Int32Array(PAGES).fill(-1);
  readonly writable = new Int32Array(PAGES).fill(-1);
  readonly executable = new Int32Array(PAGES).fill(-1);
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly #bus: Bus;
  readonly #csr = new Map<number, number>();
  readonly #view: DataView;
  /** An instruction ends the run that is under way. */
  #left = false;

  /** `memory`: all that can be mapped; a multiple of 4 bytes. */
  constructor(memory: Uint8Array<ArrayBuffer>, bus: Bus) {
    this.memory = memory;
    this.#bus = bus;
    this.#view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.reset(0);
  }

  reset(pc: number): void {
    this.pc = pc | 0;
    this.x.fill(0);
    this.waiting = false;
    this.#csr.clear();
  }

  /** Ends the run after the instruction that is being carried out. */
  leave(): void {
    this.#left = true;
  }

  /** The mapped byte at an address as an offset in `memory`, for reading or writing; −1 where nothing is mapped. */
  offset(address: number, map: Int32Array = this.readable): number {
    const page = map[address >>> 16] as number;
    return page < 0 ? -1 : page + (address & IN_PAGE);
  }

  /** Carries out at most so many instructions, fewer when it waits for an interrupt or is to leave; gives how many. */
  run(limit: number): number {
    const { x, executable, readable, writable, memory } = this;
    const { buffer, byteOffset, byteLength } = memory;
    const i8 = new Int8Array(buffer, byteOffset, byteLength);
    const u16 = new Uint16Array(buffer, byteOffset, byteLength >> 1);
    const i16 = new Int16Array(buffer, byteOffset, byteLength >> 1);
    const i32 = new Int32Array(buffer, byteOffset, byteLength >> 2);
    const start = this.instructions;
    let pc = this.pc;
    let done = 0;
    this.#left = false;
    while (done < limit && !this.#left) {
      const page = executable[pc >>> 16] as number;
      if (page < 0) {
        this.pc = pc;
        this.instructions = start + done;
        const next = this.#bus.fetch(pc >>> 0);
        pc = next === undefined ? this.#trap(pc, CAUSE.fetch, pc) : next | 0;
        // Counts as one, so that every run ends.
        done++;
        continue;
      }
      done++;
      const at = (page + (pc & IN_PAGE)) >>> 1;
      let w = u16[at] as number;
      let length = 4;
      if ((w & 3) !== 3) {
        w = EXPANDED[w] as number;
        length = 2;
      } else if ((pc & IN_PAGE) === MAP_PAGE - 2) {
        const after = executable[(pc + 2) >>> 16] as number;
        if (after < 0) {
          pc = this.#trap(pc, CAUSE.fetch, pc + 2);
          continue;
        }
        w |= (u16[after >>> 1] as number) << 16;
      } else w |= (u16[at + 1] as number) << 16;
      const rd = (w >>> 7) & 31;
      const rs1 = (w >>> 15) & 31;
      const rs2 = (w >>> 20) & 31;
      const f3 = (w >>> 12) & 7;
      let next = (pc + length) | 0;
      let value = 0;
      switch (w & 0x7f) {
        case 0x37:
          value = w & 0xffff_f000;
          break;
        case 0x17:
          value = (pc + (w & 0xffff_f000)) | 0;
          break;
        case 0x6f: {
          value = next;
          const high = ((w >> 31) << 20) | (w & 0xf_f000);
          next = (pc + (high | ((w >>> 9) & 0x800) | ((w >>> 20) & 0x7fe))) | 0;
          break;
        }
        case 0x67:
          if (f3 !== 0) {
            pc = this.#illegal(pc);
            continue;
          }
          value = next;
          next = ((x[rs1] as number) + (w >> 20)) & ~1;
          break;
        case 0x63: {
          const a = x[rs1] as number;
          const b = x[rs2] as number;
          let taken: boolean;
          switch (f3) {
            case 0:
              taken = a === b;
              break;
            case 1:
              taken = a !== b;
              break;
            case 4:
              taken = a < b;
              break;
            case 5:
              taken = a >= b;
              break;
            case 6:
              taken = a >>> 0 < b >>> 0;
              break;
            case 7:
              taken = a >>> 0 >= b >>> 0;
              break;
            default:
              pc = this.#illegal(pc);
              continue;
          }
          const high = ((w >> 31) << 12) | ((w << 4) & 0x800);
          pc = taken ? (pc + (high | ((w >>> 20) & 0x7e0) | ((w >>> 7) & 0x1e))) | 0 : next;
          continue;
        }
        case 0x03: {
          const address = ((x[rs1] as number) + (w >> 20)) | 0;
          const mapped = readable[address >>> 16] as number;
          const place = mapped + (address & IN_PAGE);
          if (f3 === 3 || f3 > 5) {
            pc = this.#illegal(pc);
            continue;
          }
          if (mapped >= 0) {
            if (f3 === 2 && (place & 3) === 0) value = i32[place >>> 2] as number;
            else if (f3 === 4) value = memory[place] as number;
            else if (f3 === 0) value = i8[place] as number;
            else if (f3 === 5 && (place & 1) === 0) value = u16[place >>> 1] as number;
            else if (f3 === 1 && (place & 1) === 0) value = i16[place >>> 1] as number;
            else {
              this.pc = pc;
              this.instructions = start + done;
              const loaded = this.#loadAcross(address, f3);
              if (loaded === undefined) {
                pc = this.#trap(pc, CAUSE.load, address);
                continue;
              }
              value = loaded;
            }
          } else {
            this.pc = pc;
            this.instructions = start + done;
            const loaded = this.#bus.load(address >>> 0, 1 << (f3 & 3));
            if (loaded === undefined) {
              pc = this.#trap(pc, CAUSE.load, address);
              continue;
            }
            value = narrowed(loaded, f3);
          }
          break;
        }
        case 0x23: {
          const address = ((x[rs1] as number) + (((w >> 25) << 5) | rd)) | 0;
          const mapped = writable[address >>> 16] as number;
          const place = mapped + (address & IN_PAGE);
          if (f3 > 2) {
            pc = this.#illegal(pc);
            continue;
          }
          if (mapped >= 0 && (place & ((1 << f3) - 1)) === 0) {
            if (f3 === 2) i32[place >>> 2] = x[rs2] as number;
            else if (f3 === 0) memory[place] = x[rs2] as number;
            else u16[place >>> 1] = x[rs2] as number;
          } else {
            this.pc = pc;
            this.instructions = start + done;
            if (!this.#storeSlowly(address, x[rs2] as number, 1 << f3, mapped >= 0)) {
              pc = this.#trap(pc, CAUSE.store, address);
              continue;
            }
          }
          pc = next;
          continue;
        }
        case 0x13: {
          const a = x[rs1] as number;
          const i = w >> 20;
          switch (f3) {
            case 0:
              value = (a + i) | 0;
              break;
            case 2:
              value = a < i ? 1 : 0;
              if (rd === 0) this.#bus.mark(i);
              break;
            case 3:
              value = a >>> 0 < i >>> 0 ? 1 : 0;
              break;
            case 4:
              value = a ^ i;
              break;
            case 6:
              value = a | i;
              break;
            case 7:
              value = a & i;
              break;
            default: {
              const kind = w >>> 25;
              if (kind === 0) value = f3 === 1 ? a << rs2 : a >>> rs2;
              else if (kind === 0x20 && f3 === 5) value = a >> rs2;
              else {
                pc = this.#illegal(pc);
                continue;
              }
            }
          }
          break;
        }
        case 0x33: {
          const a = x[rs1] as number;
          const b = x[rs2] as number;
          switch (((w >>> 25) << 3) | f3) {
            case 0:
              value = (a + b) | 0;
              break;
            case 0x100:
              value = (a - b) | 0;
              break;
            case 1:
              value = a << (b & 31);
              break;
            case 2:
              value = a < b ? 1 : 0;
              break;
            case 3:
              value = a >>> 0 < b >>> 0 ? 1 : 0;
              break;
            case 4:
              value = a ^ b;
              break;
            case 5:
              value = a >>> (b & 31);
              break;
            case 0x105:
              value = a >> (b & 31);
              break;
            case 6:
              value = a | b;
              break;
            case 7:
              value = a & b;
              break;
            case 8:
              value = Math.imul(a, b);
              break;
            case 9:
              value = multiplyHigh(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0);
              break;
            case 10:
              value = multiplyHigh(a, b) - (a < 0 ? b : 0);
              break;
            case 11:
              value = multiplyHigh(a, b);
              break;
            case 12:
              value = b === 0 ? -1 : (a / b) | 0;
              break;
            case 13:
              value = b === 0 ? -1 : ((a >>> 0) / (b >>> 0)) | 0;
              break;
            case 14:
              value = b === 0 ? a : (a % b) | 0;
              break;
            case 15:
              value = b === 0 ? a : ((a >>> 0) % (b >>> 0)) | 0;
              break;
            default:
              pc = this.#illegal(pc);
              continue;
          }
          break;
        }
        case 0x0f:
          if (f3 > 1) pc = this.#illegal(pc);
          else pc = next;
          continue;
        case 0x73:
          if (f3 === 0) {
            pc = this.#system(w, pc, next);
            continue;
          } else {
            const had = this.#exchange(w >>> 20, f3, rs1);
            if (had === undefined) {
              pc = this.#illegal(pc);
              continue;
            }
            value = had;
          }
          break;
        default:
          pc = this.#illegal(pc);
          continue;
      }
      if (rd !== 0) x[rd] = value;
      pc = next;
    }
    this.pc = pc;
    this.instructions = start + done;
    return done;
  }

  /** A load that isn't aligned, also over the end of a page. */
  #loadAcross(address: number, f3: number): number | undefined {
    const bytes = 1 << (f3 & 3);
    let value = 0;
    for (let i = 0; i < bytes; i++) {
      const at = this.offset((address + i) | 0);
      if (at < 0) return undefined;
      value |= this.#view.getUint8(at) << (8 * i);
    }
    return narrowed(value, f3);
  }

  /** A store to what isn't mapped, or one that isn't aligned, also over the end of a page. */
  #storeSlowly(address: number, value: number, bytes: number, isMapped: boolean): boolean {
    if (!isMapped) return this.#bus.store(address >>> 0, value, bytes);
    const places = Array.from({ length: bytes }, (_, i) =>
      this.offset((address + i) | 0, this.writable),
    );
    if (places.some((at) => at < 0)) return false;
    places.forEach((at, i) => {
      this.#view.setUint8(at, (value >>> (8 * i)) & 0xff);
    });
    return true;
  }

  /** ECALL, EBREAK, MRET, WFI; the next program counter. */
  #system(w: number, pc: number, next: number): number {
    switch (w) {
      case ECALL:
        return this.#trap(pc, CAUSE.call, 0);
      case EBREAK:
        return this.#trap(pc, CAUSE.breakpoint, pc);
      case WFI:
        this.waiting = true;
        this.#left = true;
        return next;
      case MRET: {
        const status = this.#csr.get(CSR.status) ?? 0;
        const enabled = status & STATUS_MPIE ? STATUS_MIE : 0;
        this.#setStatus((status & ~STATUS_MIE) | enabled | STATUS_MPIE);
        return this.#csr.get(CSR.epc) ?? 0;
      }
      default:
        return this.#illegal(pc);
    }
  }

  #setStatus(value: number): void {
    if (value & STATUS_MIE)
      throw new Fault(`interrupts are taken at ${hex(this.pc)}: not modelled`);
    this.#csr.set(CSR.status, value & (STATUS_MIE | STATUS_MPIE | STATUS_MPP));
  }

  /** CSRRW, CSRRS, CSRRC and their immediate forms: the value before; undefined where there is none or it is read-only. */
  #exchange(csr: number, f3: number, rs1: number): number | undefined {
    if ((f3 & 3) === 0) return undefined;
    const isFixed = FIXED.has(csr);
    if (!isFixed && csr !== CSR.status && !PLAIN.has(csr)) return undefined;
    const had = FIXED.get(csr) ?? this.#csr.get(csr) ?? 0;
    const operand = f3 & 4 ? rs1 : (this.x[rs1] as number);
    const kind = f3 & 3;
    if (kind !== 1 && rs1 === 0) return had;
    if (csr >>> 10 === 3) return undefined;
    const value = kind === 1 ? operand : kind === 2 ? had | operand : had & ~operand;
    if (csr === CSR.status) this.#setStatus(value);
    else if (csr === CSR.epc) this.#csr.set(csr, value & ~1);
    else if (!isFixed) this.#csr.set(csr, value);
    return had;
  }

  /** No instruction: the exception's value is what stands there. */
  #illegal(pc: number): number {
    const at = this.offset(pc, this.executable);
    const low = this.#view.getUint16(at, true);
    if ((low & 3) !== 3) return this.#trap(pc, CAUSE.illegal, low);
    const high = this.#view.getUint16(this.offset((pc + 2) | 0, this.executable), true);
    return this.#trap(pc, CAUSE.illegal, low | (high << 16));
  }

  /** Enters the handler of an exception (volume II, 3.1.6 to 3.1.16); its address. */
  #trap(pc: number, cause: number, value: number): number {
    const vector = this.#csr.get(CSR.vector) ?? 0;
    if (this.offset(vector, this.executable) < 0) {
      throw new Fault(`exception ${cause} at ${hex(pc)}, value ${hex(value)}, and no handler`);
    }
    const status = this.#csr.get(CSR.status) ?? 0;
    this.#csr.set(CSR.status, (status & STATUS_MIE ? STATUS_MPIE : 0) | STATUS_MPP);
    this.#csr.set(CSR.epc, pc);
    this.#csr.set(0x342, cause);
    this.#csr.set(0x343, value);
    return vector & ~3;
  }
}

/** A loaded number as LB, LH, LW, LBU or LHU leave it. */
function narrowed(value: number, f3: number): number {
  switch (f3) {
    case 0:
      return (value << 24) >> 24;
    case 1:
      return (value << 16) >> 16;
    case 4:
      return value & 0xff;
    case 5:
      return value & 0xffff;
    default:
      return value | 0;
  }
}
