// SPDX-License-Identifier: BSD-3-Clause
// The 16-bit instructions (The RISC-V Instruction Set Manual, volume I, "C" extension, RV32) as the 32-bit ones they stand
// for. What RV32IMC hasn't becomes 0, which is no instruction.

const LUI = 0x37;
const JAL = 0x6f;
const JALR = 0x67;
const BRANCH = 0x63;
const LOAD = 0x03;
const STORE = 0x23;
const OP_IMM = 0x13;
const OP = 0x33;
const EBREAK = 0x0010_0073;

const LINK = 1;
const STACK = 2;

const iType = (op: number, f3: number, rd: number, rs1: number, imm: number) =>
  (imm << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | op;

const rType = (f7: number, f3: number, rd: number, rs1: number, rs2: number) =>
  (f7 << 25) | (rs2 << 20) | (rs1 << 15) | (f3 << 12) | (rd << 7) | OP;

const storeWord = (rs1: number, rs2: number, imm: number) =>
  ((imm >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (2 << 12) | ((imm & 31) << 7) | STORE;

function jump(rd: number, offset: number): number {
  const low = ((offset & 0x7fe) << 20) | ((offset & 0x800) << 9) | (offset & 0xf_f000);
  return ((offset & 0x10_0000) << 11) | low | (rd << 7) | JAL;
}

function branch(f3: number, rs1: number, offset: number): number {
  const high = ((offset & 0x1000) << 19) | ((offset & 0x7e0) << 20);
  const low = ((offset & 0x1e) << 7) | ((offset & 0x800) >> 4);
  return high | (rs1 << 15) | (f3 << 12) | low | BRANCH;
}

/** Bits `from` and up of a half word, so many, moved to bit `to`. */
const bits = (half: number, from: number, count: number, to: number) =>
  ((half >> from) & ((1 << count) - 1)) << to;

/** A number of so many bits with its sign. */
const signed = (value: number, width: number) => (value << (32 - width)) >> (32 - width);

const immediate6 = (half: number) => signed(bits(half, 12, 1, 5) | bits(half, 2, 5, 0), 6);

function jumpOffset(half: number): number {
  const high = bits(half, 12, 1, 11) | bits(half, 8, 1, 10) | bits(half, 9, 2, 8);
  const middle = bits(half, 6, 1, 7) | bits(half, 7, 1, 6) | bits(half, 2, 1, 5);
  return signed(high | middle | bits(half, 11, 1, 4) | bits(half, 3, 3, 1), 12);
}

function branchOffset(half: number): number {
  const high = bits(half, 12, 1, 8) | bits(half, 5, 2, 6) | bits(half, 2, 1, 5);
  return signed(high | bits(half, 10, 2, 3) | bits(half, 3, 2, 1), 9);
}

/** Quadrant 0: the stack's addresses, loads and stores of the registers x8 to x15. */
function quadrant0(half: number): number {
  const rd = bits(half, 2, 3, 0) + 8;
  const rs1 = bits(half, 7, 3, 0) + 8;
  const offset = bits(half, 10, 3, 3) | bits(half, 6, 1, 2) | bits(half, 5, 1, 6);
  switch (half >> 13) {
    case 0: {
      const size = bits(half, 11, 2, 4) | bits(half, 7, 4, 6);
      const imm = size | bits(half, 6, 1, 2) | bits(half, 5, 1, 3);
      return imm === 0 ? 0 : iType(OP_IMM, 0, rd, STACK, imm);
    }
    case 2:
      return iType(LOAD, 2, rd, rs1, offset);
    case 6:
      return storeWord(rs1, rd, offset);
    default:
      return 0;
  }
}

function arithmetic(half: number): number {
  const rd = bits(half, 7, 3, 0) + 8;
  const rs2 = bits(half, 2, 3, 0) + 8;
  const isWide = (half & 0x1000) !== 0;
  const shift = bits(half, 2, 5, 0);
  switch (bits(half, 10, 2, 0)) {
    case 0:
      return isWide ? 0 : iType(OP_IMM, 5, rd, rd, shift);
    case 1:
      return isWide ? 0 : iType(OP_IMM, 5, rd, rd, shift | 0x400);
    case 2:
      return iType(OP_IMM, 7, rd, rd, immediate6(half));
    default:
      if (isWide) return 0;
      return [rType(0x20, 0, rd, rd, rs2), ...[4, 6, 7].map((f3) => rType(0, f3, rd, rd, rs2))][
        bits(half, 5, 2, 0)
      ] as number;
  }
}

function upper(half: number): number {
  const rd = bits(half, 7, 5, 0);
  if (rd !== STACK) {
    const imm = immediate6(half);
    return imm === 0 ? 0 : (imm << 12) | (rd << 7) | LUI;
  }
  const high = bits(half, 12, 1, 9) | bits(half, 3, 2, 7) | bits(half, 5, 1, 6);
  const imm = signed(high | bits(half, 2, 1, 5) | bits(half, 6, 1, 4), 10);
  return imm === 0 ? 0 : iType(OP_IMM, 0, STACK, STACK, imm);
}

/** Quadrant 1: arithmetic with immediates, jumps and branches. */
function quadrant1(half: number): number {
  const rd = bits(half, 7, 5, 0);
  const short = bits(half, 7, 3, 0) + 8;
  switch (half >> 13) {
    case 0:
      return iType(OP_IMM, 0, rd, rd, immediate6(half));
    case 1:
      return jump(LINK, jumpOffset(half));
    case 2:
      return iType(OP_IMM, 0, rd, 0, immediate6(half));
    case 3:
      return upper(half);
    case 4:
      return arithmetic(half);
    case 5:
      return jump(0, jumpOffset(half));
    case 6:
      return branch(0, short, branchOffset(half));
    default:
      return branch(1, short, branchOffset(half));
  }
}

function moves(half: number): number {
  const rd = bits(half, 7, 5, 0);
  const rs2 = bits(half, 2, 5, 0);
  const isSecond = (half & 0x1000) !== 0;
  if (rs2 !== 0) return rType(0, 0, rd, isSecond ? rd : 0, rs2);
  if (rd === 0) return isSecond ? EBREAK : 0;
  return iType(JALR, 0, isSecond ? LINK : 0, rd, 0);
}

/** Quadrant 2: shifts, the stack's loads and stores, jumps to registers. */
function quadrant2(half: number): number {
  const rd = bits(half, 7, 5, 0);
  const load = bits(half, 12, 1, 5) | bits(half, 4, 3, 2) | bits(half, 2, 2, 6);
  switch (half >> 13) {
    case 0:
      return half & 0x1000 ? 0 : iType(OP_IMM, 1, rd, rd, bits(half, 2, 5, 0));
    case 2:
      return rd === 0 ? 0 : iType(LOAD, 2, rd, STACK, load);
    case 4:
      return moves(half);
    case 6:
      return storeWord(STACK, bits(half, 2, 5, 0), bits(half, 9, 4, 2) | bits(half, 7, 2, 6));
    default:
      return 0;
  }
}

/** The 32-bit instruction of each half word; 0 where there is none, or where the half word begins a long one. */
export const EXPANDED: Int32Array = Int32Array.from({ length: 0x1_0000 }, (_, half) => {
  switch (half & 3) {
    case 0:
      return quadrant0(half);
    case 1:
      return quadrant1(half);
    case 2:
      return quadrant2(half);
    default:
      return 0;
  }
});
