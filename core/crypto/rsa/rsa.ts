// SPDX-License-Identifier: BSD-3-Clause
// RSA-2048 without padding (RFC 8017 §5.1): x^e mod n, and x^d mod n by the Chinese remainder theorem, blinded and
// checked. Keys lie as in rsaKey.ts. Nothing is released before x^d has been raised to e again and gives x.
//
// Blinding: modulo p the base x v is raised to dp while a fresh random v is raised to p - 1 - dp, in the same pass of
// squarings: v^(p - 1) = 1, so the product is x^dp, no inverse is needed and no power of x alone appears.
import { bytesEqual, bytesLoad32, bytesWipe } from "../../bytes";
import { RSA_ROOM } from "../../memory";
import { Status } from "../../status";
import { ACCEL_MOD_EXP, acceleratorHas, acceleratorModExp } from "../accelerator";
import { drbgGenerate } from "../drbg";
import { montCarry, montInverse, montMul, montProduct, montRr, montSquare } from "../mont";
import {
  natAdd,
  natBytesLess,
  natFromBytes,
  natReduce,
  natScan,
  natSubtract,
  natToBytes,
} from "../nat";
import { RSA_DP, RSA_DQ, RSA_E, RSA_HALF, RSA_LEN, RSA_N, RSA_P, RSA_Q, RSA_QINV } from "./rsaKey";

/** Limbs of a prime and of the modulus. */
const HALF: u32 = 36;
const FULL: u32 = 72;
const HALF_BYTES: u32 = 144;

/** What both halves need, then what one exponentiation needs; the public operation lies over the tables. */
const X: usize = RSA_ROOM;
const MP: usize = RSA_ROOM + 288;
const MQ: usize = RSA_ROOM + 432;
const N: usize = RSA_ROOM + 576;
const RR: usize = RSA_ROOM + 720;
const ACC: usize = RSA_ROOM + 864;
const DIGIT: usize = RSA_ROOM + 1008;
const ROOM: usize = RSA_ROOM + 1152;
const REST: usize = RSA_ROOM + 1912;
const EXPONENT: usize = RSA_ROOM + 2040;
const TABLE_X: usize = RSA_ROOM + 2168;
const TABLE_V: usize = RSA_ROOM + 4472;
/** x^d mod n until it is checked, and what it gives when raised to e: over the tables, like the public operation. */
const RESULT: usize = TABLE_X;
const CHECK: usize = TABLE_X + 256;
const PUBLIC: usize = TABLE_X + 512;
const PUBLIC_N: usize = PUBLIC;
const PUBLIC_RR: usize = PUBLIC + 288;
const PUBLIC_X: usize = PUBLIC + 576;
const PUBLIC_ACC: usize = PUBLIC + 864;
const PUBLIC_ROOM: usize = PUBLIC + 1152;
/** Bytes used at RSA_ROOM. */
export const RSA_ROOM_LEN: u32 = 6776;

/** Raises PUBLIC_X to the public e; the result, below n, replaces PUBLIC_ACC. */
function powerE(e: u32, inverse: u32): void {
  const base = PUBLIC_X;
  const acc = PUBLIC_ACC;
  const n = PUBLIC_N;
  montRr(PUBLIC_RR, n, inverse, FULL, PUBLIC_ROOM);
  montMul(base, base, PUBLIC_RR, n, inverse, FULL, PUBLIC_ROOM);
  memory.copy(acc, base, 288);
  for (let bit: i32 = 30 - clz<u32>(e); bit >= 0; bit--) {
    montMul(acc, acc, acc, n, inverse, FULL, PUBLIC_ROOM);
    if ((e >>> bit) & 1) montMul(acc, acc, base, n, inverse, FULL, PUBLIC_ROOM);
  }
  memory.fill(base, 0, 288);
  store<u32>(base, 1);
  montMul(acc, acc, base, n, inverse, FULL, PUBLIC_ROOM);
  natReduce(acc, n, FULL, PUBLIC_ROOM);
}

/** Done for an odd modulus of 2048 bits and an odd e of at least 3. */
function checkPublic(pub: usize): i32 {
  const e = bytesLoad32(pub + RSA_E);
  const right = load<u8>(pub + RSA_N) >>> 7 && load<u8>(pub + RSA_N + RSA_LEN - 1) & 1;
  return right && e & 1 && e > 2 ? Status.Done : Status.BadRsaKey;
}

/** x^e mod n into out256, the key already checked. */
function publicPower(out256: usize, x256: usize, pub: usize): i32 {
  if (acceleratorHas(ACCEL_MOD_EXP)) {
    const status = acceleratorModExp(out256, x256, pub + RSA_E, 4, pub + RSA_N, RSA_LEN);
    return status < 0 ? Status.Fault : Status.Done;
  }
  natFromBytes(PUBLIC_N, FULL, pub + RSA_N, RSA_LEN);
  natFromBytes(PUBLIC_X, FULL, x256, RSA_LEN);
  powerE(bytesLoad32(pub + RSA_E), montInverse(load<u32>(PUBLIC_N)));
  natToBytes(out256, RSA_LEN, PUBLIC_ACC);
  return Status.Done;
}

/** x^e mod n, x possibly secret; out256 may be x256. BadRsaKey, BadArgument for x >= n (out untouched). RFC 8017 §5.1.1. */
export function rsaPublic(out256: usize, x256: usize, pub: usize): i32 {
  let status = checkPublic(pub);
  if (status < 0) return status;
  if (!natBytesLess(x256, pub + RSA_N, RSA_LEN)) return Status.BadArgument;
  status = publicPower(out256, x256, pub);
  bytesWipe(RSA_ROOM, RSA_ROOM_LEN);
  return status;
}

/** r = a b / 2^1044 mod the prime at N. */
function mul(r: usize, a: usize, b: usize, inverse: u32): void {
  montMul(r, a, b, N, inverse, HALF, ROOM);
}

/** Takes r out of Montgomery form, into 0..p-1. */
function plain(r: usize, inverse: u32): void {
  memory.fill(DIGIT, 0, HALF_BYTES);
  store<u32>(DIGIT, 1);
  mul(r, r, DIGIT, inverse);
  natReduce(r, N, HALF, ROOM);
}

/** N, RR of a prime; gives its Montgomery inverse. */
function loadPrime(prime: usize): u32 {
  natFromBytes(N, HALF, prime, RSA_HALF);
  const inverse = montInverse(load<u32>(N));
  montRr(RR, N, inverse, HALF, ROOM);
  return inverse;
}

/** ACC = X mod p, in Montgomery form: (low + high 2^1044) 2^1044. */
function reduceX(inverse: u32): void {
  mul(ACC, X + HALF_BYTES, RR, inverse);
  mul(ACC, ACC, RR, inverse);
  mul(DIGIT, X, RR, inverse);
  natAdd(ACC, ACC, DIGIT, HALF);
}

/** The powers 0..15 of the Montgomery form at `base`. */
function fillTable(table: usize, base: usize, inverse: u32): void {
  memory.fill(table, 0, HALF_BYTES);
  store<u32>(table, 1);
  mul(table, table, RR, inverse);
  for (let i: u32 = HALF_BYTES; i < 16 * HALF_BYTES; i += HALF_BYTES) {
    mul(table + i, table + i - HALF_BYTES, base, inverse);
  }
}

/** ACC = ACC * (entry of the four bits at `i` of the big-endian exponent), the table scanned whole. */
function mulDigit(table: usize, exponent: usize, i: u32, inverse: u32): void {
  const digit = ((load<u8>(exponent + (i >> 1)) as u32) >>> ((~i & 1) << 2)) & 15;
  natScan(DIGIT, table, HALF_BYTES, 16, digit);
  natScan(DIGIT + 72, table + 72, HALF_BYTES, 16, digit);
  mul(ACC, ACC, DIGIT, inverse);
}

/** ACC = (x v)^EXPONENT v^REST with the tables of x v and v: 1024 squarings, 512 products. */
function powerBoth(inverse: u32): void {
  memory.copy(ACC, TABLE_X, HALF_BYTES);
  for (let i: u32 = 0; i < 2 * RSA_HALF; i++) {
    for (let j = 0; j < 4; j++) montSquare(ACC, ACC, N, inverse, ROOM);
    mulDigit(TABLE_X, EXPONENT, i, inverse);
    mulDigit(TABLE_V, REST, i, inverse);
  }
}

/** REST = prime - 1 - exponent, big-endian; when that is negative the parts of the key do not belong together. */
function restOf(prime: usize, exponent: usize): u32 {
  let s: i32 = -1;
  for (let i: i32 = RSA_HALF - 1; i >= 0; i--) {
    s += (load<u8>(prime + i) as i32) - (load<u8>(exponent + i) as i32);
    store<u8>(REST + i, s);
    s >>= 8;
  }
  return s as u32;
}

/** r = X^exponent mod prime in 0..prime-1, both RSA_HALF secret bytes. */
function halfPower(r: usize, prime: usize, exponent: usize): i32 {
  const inverse = loadPrime(prime);
  reduceX(inverse);
  if (acceleratorHas(ACCEL_MOD_EXP)) {
    plain(ACC, inverse);
    natToBytes(REST, RSA_HALF, ACC);
    const status = acceleratorModExp(REST, REST, exponent, RSA_HALF, prime, RSA_HALF);
    natFromBytes(r, HALF, REST, RSA_HALF);
    return status < 0 ? Status.Fault : Status.Done;
  }
  if (restOf(prime, exponent)) return Status.BadRsaKey;
  memory.copy(EXPONENT, exponent, RSA_HALF);
  const status = drbgGenerate(TABLE_V, RSA_HALF);
  if (status < 0) return status;
  natFromBytes(r, HALF, TABLE_V, RSA_HALF);
  fillTable(TABLE_V, r, inverse);
  mul(ACC, ACC, r, inverse);
  fillTable(TABLE_X, ACC, inverse);
  powerBoth(inverse);
  plain(ACC, inverse);
  memory.copy(r, ACC, HALF_BYTES);
  return Status.Done;
}

/** RESULT = MQ + q (qinv (MP - MQ) mod p), RFC 8017 §5.1.2 step 2 b. */
function recombine(priv: usize): void {
  const inverse = loadPrime(priv + RSA_P);
  mul(DIGIT, MQ, RR, inverse); // q may be larger than p: reduces MQ as well
  mul(MP, MP, RR, inverse);
  natAdd(MP, MP, N, HALF);
  natAdd(MP, MP, N, HALF);
  natSubtract(MP, MP, DIGIT, HALF);
  natFromBytes(DIGIT, HALF, priv + RSA_QINV, RSA_HALF);
  mul(MP, MP, DIGIT, inverse);
  natReduce(MP, N, HALF, ROOM);
  natFromBytes(DIGIT, HALF, priv + RSA_Q, RSA_HALF);
  montProduct(ROOM, MP, DIGIT, HALF);
  montCarry(X, ROOM, FULL);
  memory.fill(ROOM, 0, 288);
  memory.copy(ROOM, MQ, HALF_BYTES);
  natAdd(X, X, ROOM, FULL);
  natToBytes(RESULT, RSA_LEN, X);
}

/** Done when p and q are odd and of 1024 bits; whether they are the factors of n shows when the result is checked. */
function checkPrivate(priv: usize): i32 {
  const p = priv + RSA_P;
  const q = priv + RSA_Q;
  const high = (load<u8>(p) & load<u8>(q)) >>> 7;
  const odd = load<u8>(p + RSA_HALF - 1) & load<u8>(q + RSA_HALF - 1) & 1;
  return high & odd ? checkPublic(priv) : Status.BadRsaKey;
}

/** RESULT = x^d mod n, raised to e again and compared with x. */
function privatePower(x256: usize, priv: usize): i32 {
  natFromBytes(X, FULL, x256, RSA_LEN);
  let status = halfPower(MP, priv + RSA_P, priv + RSA_DP);
  if (status < 0) return status;
  status = halfPower(MQ, priv + RSA_Q, priv + RSA_DQ);
  if (status < 0) return status;
  recombine(priv);
  if (natBytesLess(RESULT, priv + RSA_N, RSA_LEN) === 0) return Status.Fault;
  status = publicPower(CHECK, RESULT, priv);
  if (status < 0) return status;
  return bytesEqual(CHECK, x256, RSA_LEN) ? Status.Done : Status.Fault;
}

/**
 * x^d mod n; x256 and the key secret; out256 may be x256. BadRsaKey, BadArgument for x >= n, NoEntropy (no blinding), Fault
 * when the result does not give x again or the accelerator fails: out is then untouched. RFC 8017 §5.1.2.
 */
export function rsaPrivate(out256: usize, x256: usize, priv: usize): i32 {
  let status = checkPrivate(priv);
  if (status < 0) return status;
  if (!natBytesLess(x256, priv + RSA_N, RSA_LEN)) return Status.BadArgument;
  status = privatePower(x256, priv);
  if (status === Status.Done) memory.copy(out256, RESULT, RSA_LEN);
  bytesWipe(RSA_ROOM, RSA_ROOM_LEN);
  return status;
}
