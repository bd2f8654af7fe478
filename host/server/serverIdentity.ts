// SPDX-License-Identifier: BSD-3-Clause
// What the server shows of itself in TLS.
import { X509Certificate } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import type { Logger } from "pino";
import type { TlsIdentity } from "./config.ts";

const DAY_MILLIS = 86_400_000;
/** A certificate that is valid for less should have been renewed. */
const RENEWAL_MILLIS = 14 * DAY_MILLIS;

export function secureContext(identity: TlsIdentity): SecureContextOptions {
  const { certificate, privateKey, authority } = identity;
  return {
    cert: certificate,
    key: privateKey,
    ...(authority !== undefined && { ca: authority }),
    minVersion: "TLSv1.2",
  };
}

/** Says until when the certificate is valid: a warning when that is soon or past. */
export function logValidity(
  { log, now }: { readonly log: Logger; now(): number },
  certificate: string,
): void {
  const { validTo } = new X509Certificate(certificate);
  const left = Date.parse(validTo) - now();
  const level = left < RENEWAL_MILLIS ? "warn" : "info";
  log[level]({ validTo, daysLeft: Math.floor(left / DAY_MILLIS) }, "certificate in use");
}
