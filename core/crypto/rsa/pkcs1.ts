// SPDX-License-Identifier: BSD-3-Clause
// PKCS#1 v1.5 over RSA-2048: signatures EM = 00 01 FF.. 00 DigestInfo hash, encryption EM = 00 02 PS 00 M with at least
// eight random non-zero bytes PS (RFC 8017 §7.2, §8.2, §9.2). Keys lie as in rsaKey.ts.
import { bytesEqual, bytesMaskLess, bytesMaskZero, bytesWipe } from "../../bytes";
import { PKCS1_BLOCK } from "../../memory";
import { Status } from "../../status";
import { drbgGenerate } from "../drbg";
import { rsaPrivate, rsaPublic } from "./rsa";
import { RSA_LEN } from "./rsaKey";

/** Longest message of an encrypted block. */
export const PKCS1_MESSAGE_MAX: u32 = 245;

const EM: usize = PKCS1_BLOCK;

/** DER of DigestInfo up to the hash; SHA-512 differs in the lengths and the last byte of the identifier. */
// biome-ignore format: one prefix
const DIGEST_INFO: usize = memory.data<u8>([
  0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20]);
const DIGEST_INFO_LEN: u32 = 19;

/** Writes the block to be signed; hashLen is 32 or 64. */
function signatureBlock(em: usize, hash: usize, hashLen: u32): void {
  const info = em + RSA_LEN - hashLen - DIGEST_INFO_LEN;
  memory.fill(em, 0xff, RSA_LEN);
  store<u16>(em, 0x0100);
  store<u8>(info - 1, 0);
  memory.copy(info, DIGEST_INFO, DIGEST_INFO_LEN);
  store<u8>(info + 1, hashLen + 17);
  store<u8>(info + 14, hashLen === 32 ? 1 : 3);
  store<u8>(info + 18, hashLen);
  memory.copy(info + DIGEST_INFO_LEN, hash, hashLen);
}

/** Signs a hash of 32 (SHA-256) or 64 bytes (SHA-512); sig256 may not overlap it. BadArgument, or as rsaPrivate. */
export function pkcs1Sign(sig256: usize, hash: usize, hashLen: u32, priv: usize): i32 {
  if (hashLen !== 32 && hashLen !== 64) return Status.BadArgument;
  signatureBlock(EM, hash, hashLen);
  const status = rsaPrivate(sig256, EM, priv);
  bytesWipe(EM, RSA_LEN);
  return status;
}

/** Done when the signature is that of the hash; the whole block is compared. BadSignature, BadArgument, BadRsaKey. */
export function pkcs1Verify(hash: usize, hashLen: u32, sig256: usize, pub: usize): i32 {
  if (hashLen !== 32 && hashLen !== 64) return Status.BadArgument;
  const expected = EM - RSA_LEN;
  const status = rsaPublic(EM, sig256, pub);
  signatureBlock(expected, hash, hashLen);
  const right = bytesEqual(expected, EM, RSA_LEN);
  bytesWipe(expected, 2 * RSA_LEN);
  if (status === Status.BadArgument) return Status.BadSignature; // the number is not below n
  if (status < 0) return status;
  return right ? Status.Done : Status.BadSignature;
}

/** Encrypts `mLen` secret bytes with the padding already at EM + 2. */
function encryptBlock(out256: usize, m: usize, mLen: u32, pub: usize): i32 {
  store<u16>(EM, 0x0200);
  store<u8>(EM + RSA_LEN - mLen - 1, 0);
  memory.copy(EM + RSA_LEN - mLen, m, mLen);
  const status = rsaPublic(out256, EM, pub);
  bytesWipe(EM, RSA_LEN);
  return status;
}

/** Fills EM + 2 with `len` non-zero random bytes: zeros are drawn again, so every value from 1 to 255 is equally likely. */
function randomPadding(len: u32): i32 {
  const pool = EM - RSA_LEN;
  let status = drbgGenerate(EM + 2, len);
  let used: u32 = RSA_LEN;
  for (let i: u32 = 0; i < len && status >= 0; ) {
    if (load<u8>(EM + 2 + i)) {
      i++;
      continue;
    }
    if (used === RSA_LEN) {
      status = drbgGenerate(pool, RSA_LEN);
      used = 0;
    }
    store<u8>(EM + 2 + i, load<u8>(pool + used));
    used++;
  }
  bytesWipe(pool, RSA_LEN);
  return status;
}

/** Encrypts 0..245 secret bytes; out256 may be m. BadArgument, NoEntropy, BadRsaKey. RFC 8017 §7.2.1. */
export function pkcs1Encrypt(out256: usize, m: usize, mLen: u32, pub: usize): i32 {
  if (mLen > PKCS1_MESSAGE_MAX) return Status.BadArgument;
  const status = randomPadding(RSA_LEN - 3 - mLen);
  if (status >= 0) return encryptBlock(out256, m, mLen, pub);
  bytesWipe(EM, RSA_LEN);
  return status;
}

/** pkcs1Encrypt with the padding given: 253 - mLen bytes, BadArgument when one is zero. For vectors. */
export function pkcs1EncryptWith(out256: usize, m: usize, mLen: u32, ps: usize, pub: usize): i32 {
  if (mLen > PKCS1_MESSAGE_MAX) return Status.BadArgument;
  const psLen = RSA_LEN - 3 - mLen;
  for (let i: u32 = 0; i < psLen; i++) if (load<u8>(ps + i) === 0) return Status.BadArgument;
  memory.copy(EM + 2, ps, psLen);
  return encryptBlock(out256, m, mLen, pub);
}

/** Where the zero after PS is (2..255), 0 when the block is not 00 02, eight bytes or more, 00. All of it is read. */
function findMessage(em: usize): u32 {
  let zero: u32 = 0;
  for (let i: u32 = RSA_LEN - 1; i >= 2; i--) {
    const mask = bytesMaskZero(load<u8>(em + i));
    zero ^= (zero ^ i) & mask;
  }
  const wrong = load<u8>(em) | (load<u8>(em + 1) ^ 2);
  return zero & bytesMaskZero(wrong) & ~bytesMaskLess(zero, 10);
}

/** Moves the block down by `shift` (0..255) secret bytes: eight passes over all of it, each moving or not by a mask. */
function shiftDown(em: usize, shift: u32): void {
  for (let step: u32 = 1; step < RSA_LEN; step <<= 1) {
    const mask = 0 - (((shift & step) !== 0) as u32);
    for (let i: u32 = 0; i < RSA_LEN; i++) {
      const kept: u32 = load<u8>(em + i);
      const moved: u32 = i + step < RSA_LEN ? load<u8>(em + i + step) : 0;
      store<u8>(em + i, kept ^ ((kept ^ moved) & mask));
    }
  }
}

/** Decrypts c256 for pkcs1Message(). 0 or as rsaPrivate: neither says anything of what was encrypted. */
export function pkcs1Open(c256: usize, priv: usize): i32 {
  return rsaPrivate(EM, c256, priv);
}

/**
 * Takes the message pkcs1Open() left, 0..245 bytes; gives its length. BadPadding for any damage and for a message above
 * outCap, in the same time and after the same accesses; min(outCap, 245) bytes of out are written then as well, all zero.
 */
export function pkcs1Message(out: usize, outCap: u32): i32 {
  const cap = min<u32>(outCap, PKCS1_MESSAGE_MAX);
  const zero = findMessage(EM);
  const length = RSA_LEN - 1 - zero;
  const valid = ~bytesMaskZero(zero) & ~bytesMaskLess(cap, length);
  shiftDown(EM, (zero + 1) & 255);
  for (let i: u32 = 0; i < cap; i++) {
    store<u8>(out + i, load<u8>(EM + i) & valid & bytesMaskLess(i, length));
  }
  bytesWipe(EM, RSA_LEN);
  return (length & valid) | (Status.BadPadding & ~valid);
}

/** Both in one. out may be c256. RFC 8017 §7.2.2. */
export function pkcs1Decrypt(out: usize, outCap: u32, c256: usize, priv: usize): i32 {
  const status = pkcs1Open(c256, priv);
  return status < 0 ? status : pkcs1Message(out, outCap);
}
