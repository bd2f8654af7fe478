// SPDX-License-Identifier: BSD-3-Clause
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { alpha, encryptValue } from "./world.ts";

/** RSA-encrypts a block of 256 bytes for @alpha as it is, the same each time; the first byte has to be below 0x80. */
export function encryptBlock(block: Uint8Array): string {
  const der = Buffer.from(alpha.encryption.publicKeySpkiBase64, "base64");
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  return publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, block).toString("base64");
}

/** 00 02 PS 00 text: what wraps a key, with a padding of one's own choice. */
export function paddedBlock(text: string, filling = 0x33): Buffer {
  const message = Buffer.from(text);
  const head = Buffer.alloc(256 - message.length, filling);
  head.set([0, 2]);
  head[head.length - 1] = 0;
  return Buffer.concat([head, message]);
}

/** A key wrapped for @alpha, the same each time. */
export const wrapAs = (text: string, filling?: number): string =>
  encryptBlock(paddedBlock(text, filling));

/** A text whose ciphertext under one key has no padding under another: the text, lengthened until that is so. */
export function unreadableUnder(other: string, key: string, text: string, iv: string): string {
  const last = (plain: string, k: string) =>
    Buffer.from(encryptValue(plain, k, iv), "base64").at(-1) ?? 0;
  for (let candidate = text; ; candidate += ".") {
    const filling = 16 - (Buffer.byteLength(candidate) % 16);
    if ((last(candidate, key) ^ last(candidate, other) ^ filling) > 16) return candidate;
  }
}
