// SPDX-License-Identifier: BSD-3-Clause
// What authentic values are made of: HMAC-SHA-256 over parts that carry their length. One message at a time, in SCRATCH.
// core/AUTHENTICITY.md, sections 1, 2 and 3.
import { bytesWipe } from "../bytes";
import { HMAC_CTX, hmacFinal, hmacInit } from "../crypto/hmac";
import { sha256Final, sha256Init, sha256Update } from "../crypto/sha256";
import { SCRATCH } from "../memory";
import { AUTH_LABEL } from "../wire/words";

const CTX: usize = SCRATCH;
const PRK: usize = SCRATCH + HMAC_CTX;
/** Where a derived key and then a tag of 32 bytes come to lie. */
export const SEAL_OUT: usize = PRK + 32;
const NUMBER: usize = SEAL_OUT + 32;
/** Bytes of SCRATCH that are in use until sealWipe(). */
const USED: u32 = HMAC_CTX + 72;
/** `AT-AUTH-1`, the beginning of its word. */
const LABEL_LEN: u32 = 9;

/** prk32 = HMAC(`AT-AUTH-1`, secret). */
export function sealExtract(prk32: usize, secret: usize, len: u32): void {
  hmacInit(CTX, AUTH_LABEL + 1, LABEL_LEN);
  sealBytes(secret, len);
  hmacFinal(prk32, CTX);
}

/** Begins a message under a key of 32 bytes. */
export function sealBegin(key32: usize): void {
  hmacInit(CTX, key32, 32);
}

/** Begins a derivation from a secret: parts follow, and sealExpand(). */
export function sealFrom(secret: usize, len: u32): void {
  sealExtract(PRK, secret, len);
  sealBegin(PRK);
}

/** Adds bytes as they are. */
export function sealBytes(x: usize, len: u32): void {
  sha256Update(CTX, x, len);
}

/** Adds a number of 1, 2 or 4 bytes, the highest first. */
export function sealNumber(value: u32, len: u32): void {
  store<u32>(NUMBER, bswap<u32>(value));
  sealBytes(NUMBER + 4 - len, len);
}

/** Adds bytes after their length in two bytes. */
export function sealPart(x: usize, len: u32): void {
  sealNumber(len, 2);
  sealBytes(x, len);
}

/** Adds one of words.ts as a part. */
export function sealWord(word: usize): void {
  sealPart(word + 1, load<u8>(word));
}

/** Ends a derivation: 32 bytes at SEAL_OUT. */
export function sealExpand(): void {
  sealNumber(1, 1);
  sealEnd();
}

/** Ends a message: its tag of 32 bytes at SEAL_OUT. */
export function sealEnd(): void {
  hmacFinal(SEAL_OUT, CTX);
}

/** Wipes what messages and keys left. */
export function sealWipe(): void {
  bytesWipe(CTX, USED);
}

/** The pin of an atSign's public key, 32 bytes. */
export function sealPin(
  out32: usize,
  atsign: usize,
  atsignLen: u32,
  der: usize,
  derLen: u32,
): void {
  sha256Init(CTX);
  sealWord(AUTH_LABEL);
  sealPart(atsign, atsignLen);
  sealPart(der, derLen);
  sha256Final(out32, CTX);
}
