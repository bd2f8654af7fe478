// SPDX-License-Identifier: BSD-3-Clause
// The part of the RP2040's boot ROM that the firmware meets (datasheet §2.8): the second stage's check and start, and
// the table of functions. A function is one BKPT, answered here, and a return.
import type { RP2040 } from "rp2040js";
import { Fault, hex } from "../fault.ts";
import {
  type Flash,
  PAGE_BYTES,
  PAGE_PROGRAM_NANOS,
  SECTOR_BYTES,
  SECTOR_ERASE_NANOS,
} from "../flash.ts";

const TABLE = 0x30;
const CODE = 0x80;
const LOOKUP = CODE - 8;
const BKPT = 0xbe00;
const BX_LR = 0x4770;

/** Where the ROM puts the second stage (§2.8.1.3.1). */
const STAGE2 = 0x2004_1f00;
const STAGE2_BYTES = 256;

/** CRC-32 of the second stage: polynomial 0x04c11db7, most significant bit first, initially ones, not inverted. */
export function stage2Checksum(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  }
  return crc >>> 0;
}

/** What the ROM's functions reach of the chip. */
export interface RomChip extends RP2040 {
  readonly nor: Flash;
  readonly isXipOn: boolean;
  /** Time the flash took, ns; to be passed by whoever runs the chip. */
  spentNanos: number;
  connectFlash(): void;
  exitXip(): void;
  enterXip(): void;
}

type RomFunction = (chip: RomChip, args: readonly number[]) => void;

function requireXipOff(chip: RomChip, name: string): void {
  if (chip.isXipOn) throw new Fault(`${name} while code may still run from flash; leave XIP first`);
}

/** The functions by their two letters (§2.8.3.1.3), arguments in r0 to r3. */
const FUNCTIONS: Readonly<Record<string, RomFunction>> = {
  IF: (chip) => chip.connectFlash(),
  EX: (chip) => chip.exitXip(),
  RE: (chip, [offset = 0, count = 0]) => {
    requireXipOff(chip, "flash_range_erase");
    chip.spentNanos += (count / SECTOR_BYTES) * SECTOR_ERASE_NANOS;
    chip.nor.erase(offset, count);
  },
  RP: (chip, [offset = 0, data = 0, count = 0]) => {
    requireXipOff(chip, "flash_range_program");
    const bytes = Uint8Array.from({ length: count }, (_, i) => chip.readUint8(data + i));
    chip.spentNanos += (count / PAGE_BYTES) * PAGE_PROGRAM_NANOS;
    chip.nor.program(offset, bytes);
  },
  FC: (chip) => requireXipOff(chip, "flash_flush_cache"),
  CX: (chip) => chip.enterXip(),
};

const NAMES = Object.keys(FUNCTIONS);
const codeOf = (name: string) => name.charCodeAt(0) | (name.charCodeAt(1) << 8);

/** The ROM's bytes, to the end of what is there. */
export function romImage(): Uint8Array {
  const rom = new DataView(new ArrayBuffer(CODE + NAMES.length * 4));
  const put = (at: number, ...halfwords: number[]) =>
    halfwords.forEach((halfword, i) => {
      rom.setUint16(at + 2 * i, halfword, true);
    });
  put(0x10, 0x754d, 0x0301);
  put(0x14, TABLE, TABLE + NAMES.length * 4, LOOKUP | 1);
  put(LOOKUP, BKPT | 0xff, BX_LR);
  NAMES.forEach((name, i) => {
    put(TABLE + i * 4, codeOf(name), (CODE + i * 4) | 1);
    put(CODE + i * 4, BKPT | i, BX_LR);
  });
  return new Uint8Array(rom.buffer);
}

/** Answers the BKPT of a ROM function. */
export function callRom(chip: RomChip, code: number): void {
  const { registers } = chip.core;
  const args = Array.from(registers.subarray(0, 4));
  if (code === 0xff) {
    registers[0] = lookUp(chip, args);
    return;
  }
  const romFunction = FUNCTIONS[NAMES[code] ?? ""];
  if (!romFunction) throw new Fault(`boot ROM function ${code} does not exist`);
  romFunction(chip, args);
}

function lookUp(chip: RomChip, [table = 0, wanted = 0]: readonly number[]): number {
  for (let at = table; ; at += 4) {
    const code = chip.readUint16(at);
    if (code === wanted) return chip.readUint16(at + 2);
    if (code === 0) return 0;
  }
}

/** What the ROM does after a reset: checks the second stage, copies it to the end of SRAM and jumps there. */
export function boot(chip: RomChip): void {
  const stage2 = chip.nor.bytes.subarray(0, STAGE2_BYTES);
  const stored = new DataView(stage2.buffer).getUint32(STAGE2_BYTES - 4, true);
  const computed = stage2Checksum(stage2.subarray(0, STAGE2_BYTES - 4));
  if (stored !== computed) {
    throw new Fault(`the second stage's checksum is ${hex(stored)}, computed ${hex(computed)}`);
  }
  chip.sram.set(stage2, STAGE2 - 0x2000_0000);
  chip.connectFlash();
  chip.exitXip();
  chip.core.SP = STAGE2;
  chip.core.LR = 0;
  chip.core.PC = STAGE2;
}
