// SPDX-License-Identifier: BSD-3-Clause
// Scalar multiplication on P-256, key pairs, and points as bytes: 65 bytes, 04 then x then y (SEC 1 §2.3.3).
//
// A scalar is made odd (n - k for an even one, the result negated), and its bits are then read as +1 and -1: k is the
// sum of (2 b_i - 1) 2^i over the bits b_i of (k >> 1) + 2^(D - 1), D signs in all. No digit is zero, so every scalar
// takes the same steps. No partial sum is a multiple of n, so opposite points never meet; equal ones only in the last
// addition (k = n - 2 for the window, n less twice a sum of powers of 2^52 for the comb): that one alone is complete.
import { bytesWipe } from "../../bytes";
import { P256_LEN, P256_ROOM, P256_SCALAR, P256_WORK } from "../../memory";
import { Status } from "../../status";
import { drbgGenerate } from "../drbg";
import { natBytesLess, natBytesZero, natScan } from "../nat";
import { P256_COMB_COLUMNS, p256CombColumn } from "./p256Comb";
import {
  P256_B,
  P256_FE,
  P256_ONE,
  p256FeAdd,
  p256FeCombine,
  p256FeFromBytes,
  p256FeIsZero,
  p256FeMul,
  p256FeSquare,
  p256FeSubtract,
  p256FeToBytes,
} from "./p256Fe";
import {
  P256_POINT,
  P256_Y,
  P256_Z,
  p256PtAdd,
  p256PtAddAffine,
  p256PtAddComplete,
  p256PtAddPublic,
  p256PtAffine,
  p256PtDouble,
  p256PtNegate,
} from "./p256Pt";
import { P256_ORDER } from "./p256Scalar";

/** p, big-endian. */
// biome-ignore format: eight bytes a group
export const P256_PRIME: usize = memory.data<u8>([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

/** Bytes of an uncompressed point. */
export const P256_PUBLIC: u32 = 65;

/** The point of the multiplication, its multiples 1, 3 .. 15, and the digit's point. */
const SELECTED: usize = P256_ROOM;
const BITS: usize = P256_ROOM + 112;
const BITS2: usize = P256_ROOM + 152;
const TABLE: usize = P256_ROOM + 192;
const ACC: usize = P256_ROOM + 1088;
/** Room for inversions; the table is free by then. */
const INVERT: usize = TABLE;
const POINT: usize = P256_ROOM + 1200;

/** Forgets everything an operation of P-256 left in scratch. */
export function p256Wipe(): void {
  bytesWipe(P256_WORK, P256_LEN);
}

/** Whether the 32 secret bytes are a scalar in 1..n-1: all ones, else 0. */
export function p256ScalarIsValid(k32: usize): u32 {
  return natBytesLess(k32, P256_ORDER, 32) & ~natBytesZero(k32, 32);
}

/** Writes the signs of k (0..n-1; 0 is taken as n) as 33 little-endian bytes; all ones when it was even and negated. */
function recode(bits33: usize, k32: usize, top: u32): u32 {
  const even = ((load<u8>(k32 + 31) as u32) & 1) - 1;
  let borrow: i32 = 0;
  for (let i = 0; i < 32; i++) {
    const k: i32 = load<u8>(k32 + 31 - i);
    borrow += (load<u8>(P256_ORDER + 31 - i) as i32) - k;
    store<u8>(bits33 + i, k ^ ((k ^ borrow) & even));
    borrow >>= 8;
  }
  store<u8>(bits33 + 32, 0);
  for (let i: usize = 0; i < 32; i++) {
    store<u8>(bits33 + i, (load<u8>(bits33 + i) >>> 1) | (load<u8>(bits33 + i + 1) << 7));
  }
  const last = bits33 + (top >> 3);
  store<u8>(last, (load<u8>(last) as u32) | (1 << (top & 7)));
  return even;
}

/** TABLE = 1, 3 .. 15 times the affine point. */
function fillTable(point: usize): void {
  memory.copy(TABLE, point, 2 * P256_FE);
  memory.copy(TABLE + P256_Z, P256_ONE, P256_FE);
  p256PtDouble(SELECTED, TABLE);
  for (let i: u32 = P256_POINT; i < 8 * P256_POINT; i += P256_POINT) {
    p256PtAdd(TABLE + i, SELECTED, TABLE + i - P256_POINT);
  }
}

/** SELECTED = the window digit at bits 4 i .. 4 i + 3, read by scanning the whole table. */
function selectDigit(bits: usize, i: u32): void {
  const nibble = ((load<u8>(bits + (i >> 1)) as u32) >>> ((i & 1) << 2)) & 15;
  const negative = (nibble >>> 3) - 1;
  const index = (nibble ^ negative) & 7;
  natScan(SELECTED, TABLE, P256_POINT, 8, index);
  natScan(SELECTED + 40, TABLE + 40, P256_POINT, 8, index);
  p256PtNegate(SELECTED + P256_Y, negative);
}

/** SELECTED = column j of the comb. */
function selectColumn(bits: usize, j: u32): void {
  p256PtNegate(SELECTED + P256_Y, p256CombColumn(SELECTED, bits, j));
}

/** x, y at ACC = k G for k32 in 1..n-1, secret. Gives ACC. SP 800-186. */
export function p256BaseMul(k32: usize): usize {
  const negative = recode(BITS, k32, 259);
  selectColumn(BITS, P256_COMB_COLUMNS - 1);
  memory.copy(ACC, SELECTED, 2 * P256_FE);
  memory.copy(ACC + P256_Z, P256_ONE, P256_FE);
  for (let j = P256_COMB_COLUMNS - 1; j > 0; ) {
    j -= 1;
    p256PtDouble(ACC, ACC);
    selectColumn(BITS, j);
    if (j) p256PtAddAffine(ACC, ACC, SELECTED);
    else p256PtAddComplete(ACC, SELECTED, true);
  }
  p256PtNegate(ACC + P256_Y, negative);
  p256PtAffine(ACC, INVERT);
  return ACC;
}

/** x, y at ACC = k times the affine point at `point`, k32 in 1..n-1, secret. Gives ACC. */
export function p256PointMul(k32: usize, point: usize): usize {
  const negative = recode(BITS, k32, 255);
  fillTable(point);
  selectDigit(BITS, 63);
  memory.copy(ACC, SELECTED, P256_POINT);
  for (let i: u32 = 63; i > 0; ) {
    i -= 1;
    for (let j = 0; j < 4; j++) p256PtDouble(ACC, ACC);
    selectDigit(BITS, i);
    if (i) p256PtAdd(ACC, ACC, SELECTED);
    else p256PtAddComplete(ACC, SELECTED, false);
  }
  p256PtNegate(ACC + P256_Y, negative);
  p256PtAffine(ACC, INVERT);
  return ACC;
}

/**
 * The Jacobian point u1 G + u2 Q at ACC for public u1 in 0..n-1, u2 in 1..n-1 and an affine Q; Z = 0 at infinity. The
 * comb's columns ride on the last 52 doublings. Gives ACC.
 */
export function p256JointMul(u1: usize, u2: usize, point: usize): usize {
  const negative1 = recode(BITS, u1, 259);
  const negative2 = recode(BITS2, u2, 255);
  fillTable(point);
  memory.fill(ACC + P256_Z, 0, P256_FE);
  memory.copy(ACC, P256_ONE, P256_FE);
  memory.copy(ACC + P256_Y, P256_ONE, P256_FE);
  for (let i: u32 = 256; i > 0; ) {
    i -= 1;
    p256PtDouble(ACC, ACC);
    if ((i & 3) === 0) {
      selectDigit(BITS2, i >> 2);
      p256PtNegate(SELECTED + P256_Y, negative2);
      p256PtAddPublic(ACC, SELECTED, false);
    }
    if (i < P256_COMB_COLUMNS) {
      selectColumn(BITS, i);
      p256PtNegate(SELECTED + P256_Y, negative1);
      p256PtAddPublic(ACC, SELECTED, true);
    }
  }
  return ACC;
}

/** Reads a point to x, y at `point`. BadPoint unless it is 04, x < p, y < p and y^2 = x^3 - 3 x + b (SP 800-56A §5.6.2.3.3). */
export function p256Read(point: usize, pub65: usize): i32 {
  if (load<u8>(pub65) !== 4) return Status.BadPoint;
  if (!(natBytesLess(pub65 + 1, P256_PRIME, 32) & natBytesLess(pub65 + 33, P256_PRIME, 32))) {
    return Status.BadPoint;
  }
  const y = point + P256_Y;
  p256FeFromBytes(point, pub65 + 1);
  p256FeFromBytes(y, pub65 + 33);
  const left = ACC;
  const right = SELECTED;
  p256FeSquare(right, point);
  p256FeCombine(right, right, P256_ONE, -3);
  p256FeMul(right, right, point);
  p256FeAdd(right, right, P256_B);
  p256FeSquare(left, y);
  p256FeSubtract(right, right, left);
  return p256FeIsZero(right, left) ? Status.Done : Status.BadPoint;
}

/** Done when the 65 bytes are a point of the curve, else BadPoint. */
export function p256Check(pub65: usize): i32 {
  return p256Read(POINT, pub65);
}

/** Writes the public key of the 32-byte secret scalar; BadPoint when that is not in 1..n-1. */
export function p256PublicKey(pub65: usize, priv32: usize): i32 {
  if (!p256ScalarIsValid(priv32)) return Status.BadPoint;
  const point = p256BaseMul(priv32);
  store<u8>(pub65, 4);
  p256FeToBytes(pub65 + 1, point, INVERT);
  p256FeToBytes(pub65 + 33, point + P256_Y, INVERT);
  p256Wipe();
  return Status.Done;
}

/** Makes a key pair: candidates from the DRBG until one is in 1..n-1 (FIPS 186-5 §A.2.2). NoEntropy without a seed. */
export function p256KeyGen(priv32: usize, pub65: usize): i32 {
  for (let i = 0; i < 8; i++) {
    const status = drbgGenerate(P256_SCALAR, 32);
    if (status < 0) return status;
    if (!p256ScalarIsValid(P256_SCALAR)) continue;
    memory.copy(priv32, P256_SCALAR, 32);
    return p256PublicKey(pub65, priv32);
  }
  return Status.Fault;
}
