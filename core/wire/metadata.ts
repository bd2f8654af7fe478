// SPDX-License-Identifier: BSD-3-Clause
// The metadata of a record or notification: read from the JSON of a reply, and written as the
// fragment of update and notify. atProtocol: metadata fragment, metadata JSON, algorithm names.
import { Status } from "../status";
import { emitBase64, emitBytes, emitDecimal, emitWord } from "./emit";
import { memberFind, memberIsString, memberLen, memberPtr } from "./member";
import { startsWith, wordIs } from "./response";
import {
  AES_CTR,
  BASE64,
  DATA_SIGNATURE,
  ENCODING_BASE64,
  FALSE,
  IS_ENCRYPTED,
  IV_NONCE,
  NAME_DATA,
  NAME_ENC_ALGO,
  NAME_ENC_KEY_NAME,
  NAME_ENCODING,
  NAME_HASH,
  NAME_IS_BINARY,
  NAME_IS_ENCRYPTED,
  NAME_IV_NONCE,
  NAME_META,
  NAME_PUB_KEY_CS,
  NAME_PUB_KEY_HASH,
  NAME_SHARED_KEY_ENC,
  NAME_SKE_ENC_ALGO,
  NAME_SKE_ENC_KEY_NAME,
  PUB_KEY_CS,
  PUBLICKEY,
  RSA_WRAP,
  SHARED_KEY,
  SHARED_KEY_ENC,
  TRUE,
} from "./words";

/** What `isEncrypted` said. */
export const enum Encrypted {
  Unsaid = 0,
  No = 1,
  Yes = 2,
}

let encrypted: Encrypted = Encrypted.Unsaid;
let base64: bool = false;
let binary: bool = false;
let failure: i32 = 0;
let iv: usize = 0;
let ivLength: u32 = 0;
let sharedKey: usize = 0;
let sharedKeyLength: u32 = 0;
let checksum: usize = 0;
let checksumLength: u32 = 0;
let hash: usize = 0;
let hashLength: u32 = 0;

/**
 * Reads the metadata object; len 0: there is none. 0, or UnknownAlgorithm when it names an
 * encryption or encoding this core does not have. isEncrypted is a boolean or its text; pubKeyHash
 * an object, its JSON text, or (older writers) `hash`.
 */
export function metadataParse(x: usize, len: u32): i32 {
  encrypted = metadataEncrypted(x, len);
  iv = memberFind(x, len, NAME_IV_NONCE) ? memberPtr() : 0;
  ivLength = iv ? memberLen() : 0;
  sharedKey = memberFind(x, len, NAME_SHARED_KEY_ENC) ? memberPtr() : 0;
  sharedKeyLength = sharedKey ? memberLen() : 0;
  checksum = memberFind(x, len, NAME_PUB_KEY_CS) ? memberPtr() : 0;
  checksumLength = checksum ? memberLen() : 0;
  parseHash(x, len);
  binary = memberFind(x, len, NAME_IS_BINARY) && saysTrue();
  base64 = false;
  if (memberFind(x, len, NAME_ENCODING) && memberLen() > 0) {
    base64 = wordIs(BASE64, memberPtr(), memberLen());
    if (!base64) return Status.UnknownAlgorithm;
  }
  if (
    !known(x, len, NAME_ENC_ALGO, AES_CTR) ||
    !known(x, len, NAME_ENC_KEY_NAME, SHARED_KEY) ||
    !known(x, len, NAME_SKE_ENC_ALGO, RSA_WRAP) ||
    !known(x, len, NAME_SKE_ENC_KEY_NAME, PUBLICKEY)
  ) {
    return Status.UnknownAlgorithm;
  }
  return 0;
}

/** Reads the metadata of a record as `all:` gives it, and finds its value. False: there is none. */
export function metadataRecord(x: usize, len: u32): bool {
  const hasMeta = memberFind(x, len, NAME_META);
  failure = metadataParse(hasMeta ? memberPtr() : 0, hasMeta ? memberLen() : 0);
  return memberFind(x, len, NAME_DATA);
}

/** What reading that metadata came to. */
export function metadataStatus(): i32 {
  return failure;
}

/** The `isEncrypted` member of this object: notifications carry it outside their metadata. */
export function metadataEncrypted(x: usize, len: u32): Encrypted {
  if (!memberFind(x, len, NAME_IS_ENCRYPTED)) return Encrypted.Unsaid;
  return saysTrue() ? Encrypted.Yes : Encrypted.No;
}

export function metadataIsEncrypted(): Encrypted {
  return encrypted;
}

/** Whether the value is base64 of the real one. */
export function metadataIsBase64(): bool {
  return base64;
}

/** What an authentic value says of its form: bit 0 isBinary, bit 1 an encoding. */
export function metadataFlags(): u32 {
  return (binary ? 1 : 0) | (base64 ? 2 : 0);
}

/** ivNonce, base64; 0: the IV is zero. */
export function metadataIv(): usize {
  return iv;
}

export function metadataIvLen(): u32 {
  return ivLength;
}

/** sharedKeyEnc, base64 of the RSA-wrapped key; 0: none. */
export function metadataSharedKey(): usize {
  return sharedKey;
}

export function metadataSharedKeyLen(): u32 {
  return sharedKeyLength;
}

/** pubKeyCS, hexadecimal MD5 of the public key's text; 0: none. */
export function metadataChecksum(): usize {
  return checksum;
}

export function metadataChecksumLen(): u32 {
  return checksumLength;
}

/** pubKeyHash, hexadecimal SHA-512 of the same text; 0: none. */
export function metadataHash(): usize {
  return hash;
}

export function metadataHashLen(): u32 {
  return hashLength;
}

/**
 * Appends the fragment, parts in the order of the reference grammar. signature, wrapped: 256 bytes;
 * checksum: 32 hexadecimal digits; iv: 16 bytes; each 0 to leave it out, as a ttl (milliseconds) of
 * 0.
 */
export function metadataEmit(
  signature: usize,
  isEncrypted: bool,
  wrapped: usize,
  checksum: usize,
  isBase64: bool,
  iv: usize,
): void {
  emitPart(DATA_SIGNATURE, signature, 256);
  emitWord(IS_ENCRYPTED);
  emitWord(isEncrypted ? TRUE : FALSE);
  emitPart(SHARED_KEY_ENC, wrapped, 256);
  if (checksum) {
    emitWord(PUB_KEY_CS);
    emitBytes(checksum, 32);
  }
  if (isBase64) emitWord(ENCODING_BASE64);
  emitPart(IV_NONCE, iv, 16);
}

/** Appends `:name:milliseconds`, nothing for 0. */
export function metadataEmitTime(name: usize, milliseconds: i64): void {
  if (milliseconds <= 0) return;
  emitWord(name);
  emitDecimal(milliseconds as u64);
}

function emitPart(name: usize, x: usize, len: u32): void {
  if (!x) return;
  emitWord(name);
  emitBase64(x, len);
}

// Writers differ in the letter case of the text, and it begins differently anyway.
function saysTrue(): bool {
  return (load<u8>(memberPtr()) | 32) === load<u8>(TRUE + 1);
}

function known(x: usize, len: u32, name: usize, prefix: usize): bool {
  return !memberFind(x, len, name) || startsWith(memberPtr(), memberLen(), prefix);
}

// Three spellings: {"hash":…} as an object or as text with escaped quotes, or the bare digits.
function parseHash(x: usize, len: u32): void {
  hash = hashLength = 0;
  if (!memberFind(x, len, NAME_PUB_KEY_HASH)) {
    if (memberFind(x, len, NAME_HASH)) {
      hash = memberPtr();
      hashLength = memberLen();
    }
    return;
  }
  hash = memberPtr();
  hashLength = memberLen();
  if (!memberIsString()) {
    const found = memberFind(hash, hashLength, NAME_HASH);
    hash = found ? memberPtr() : 0;
    hashLength = found ? memberLen() : 0;
    return;
  }
  digitsOnly();
}

// Narrows a text to its run of 128 hexadecimal digits (SHA-512).
function digitsOnly(): void {
  let run: u32 = 0;
  for (let i: u32 = 0; i < hashLength; i++) {
    const c = load<u8>(hash + i);
    run = (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x66) ? run + 1 : 0;
    if (run === 128) {
      hash += i - 127;
      hashLength = 128;
      return;
    }
  }
}
