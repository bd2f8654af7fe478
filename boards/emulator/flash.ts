// SPDX-License-Identifier: BSD-3-Clause
import { Fault, hex, PowerCut } from "./fault.ts";

export const FLASH_BYTES = 2 * 1024 * 1024;
export const SECTOR_BYTES = 4096;
export const PAGE_BYTES = 256;

/** Typical times of a W25Q16JV (its datasheet, AC characteristics): sector erase, page program. */
export const SECTOR_ERASE_NANOS = 45e6;
export const PAGE_PROGRAM_NANOS = 0.4e6;

export interface FlashOperation {
  readonly kind: "erase" | "program";
  /** Byte offset from the start of the flash. */
  readonly offset: number;
}

/** What an operation leaves behind when power fails during it: the first `bytes` are done, the rest is untouched. */
export interface Cut {
  /** Number of the operation, counted from 1 since arm(). */
  readonly operation: number;
  /** Bytes of it that were done; the page's or sector's size or more: all of them. */
  readonly bytes: number;
}

/**
 * A NOR flash: erasing sets a sector to ones, programming a page clears bits. A program that would have to set bits is
 * a fault. Every operation is logged; power can be cut at one of them.
 */
export class Flash {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly log: FlashOperation[] = [];
  #cut: Cut | null = null;
  #sinceArmed = 0;

  /** An erased flash with the image at its start. */
  constructor(image: Uint8Array = new Uint8Array()) {
    this.bytes = new Uint8Array(FLASH_BYTES).fill(0xff);
    this.write(0, image);
  }

  /** What a programmer does outside the device: puts bytes there, unlogged. Throws RangeError beyond the end. */
  write(offset: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, offset);
  }

  /** Cuts the power at the given operation from now; null: never. */
  arm(cut: Cut | null): void {
    this.#cut = cut;
    this.#sinceArmed = 0;
  }

  erase(offset: number, bytes: number): void {
    this.#check("erase", offset, bytes, SECTOR_BYTES);
    for (let at = offset; at < offset + bytes; at += SECTOR_BYTES) {
      const done = this.#begin({ kind: "erase", offset: at });
      this.bytes.fill(0xff, at, at + Math.min(done, SECTOR_BYTES));
      this.#end(done);
    }
  }

  program(offset: number, data: Uint8Array): void {
    this.#check("program", offset, data.length, PAGE_BYTES);
    for (let at = 0; at < data.length; at += PAGE_BYTES) {
      const done = this.#begin({ kind: "program", offset: offset + at });
      for (let i = at; i < at + Math.min(done, PAGE_BYTES); i++) {
        const [old, wanted] = [this.bytes[offset + i] ?? 0, data[i] ?? 0];
        if ((old & wanted) !== wanted) {
          throw new Fault(`programming flash ${hex(offset + i)} would set bits; erase it first`);
        }
        this.bytes[offset + i] = wanted;
      }
      this.#end(done);
    }
  }

  #check(what: string, offset: number, bytes: number, unit: number): void {
    if (offset % unit === 0 && bytes % unit === 0 && offset + bytes <= FLASH_BYTES) return;
    throw new Fault(`${what} of ${bytes} bytes of flash at ${hex(offset)}: not whole units in it`);
  }

  /** How many bytes of the operation are done before the power goes. */
  #begin(operation: FlashOperation): number {
    this.log.push(operation);
    this.#sinceArmed++;
    return this.#cut?.operation === this.#sinceArmed ? this.#cut.bytes : Number.POSITIVE_INFINITY;
  }

  #end(done: number): void {
    if (done === Number.POSITIVE_INFINITY) return;
    this.#cut = null;
    throw new PowerCut("power was cut during a flash operation");
  }
}
