// SPDX-License-Identifier: BSD-3-Clause
// Points of P-256 (SP 800-186 §3.2.1.3) in Jacobian coordinates: x = X / Z^2, y = Y / Z^3, Z = 0 at infinity. A point is
// three field elements of p256Fe.ts, padded to 112 bytes. Invariant between calls: |X|, |Y| <= 4 p, |Z| <= 2 p, X and Z
// carried, |limb of Y| <= 2^29.
import { P256_WORK } from "../../memory";
import { natMaskedCopy } from "../nat";
import {
  P256_FE,
  P256_ONE,
  p256FeAdd,
  p256FeCombine,
  p256FeInvert,
  p256FeIsZero,
  p256FeMul,
  p256FeSquare,
  p256FeSubtract,
} from "./p256Fe";

/** Bytes of a point. */
export const P256_POINT: u32 = 112;

/** Offsets in a point; x and y of an affine point lie the same way. */
export const P256_Y: u32 = 36;
export const P256_Z: u32 = 72;

const T0: usize = P256_WORK;
const T1: usize = P256_WORK + 36;
const T2: usize = P256_WORK + 72;
const T3: usize = P256_WORK + 108;
const T4: usize = P256_WORK + 144;
const T5: usize = P256_WORK + 180;
const U1: usize = P256_WORK + 216;
const S1: usize = P256_WORK + 252;
const Z12: usize = P256_WORK + 288;
const BEFORE: usize = P256_WORK + 328;
const DOUBLED: usize = P256_WORK + 440;

/** r = 2 a (a = -3 doubling, four products and four squares); infinity stays infinity. r may be a. */
export function p256PtDouble(r: usize, a: usize): void {
  const alpha = T0;
  const beta = T1;
  p256FeSquare(T2, a + P256_Z);
  p256FeSubtract(T3, a, T2);
  p256FeAdd(T2, a, T2);
  p256FeMul(T3, T3, T2);
  p256FeCombine(alpha, T3, T3, 2); // 3 (X - Z^2)(X + Z^2)
  p256FeSquare(T2, a + P256_Y);
  p256FeCombine(T2, T2, T2, 1); // 2 Y^2
  p256FeAdd(T3, T2, T2);
  p256FeMul(beta, a, T3); // 4 X Y^2
  p256FeAdd(T3, a + P256_Y, a + P256_Y);
  p256FeMul(r + P256_Z, T3, a + P256_Z);
  p256FeSquare(T3, alpha);
  p256FeCombine(r, T3, beta, -2);
  p256FeSubtract(T3, beta, r);
  p256FeMul(T3, T3, alpha);
  p256FeSquare(T2, T2);
  p256FeCombine(r + P256_Y, T3, T2, -2);
}

/**
 * The common part of both additions: u1, s1 are the first point's X, Y over the second's Z, z12 the product of both Z.
 * Wrong (Z becomes 0) when the points have equal x; then T1 = 0 tells equal points from opposite ones.
 */
function addTail(r: usize, u1: usize, s1: usize, z1: usize, z12: usize, b: usize): void {
  const h = T0;
  const slope = T1;
  p256FeSquare(T2, z1);
  p256FeMul(T3, z1, T2);
  p256FeMul(T2, b, T2);
  p256FeMul(T3, b + P256_Y, T3);
  p256FeSubtract(h, T2, u1);
  p256FeSubtract(slope, T3, s1);
  p256FeMul(r + P256_Z, z12, h);
  p256FeSquare(T2, h);
  p256FeMul(T3, h, T2);
  p256FeMul(T4, u1, T2);
  p256FeSquare(T2, slope);
  p256FeSubtract(T2, T2, T3);
  p256FeMul(T5, s1, T3);
  p256FeCombine(r, T2, T4, -2);
  p256FeSubtract(T4, T4, r);
  p256FeMul(T4, T4, slope);
  p256FeCombine(r + P256_Y, T4, T5, -1);
}

/** r = a + b for different, not opposite points, neither at infinity. r may be a. */
export function p256PtAdd(r: usize, a: usize, b: usize): void {
  p256FeSquare(T2, b + P256_Z);
  p256FeMul(U1, a, T2);
  p256FeMul(T2, T2, b + P256_Z);
  p256FeMul(S1, a + P256_Y, T2);
  p256FeMul(Z12, a + P256_Z, b + P256_Z);
  addTail(r, U1, S1, a + P256_Z, Z12, b);
}

/** r = a + b as p256PtAdd, b affine (x, y alone). r may be a. */
export function p256PtAddAffine(r: usize, a: usize, b: usize): void {
  addTail(r, a, a + P256_Y, a + P256_Z, a + P256_Z, b);
}

function addEither(r: usize, a: usize, b: usize, affine: bool): void {
  if (affine) p256PtAddAffine(r, a, b);
  else p256PtAdd(r, a, b);
}

/** r = r + b also when both are the same point, without a branch; r and b are not opposite nor at infinity. */
export function p256PtAddComplete(r: usize, b: usize, affine: bool): void {
  memory.copy(BEFORE, r, P256_POINT);
  addEither(r, BEFORE, b, affine);
  const same = p256FeIsZero(r + P256_Z, T2);
  p256PtDouble(DOUBLED, BEFORE);
  natMaskedCopy(r, DOUBLED, 27, same);
}

/** Whether the limbs of Z are all 0, which p256PtAddPublic writes for infinity and p256PtDouble keeps. */
function isInfinity(z: usize): bool {
  let bits: u32 = 0;
  for (let i: usize = 0; i < P256_FE; i += 4) bits |= load<u32>(z + i);
  return bits === 0;
}

/** r = r + b for any r, b not at infinity; infinity has a Z of limbs 0. Public points only: it branches. */
export function p256PtAddPublic(r: usize, b: usize, affine: bool): void {
  if (isInfinity(r + P256_Z)) {
    memory.copy(r, b, affine ? 2 * P256_FE : P256_POINT);
    if (affine) memory.copy(r + P256_Z, P256_ONE, P256_FE);
    return;
  }
  memory.copy(BEFORE, r, P256_POINT);
  addEither(r, BEFORE, b, affine);
  if (!p256FeIsZero(r + P256_Z, T2)) return;
  if (p256FeIsZero(T1, T2)) p256PtDouble(r, BEFORE);
  else memory.fill(r + P256_Z, 0, P256_FE);
}

/** Negates y (36 bytes) where the mask is all ones. */
export function p256PtNegate(y: usize, mask: u32): void {
  for (let i: usize = 0; i < 36; i += 4) store<u32>(y + i, (load<u32>(y + i) ^ mask) - mask);
}

/** Writes x, y (72 bytes) of a point not at infinity over its X, Y. `room` is 324 bytes. */
export function p256PtAffine(a: usize, room: usize): void {
  const inverse = room + 252;
  const square = room + 288;
  p256FeInvert(inverse, a + P256_Z, room);
  p256FeSquare(square, inverse);
  p256FeMul(a, a, square);
  p256FeMul(square, square, inverse);
  p256FeMul(a + P256_Y, a + P256_Y, square);
}
