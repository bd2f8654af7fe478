// SPDX-License-Identifier: BSD-3-Clause
// Fingerprints of public keys (AT-AUTH-1, section 2).
import { createHash } from "node:crypto";
import { checkedDigits, groupedDigits } from "./checkedDigits.ts";

function part(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/**
 * "5m63-60tn-mf51-ccq0-rv4g": the first 90 bits of SHA-256 over the scheme's name, the atSign ("@alice") and its public key, base64
 * of an RSA SubjectPublicKeyInfo.
 */
export function fingerprintOf(atSign: string, publicKey: string): string {
  const parts = [
    Buffer.from("AT-AUTH-1 fingerprint"),
    Buffer.from(atSign),
    Buffer.from(publicKey, "base64"),
  ];
  const hash = createHash("sha256")
    .update(Buffer.concat(parts.map(part)))
    .digest();
  return groupedDigits(checkedDigits(BigInt(`0x${hash.toString("hex", 0, 12)}`) >> 6n));
}
