// SPDX-License-Identifier: BSD-3-Clause
import { createPrivateKey, X509Certificate } from "node:crypto";

/**
 * Throws when a private key is not that of the first certificate of a chain, both PEM, or when one of them can't be read. TLS
 * itself says nothing of a pair of different kinds, an RSA certificate with a P-256 key, and then serves nobody.
 */
export function requireKeyOf(certificate: string, privateKey: string): void {
  if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))) return;
  throw new Error("the private key is not the certificate's (key values mismatch)");
}
