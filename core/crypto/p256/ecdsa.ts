// SPDX-License-Identifier: BSD-3-Clause
// ECDSA on P-256 with a 32-byte hash (FIPS 186-5 §6.4); a signature is r then s, 32 big-endian bytes each. Nonces are
// those of RFC 6979 §3.2 with SHA-256, `extra` as its additional data k' (§3.6): the hedge against faults and clones.
import { ECDSA_ROOM } from "../../memory";
import { Status } from "../../status";
import { drbgGenerate } from "../drbg";
import { hmacFinal, hmacInit, hmacUpdate } from "../hmac";
import { natAdd, natBytesLess } from "../nat";
import {
  P256_PRIME,
  p256BaseMul,
  p256JointMul,
  p256Read,
  p256ScalarIsValid,
  p256Wipe,
} from "./p256";
import {
  p256FeFromBytes,
  p256FeIsZero,
  p256FeMul,
  p256FeSquare,
  p256FeSubtract,
  p256FeToBytes,
} from "./p256Fe";
import { P256_Z } from "./p256Pt";
import {
  P256_ORDER,
  p256ScalarFromBytes,
  p256ScalarInvert,
  p256ScalarMul,
  p256ScalarToBytes,
} from "./p256Scalar";

const A: usize = ECDSA_ROOM;
const B: usize = ECDSA_ROOM + 36;
const C: usize = ECDSA_ROOM + 72;
const POINT: usize = ECDSA_ROOM + 108;
const BYTES: usize = ECDSA_ROOM + 180;
const BYTES2: usize = ECDSA_ROOM + 212;
const INVERT: usize = ECDSA_ROOM + 244;
const EXTRA: usize = ECDSA_ROOM + 820;
const K: usize = ECDSA_ROOM + 852;
const V: usize = ECDSA_ROOM + 884;
const SEPARATOR: usize = ECDSA_ROOM + 916;
const MAC: usize = ECDSA_ROOM + 920;

/** Nonces tried before giving up; one is refused with a chance of about 2^-32. */
const NONCES: u32 = 8;

/** V = HMAC(K, V). */
function nextV(): void {
  hmacInit(MAC, K, 32);
  hmacUpdate(MAC, V, 32);
  hmacFinal(V, MAC);
}

/** K = HMAC(K, V || separator), more to be added by the caller. */
function beginK(separator: u32): void {
  store<u8>(SEPARATOR, separator);
  hmacInit(MAC, K, 32);
  hmacUpdate(MAC, V, 32);
  hmacUpdate(MAC, SEPARATOR, 1);
}

/** K = HMAC(K, V || separator || priv || hash mod n || extra), V = HMAC(K, V): RFC 6979 §3.2 d to g. */
function mixK(separator: u32, priv32: usize, reduced32: usize, extra: usize, extraLen: u32): void {
  beginK(separator);
  hmacUpdate(MAC, priv32, 32);
  hmacUpdate(MAC, reduced32, 32);
  if (extraLen) hmacUpdate(MAC, extra, extraLen);
  hmacFinal(K, MAC);
  nextV();
}

/** One try with the nonce at V: whether r and s, written to sig64, are both usable (all ones, else 0). */
function signOnce(sig64: usize, hash32: usize, priv32: usize): u32 {
  if (!p256ScalarIsValid(V)) return 0;
  p256FeToBytes(BYTES, p256BaseMul(V), INVERT);
  p256ScalarFromBytes(A, BYTES);
  p256ScalarToBytes(BYTES, A, INVERT); // r = x mod n
  p256ScalarFromBytes(B, priv32);
  p256ScalarMul(A, A, B);
  p256ScalarFromBytes(B, hash32);
  natAdd(A, A, B, 9); // r d + z, below 4 n
  p256ScalarFromBytes(B, V);
  p256ScalarInvert(C, B, INVERT);
  p256ScalarMul(A, A, C);
  p256ScalarToBytes(BYTES2, A, INVERT);
  const usable = p256ScalarIsValid(BYTES) & p256ScalarIsValid(BYTES2);
  if (usable) memory.copy(sig64, BYTES, 64);
  return usable;
}

/** Tries the nonces of RFC 6979 §3.2 h one after the other. */
function signWithNonces(sig64: usize, hash32: usize, priv32: usize): i32 {
  for (let i: u32 = 0; i < NONCES; i++) {
    nextV();
    if (signOnce(sig64, hash32, priv32)) return Status.Done;
    beginK(0x00);
    hmacFinal(K, MAC);
    nextV();
  }
  return Status.Fault;
}

/**
 * Signs with the nonce of RFC 6979 and `extraLen` bytes of additional data (0: plain RFC 6979). sig64 may not overlap the
 * inputs. priv32 is secret. BadPoint when it is not in 1..n-1.
 */
export function ecdsaSignWith(
  sig64: usize,
  hash32: usize,
  priv32: usize,
  extra: usize,
  extraLen: u32,
): i32 {
  if (!p256ScalarIsValid(priv32)) return Status.BadPoint;
  p256ScalarFromBytes(A, hash32);
  p256ScalarToBytes(BYTES, A, B);
  memory.fill(V, 0x01, 32);
  memory.fill(K, 0x00, 32);
  mixK(0x00, priv32, BYTES, extra, extraLen);
  mixK(0x01, priv32, BYTES, extra, extraLen);
  const status = signWithNonces(sig64, hash32, priv32);
  p256Wipe();
  return status;
}

/** Signs with 32 bytes of the DRBG as additional data. NoEntropy without a seed. */
export function ecdsaSign(sig64: usize, hash32: usize, priv32: usize): i32 {
  const status = drbgGenerate(EXTRA, 32);
  if (status < 0) return status;
  return ecdsaSignWith(sig64, hash32, priv32, EXTRA, 32);
}

/** Whether the Jacobian X / Z^2 equals the 32 bytes modulo p: all ones, else 0. */
function xEquals(point: usize, x32: usize): u32 {
  p256FeSquare(A, point + P256_Z);
  p256FeFromBytes(B, x32);
  p256FeMul(A, A, B);
  p256FeSubtract(A, A, point);
  return p256FeIsZero(A, B);
}

/** BYTES = r + n; whether that is a 256-bit number (all ones, else 0).  */
function addOrder(r32: usize): u32 {
  let sum: u32 = 0;
  for (let i = 31; i >= 0; i--) {
    sum += (load<u8>(r32 + i) as u32) + (load<u8>(P256_ORDER + i) as u32);
    store<u8>(BYTES + i, sum);
    sum >>= 8;
  }
  return sum - 1;
}

/** Done when the signature is right, BadSignature when not (r or s out of range too), BadPoint for a bad key. All public. */
export function ecdsaVerify(hash32: usize, sig64: usize, pub65: usize): i32 {
  const status = p256Read(POINT, pub65);
  if (status < 0) return status;
  if (!(p256ScalarIsValid(sig64) & p256ScalarIsValid(sig64 + 32))) return Status.BadSignature;
  p256ScalarFromBytes(A, sig64 + 32);
  p256ScalarInvert(C, A, INVERT);
  p256ScalarFromBytes(A, hash32);
  p256ScalarMul(A, A, C);
  p256ScalarToBytes(BYTES, A, INVERT);
  p256ScalarFromBytes(A, sig64);
  p256ScalarMul(A, A, C);
  p256ScalarToBytes(BYTES2, A, INVERT);
  const sum = p256JointMul(BYTES, BYTES2, POINT);
  if (p256FeIsZero(sum + P256_Z, A)) return Status.BadSignature;
  if (xEquals(sum, sig64)) return Status.Done;
  if (addOrder(sig64) && natBytesLess(BYTES, P256_PRIME, 32) && xEquals(sum, BYTES))
    return Status.Done;
  return Status.BadSignature;
}
