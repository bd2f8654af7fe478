// SPDX-License-Identifier: BSD-3-Clause
import { checkServerIdentity, type PeerCertificate } from "node:tls";

/** Whether a certificate was issued for a host, by its subject alternative names (RFC 9525, RFC 6125). */
export function certificateNames(certificate: PeerCertificate, host: string): boolean {
  return checkServerIdentity(host, certificate) === undefined;
}

/**
 * Whether a certificate has expired by now (ms since the epoch). TLS looks at the clock in a full handshake only, neither
 * when a session is resumed nor while a connection lives.
 */
export function isExpired(certificate: PeerCertificate, now: number): boolean {
  return !(Date.parse(certificate.valid_to) >= now);
}
