// SPDX-License-Identifier: BSD-3-Clause
// Fingerprints of public encryption keys, by which people tell devices and programs whose key is the right one
// (core/AUTHENTICITY.md, pins and fingerprints).
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { AtError } from "../wire/errors.ts";

const LABEL = "AT-AUTH-1 fingerprint";
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const BITS = 90n;
const MODULUS = 1021n;
const HASH_BITS = 256n;
/** SubjectPublicKeyInfo of RSA: rsaEncryption with NULL, a modulus of 2048 bits, the exponent 65537 (RFC 3279, 2.3.1). */
const SPKI_BYTES = 294;
const SPKI_START = Buffer.from(
  "30820122300d06092a864886f70d01010105000382010f003082010a0282010100",
  "hex",
);
const SPKI_END = Buffer.from("0203010001", "hex");

/** A text or bytes behind their length, 16 bits, big-endian. */
function lengthPrefixed(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string, "utf8");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function isUsual(spki: Buffer): boolean {
  const start = spki.subarray(0, SPKI_START.length);
  const end = spki.subarray(-SPKI_END.length);
  return spki.length === SPKI_BYTES && start.equals(SPKI_START) && end.equals(SPKI_END);
}

/**
 * The pin of an atSign's public key, 32 bytes: SHA-256 over a label, the atSign and the key. `publicKey`: base64 of its DER.
 * Throws AT0022 for a key of another form than RSA-2048 with the exponent 65537.
 */
export function pinOf(atSign: string, publicKey: string): Buffer {
  const spki = Buffer.from(publicKey, "base64");
  if (!isUsual(spki)) {
    throw new AtError(
      "AT0022",
      `the public key of ${atSign} isn't RSA-2048 as the platform makes it`,
    );
  }
  const parts = [LABEL, atSign, spki].map(lengthPrefixed);
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

/** The last digits of a number in base 32, so many, most significant first. */
function digitsOf(value: bigint, count: number): string {
  return Array.from({ length: count }, (_, i) => {
    const shift = 5n * BigInt(count - 1 - i);
    return DIGITS[Number((value >> shift) & 31n)];
  }).join("");
}

/**
 * A pin as people write and compare it: 18 digits of its first 90 bits and two that find a wrong one, in groups of four,
 * `5m63-60tn-mf51-ccq0-rv4g`.
 */
export function fingerprintText(pin: Uint8Array): string {
  const value = BigInt(`0x${Buffer.from(pin).toString("hex")}`) >> (HASH_BITS - BITS);
  const digits = digitsOf(value, 18) + digitsOf(value % MODULUS, 2);
  return digits.replace(/.{4}(?=.)/g, "$&-");
}
