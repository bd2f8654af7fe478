// SPDX-License-Identifier: BSD-3-Clause
// What the server shows of itself in TLS.
import { X509Certificate } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import type { Logger } from "pino";
import type { TlsIdentity } from "./config.ts";

export const DAY_MILLIS = 86_400_000;
/** A certificate that is valid for less should have been renewed. */
const RENEWAL_DAYS = 14;

export function secureContext(identity: TlsIdentity): SecureContextOptions {
  const { certificate, privateKey, authority } = identity;
  return {
    cert: certificate,
    key: privateKey,
    ...(authority !== undefined && { ca: authority }),
    minVersion: "TLSv1.2",
  };
}

/** Until when the first certificate of a chain (PEM) is valid, and the whole days that are left, negative when it is past. */
export function validity(
  certificate: string,
  now: number,
): { readonly validTo: Date; readonly daysLeft: number } {
  const validTo = new Date(new X509Certificate(certificate).validTo);
  return { validTo, daysLeft: Math.floor((validTo.getTime() - now) / DAY_MILLIS) };
}

/** Says until when the certificate is valid: a warning when that is soon or past. */
export function logValidity(
  { log, now }: { readonly log: Logger; now(): number },
  certificate: string,
): void {
  const { validTo, daysLeft } = validity(certificate, now());
  const level = daysLeft < RENEWAL_DAYS ? "warn" : "info";
  log[level]({ validTo, daysLeft }, "certificate in use");
}
