// SPDX-License-Identifier: BSD-3-Clause
// What the server shows of itself in TLS.
import { createHash, X509Certificate } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import type { Logger } from "pino";
import { requireKeyOf } from "../../crypto/certificateKey.ts";
import type { TlsIdentity } from "../config/config.ts";

export const DAY_MILLIS = 86_400_000;
/** A certificate that is valid for less should have been renewed. */
const RENEWAL_DAYS = 14;
/** How long a TLS session may be resumed, s: a device that sleeps for hours is spared the full handshake. */
const SESSION_SECONDS = 86_400;
/** Most characters of a session id context (RFC 5077 leaves it to the server; OpenSSL's limit). */
const CONTEXT_LENGTH = 32;

/**
 * A resumed session brings the verdict on the client's certificate along. Sessions are resumed under the authority only
 * that gave the verdict; Node's own context is the command line, which may change between two starts.
 */
function sessionContext(authority: string | undefined): string {
  const hash = createHash("sha256").update(authority ?? "the system's roots");
  return hash.digest("hex").slice(0, CONTEXT_LENGTH);
}

/** What node:tls serves with, but for the keys of session tickets. Throws for a pair that can't be used. */
export function secureContext(identity: TlsIdentity): SecureContextOptions {
  const { certificate, privateKey, authority } = identity;
  requireKeyOf(certificate, privateKey);
  return {
    cert: certificate,
    key: privateKey,
    ...(authority !== undefined && { ca: authority }),
    minVersion: "TLSv1.2",
    sessionIdContext: sessionContext(authority),
    sessionTimeout: SESSION_SECONDS,
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
