// SPDX-License-Identifier: BSD-3-Clause
import { checkServerIdentity, type PeerCertificate } from "node:tls";

/** Whether a certificate was issued for a host, by its subject alternative names (RFC 9525, RFC 6125). */
export function certificateNames(certificate: PeerCertificate, host: string): boolean {
  return checkServerIdentity(host, certificate) === undefined;
}
