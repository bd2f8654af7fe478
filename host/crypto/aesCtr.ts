// SPDX-License-Identifier: BSD-3-Clause
// AES-256-CTR with a counter of 128 bits (SP 800-38A §6.5) over PKCS#7-padded text (RFC 5652 §6.3):
// CTR needs no padding, the atProtocol pads all the same.
import { createCipheriv, randomBytes } from "node:crypto";

const BLOCK = 16;
const KEY_BYTES = 32;

/** The IV of records without ivNonce metadata. */
export const ZERO_IV = Buffer.alloc(BLOCK).toString("base64");

/** A fresh AES-256 key, base64 (44 characters). */
export function generateAesKey(): string {
  return takeBase64(randomBytes(KEY_BYTES));
}

/** A fresh ivNonce, base64 of 16 bytes. */
export function generateIv(): string {
  return randomBytes(BLOCK).toString("base64");
}

/** CTR alone, its own inverse; key 32 bytes, iv 16 bytes. */
export function aesCtrCrypt(data: Uint8Array, key: Uint8Array, iv: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-ctr", key, iv);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

/** base64 of the ciphertext of a text; key and iv are base64. Throws RangeError for their lengths. */
export function aesEncryptText(text: string, key: string, iv: string): string {
  const plain = Buffer.from(text);
  const padded = Buffer.alloc(plain.length + BLOCK - (plain.length % BLOCK));
  padded.fill(padded.length - plain.length, plain.length);
  plain.copy(padded);
  const keyBytes = readKey(key);
  const cipher = aesCtrCrypt(padded, keyBytes, readIv(iv));
  for (const secret of [plain, padded, keyBytes]) secret.fill(0);
  return cipher.toString("base64");
}

/** The text of such a ciphertext. Throws Error when the padding or UTF-8 shows that the key is wrong. */
export function aesDecryptText(ciphertext: string, key: string, iv: string): string {
  const cipher = Buffer.from(ciphertext, "base64");
  if (cipher.length === 0 || cipher.length % BLOCK !== 0) throw decryptionError();
  const keyBytes = readKey(key);
  const padded = aesCtrCrypt(cipher, keyBytes, readIv(iv));
  keyBytes.fill(0);
  const count = padded[padded.length - 1] ?? 0;
  let difference = 0;
  for (const byte of padded.subarray(padded.length - Math.min(count, BLOCK))) {
    difference |= byte ^ count;
  }
  if (count === 0 || count > BLOCK || difference !== 0) throw decryptionError();
  const plain = padded.subarray(0, padded.length - count);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain);
  } catch (cause) {
    throw decryptionError(cause);
  } finally {
    padded.fill(0);
  }
}

function readKey(text: string): Buffer {
  const key = Buffer.from(text, "base64");
  if (key.length !== KEY_BYTES) throw new RangeError("an AES-256 key of 32 bytes is needed");
  return key;
}

function readIv(text: string): Buffer {
  const iv = Buffer.from(text, "base64");
  if (iv.length !== BLOCK) throw new RangeError("an IV of 16 bytes is needed");
  return iv;
}

function takeBase64(secret: Buffer): string {
  const text = secret.toString("base64");
  secret.fill(0);
  return text;
}

function decryptionError(cause?: unknown): Error {
  const message = "AES decryption failed: the key is not the one of this text";
  return cause === undefined ? new Error(message) : new Error(message, { cause });
}
