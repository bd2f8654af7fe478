// SPDX-License-Identifier: BSD-3-Clause
// Whether a certificate for servers leads to a trusted authority (RFC 5280, 6), for where TLS doesn't say: what is wrong
// with a client's certificate besides its purpose, OpenSSL may leave unsaid.
import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { OID, X509Extensions } from "./x509Extensions.ts";

/** Authorities between a certificate and its trusted one. */
const MAX_INTERMEDIATES = 6;
/** Certificates looked at as possible issuers, whatever the other side sends. */
const MAX_CANDIDATES = 16;

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Critical extensions that are understood. Constraints of names and policies are left to OpenSSL: it looks at them after
 * the purpose, so that it reports them in the purpose's place.
 */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  OID.keyUsage,
  OID.subjectAltName,
  OID.basicConstraints,
  OID.nameConstraints,
  OID.certificatePolicies,
  OID.policyMappings,
  OID.policyConstraints,
  OID.extKeyUsage,
  OID.inhibitAnyPolicy,
]);

/** The certificates of a PEM text. Throws for one that can't be read. */
export function readCertificates(pem: string): X509Certificate[] {
  return (pem.match(BLOCK) ?? []).map((block) => new X509Certificate(block));
}

/** Whether an instant (ms since the epoch) is within a certificate's validity. */
function isValidAt(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

/** The extensions; undefined when they can't be read or one that has to be understood isn't. */
function understood(certificate: X509Certificate): X509Extensions | undefined {
  try {
    const extensions = new X509Extensions(certificate.raw);
    return extensions.onlyCritical(UNDERSTOOD) ? extensions : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Whether an authority may have issued a certificate with `below` other authorities under itself. */
function mayIssue(issuer: X509Certificate, below: number, now: number): boolean {
  const extensions = understood(issuer);
  if (extensions === undefined || !issuer.ca || !extensions.mayCertify()) return false;
  const longest = extensions.pathLength() ?? MAX_INTERMEDIATES;
  return below <= longest && isValidAt(issuer, now);
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The authorities that are trusted: those of a PEM text, or Node's own roots. */
export class TrustedAuthorities {
  private readonly bySubject = new Map<string, X509Certificate[]>();

  constructor(pem: string = rootCertificates.join("\n")) {
    for (const certificate of readCertificates(pem)) {
      const { subject } = certificate;
      this.bySubject.set(subject, [...(this.bySubject.get(subject) ?? []), certificate]);
    }
  }

  /**
   * The authorities between a server's certificate and a trusted one, from the certificate up; empty when a trusted one
   * issued it, undefined when there is no valid path. Looked at are signatures, validity at `now` (ms since the epoch),
   * use, length of the path and critical extensions, not names and revocation.
   */
  pathOf(
    leaf: X509Certificate,
    candidates: readonly X509Certificate[],
    now: number,
  ): readonly X509Certificate[] | undefined {
    const extensions = understood(leaf);
    if (extensions === undefined || !extensions.maySign() || !extensions.isForServers()) {
      return undefined;
    }
    if (!isValidAt(leaf, now)) return undefined;
    return this.climb(leaf, new Set(candidates.slice(0, MAX_CANDIDATES)), 0, now);
  }

  /** Every candidate is tried once, so that no chain costs more than its length. */
  private climb(
    certificate: X509Certificate,
    candidates: Set<X509Certificate>,
    below: number,
    now: number,
  ): X509Certificate[] | undefined {
    if (this.isTrusted(certificate, below, now)) return [];
    if (below >= MAX_INTERMEDIATES) return undefined;
    for (const issuer of candidates) {
      if (!this.isIntermediate(issuer, certificate, below, now)) continue;
      candidates.delete(issuer);
      const above = this.climb(issuer, candidates, below + 1, now);
      if (above !== undefined) return [issuer, ...above];
    }
    return undefined;
  }

  private isTrusted(certificate: X509Certificate, below: number, now: number): boolean {
    const issuers = this.bySubject.get(certificate.issuer) ?? [];
    return issuers.some(
      (issuer) => mayIssue(issuer, below, now) && isIssuedBy(certificate, issuer),
    );
  }

  private isIntermediate(
    issuer: X509Certificate,
    certificate: X509Certificate,
    below: number,
    now: number,
  ): boolean {
    if (issuer.subject !== certificate.issuer || !mayIssue(issuer, below, now)) return false;
    return understood(issuer)?.isForServers() === true && isIssuedBy(certificate, issuer);
  }
}
