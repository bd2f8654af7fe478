// SPDX-License-Identifier: BSD-3-Clause
// RSA-2048 keys as SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), PKCS#8 (RFC 5208) and PKCS#1 (RFC 8017 appendix A.1).
// Readers fill the fields of crypto/rsaKey.ts and on failure leave them zero: BadDer for bytes that are not such a key,
// BadRsaKey for one that is not RSA-2048 with two primes and an odd exponent below 2^32. Writers give the length or NoRoom.
import { bytesWipe } from "../bytes";
import {
  RSA_D,
  RSA_DP,
  RSA_DQ,
  RSA_E,
  RSA_HALF,
  RSA_LEN,
  RSA_N,
  RSA_P,
  RSA_PRIVATE,
  RSA_PUBLIC,
  RSA_Q,
  RSA_QINV,
} from "../crypto/rsa/rsaKey";
import { Status } from "../status";
import {
  DER_BIT_STRING,
  DER_INTEGER,
  DER_OCTET_STRING,
  DER_SEQUENCE,
  derClose,
  derEnter,
  derExpect,
  derFail,
  derHeader,
  derInteger,
  derIntegerLength,
  derNextIs,
  derOpen,
  derPutHeader,
  derPutInteger,
  derSize,
} from "./der";

// AlgorithmIdentifier rsaEncryption (1.2.840.113549.1.1.1) with parameters NULL.
const RSA_ENCRYPTION: usize = memory.data<u8>([
  0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
]);
const RSA_ENCRYPTION_LEN: u32 = 15;
// INTEGER 0: the version of PKCS#8 and of a PKCS#1 key with two primes.
const VERSION_0: usize = memory.data<u8>([0x02, 0x01, 0x00]);
const VERSION_LEN: u32 = 3;
const ZERO: usize = memory.data<u8>([0]);
// Field and size of the private key's integers after the version, in the order of PKCS#1.
const FIELDS: usize = memory.data<u32>([
  RSA_N,
  RSA_LEN,
  RSA_E,
  4,
  RSA_D,
  RSA_LEN,
  RSA_P,
  RSA_HALF,
  RSA_Q,
  RSA_HALF,
  RSA_DP,
  RSA_HALF,
  RSA_DQ,
  RSA_HALF,
  RSA_QINV,
  RSA_HALF,
]);
const FIELDS_LEN: usize = 64;

/** Reads n and e, and holds them to RSA-2048. */
function publicIntegers(pub: usize): void {
  derInteger(pub + RSA_N, RSA_LEN);
  derInteger(pub + RSA_E, 4);
  checkPublic(pub);
}

function checkPublic(pub: usize): void {
  const e = bswap(load<u32>(pub + RSA_E));
  const full = load<u8>(pub + RSA_N) >>> 7;
  const odd = load<u8>(pub + RSA_N + RSA_LEN - 1) & 1;
  if (!full || !odd || e < 3 || !(e & 1)) derFail(Status.BadRsaKey);
}

function closePublic(pub: usize): i32 {
  const status = derClose();
  if (status !== Status.Done) bytesWipe(pub, RSA_PUBLIC);
  return status;
}

function closePrivate(priv: usize): i32 {
  const status = derClose();
  if (status !== Status.Done) bytesWipe(priv, RSA_PRIVATE);
  return status;
}

/** Reads a SubjectPublicKeyInfo into RSA_PUBLIC bytes. */
export function derReadSpki(pub: usize, der: usize, derLen: u32): i32 {
  bytesWipe(pub, RSA_PUBLIC);
  derOpen(der, derLen);
  derEnter(DER_SEQUENCE);
  derExpect(RSA_ENCRYPTION, RSA_ENCRYPTION_LEN);
  derEnter(DER_BIT_STRING);
  derExpect(ZERO, 1);
  derEnter(DER_SEQUENCE);
  publicIntegers(pub);
  return closePublic(pub);
}

/** Reads a PKCS#1 RSAPublicKey into RSA_PUBLIC bytes. */
export function derReadPkcs1Public(pub: usize, der: usize, derLen: u32): i32 {
  bytesWipe(pub, RSA_PUBLIC);
  derOpen(der, derLen);
  derEnter(DER_SEQUENCE);
  publicIntegers(pub);
  return closePublic(pub);
}

/** Reads a public key in either form, as the Dart SDK does. */
export function derReadRsaPublic(pub: usize, der: usize, derLen: u32): i32 {
  derOpen(der, derLen);
  derHeader(DER_SEQUENCE);
  return derNextIs(DER_INTEGER)
    ? derReadPkcs1Public(pub, der, derLen)
    : derReadSpki(pub, der, derLen);
}

/** Reads the content of RSAPrivateKey; the CRT parts have to be there and no further primes. */
function privateIntegers(priv: usize): void {
  derEnter(DER_SEQUENCE);
  derExpect(VERSION_0, VERSION_LEN);
  for (let i: usize = 0; i < FIELDS_LEN; i += 8) {
    derInteger(priv + load<u32>(FIELDS + i), load<u32>(FIELDS + i, 4));
  }
  checkPublic(priv);
  const p = load<u8>(priv + RSA_P + RSA_HALF - 1);
  const q = load<u8>(priv + RSA_Q + RSA_HALF - 1);
  if (!(p & q & 1)) derFail(Status.BadRsaKey);
}

/** Reads a PKCS#8 PrivateKeyInfo (secret, without attributes) into RSA_PRIVATE bytes. */
export function derReadPkcs8(priv: usize, der: usize, derLen: u32): i32 {
  bytesWipe(priv, RSA_PRIVATE);
  derOpen(der, derLen);
  derEnter(DER_SEQUENCE);
  derExpect(VERSION_0, VERSION_LEN);
  derExpect(RSA_ENCRYPTION, RSA_ENCRYPTION_LEN);
  derEnter(DER_OCTET_STRING);
  privateIntegers(priv);
  return closePrivate(priv);
}

/** Reads a PKCS#1 RSAPrivateKey (secret) into RSA_PRIVATE bytes. */
export function derReadPkcs1Private(priv: usize, der: usize, derLen: u32): i32 {
  bytesWipe(priv, RSA_PRIVATE);
  derOpen(der, derLen);
  privateIntegers(priv);
  return closePrivate(priv);
}

/** Content length of the first `count` integers of FIELDS. */
function integersLength(key: usize, count: usize): u32 {
  let sum: u32 = 0;
  for (let i: usize = 0; i < count << 3; i += 8) {
    sum += derSize(derIntegerLength(key + load<u32>(FIELDS + i), load<u32>(FIELDS + i, 4)));
  }
  return sum;
}

function putIntegers(out: usize, key: usize, count: usize): void {
  for (let i: usize = 0; i < count << 3; i += 8) {
    out = derPutInteger(out, key + load<u32>(FIELDS + i), load<u32>(FIELDS + i, 4));
  }
}

function put(out: usize, x: usize, len: u32): usize {
  memory.copy(out, x, len);
  return out + len;
}

/** Writes a PKCS#1 RSAPublicKey (270 bytes for e = 65537). */
export function derWritePkcs1Public(out: usize, outCap: u32, pub: usize): i32 {
  const inner = integersLength(pub, 2);
  const length = derSize(inner);
  if (length > outCap) return Status.NoRoom;
  putIntegers(derPutHeader(out, DER_SEQUENCE, inner), pub, 2);
  return length as i32;
}

/** Writes a SubjectPublicKeyInfo (294 bytes for e = 65537). */
export function derWriteSpki(out: usize, outCap: u32, pub: usize): i32 {
  const bits = 1 + derSize(integersLength(pub, 2));
  const inner = RSA_ENCRYPTION_LEN + derSize(bits);
  const length = derSize(inner);
  if (length > outCap) return Status.NoRoom;
  out = put(derPutHeader(out, DER_SEQUENCE, inner), RSA_ENCRYPTION, RSA_ENCRYPTION_LEN);
  out = put(derPutHeader(out, DER_BIT_STRING, bits), ZERO, 1);
  derWritePkcs1Public(out, bits - 1, pub);
  return length as i32;
}

/** Writes a PKCS#1 RSAPrivateKey (at most 1193 bytes for e = 65537). */
export function derWritePkcs1Private(out: usize, outCap: u32, priv: usize): i32 {
  const inner = VERSION_LEN + integersLength(priv, 8);
  const length = derSize(inner);
  if (length > outCap) return Status.NoRoom;
  putIntegers(put(derPutHeader(out, DER_SEQUENCE, inner), VERSION_0, VERSION_LEN), priv, 8);
  return length as i32;
}

/** Writes a PKCS#8 PrivateKeyInfo (at most 1219 bytes for e = 65537). */
export function derWritePkcs8(out: usize, outCap: u32, priv: usize): i32 {
  const octets = derSize(VERSION_LEN + integersLength(priv, 8));
  const inner = VERSION_LEN + RSA_ENCRYPTION_LEN + derSize(octets);
  const length = derSize(inner);
  if (length > outCap) return Status.NoRoom;
  out = put(derPutHeader(out, DER_SEQUENCE, inner), VERSION_0, VERSION_LEN);
  out = put(out, RSA_ENCRYPTION, RSA_ENCRYPTION_LEN);
  derWritePkcs1Private(derPutHeader(out, DER_OCTET_STRING, octets), octets, priv);
  return length as i32;
}
