// SPDX-License-Identifier: BSD-3-Clause
import { createHash } from "node:crypto";

/** pubKeyCS: 32 hex digits of MD5 over a public key's base64 text (a check for change, not for trust). */
export function publicKeyChecksum(publicKey: string): string {
  return createHash("md5").update(publicKey).digest("hex");
}

/** pubKeyHash: 128 hex digits of SHA-512 over the same text. */
export function publicKeyHash(publicKey: string): string {
  return createHash("sha512").update(publicKey).digest("hex");
}
