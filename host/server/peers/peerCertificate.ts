// SPDX-License-Identifier: BSD-3-Clause
import type { X509Certificate } from "node:crypto";
import { checkServerIdentity, type PeerCertificate, type TLSSocket } from "node:tls";
import { readCertificates, TrustedAuthorities } from "../../crypto/certificateChain.ts";
import type { TlsIdentity } from "../config/config.ts";

/** Certificates a client may send that are looked at. */
const MAX_SENT = 8;
/** Authorities of others that are remembered for sessions that are resumed. */
const MAX_KNOWN = 8;
/** What node:tls says of a certificate that is good but for its purpose, and possibly for what was found before. */
const PURPOSE = ["INVALID_PURPOSE", "UNSUPPORTED_CERTIFICATE_PURPOSE"];

/** Whether a certificate was issued for a host, by its subject alternative names (RFC 9525, RFC 6125). */
export function certificateNames(certificate: PeerCertificate, host: string): boolean {
  return checkServerIdentity(host, certificate) === undefined;
}

/** The certificate another atServer shows as a client, or why it doesn't count. */
export type Judgement = { readonly certificate: PeerCertificate } | { readonly reason: string };

/** Trust that was computed once, and what it was computed from. */
interface Trust {
  readonly authority: string | undefined;
  readonly certificate: string;
  readonly authorities: TrustedAuthorities;
  readonly own: readonly X509Certificate[];
}

/**
 * Judges the certificates of peers that connect. Public authorities issue certificates for servers alone, and OpenSSL finds
 * them unfit for a client; so here "for servers" suffices, and everything else is looked at again: OpenSSL keeps the last of
 * its findings, behind which an unknown authority may be hidden.
 */
export class PeerCertificates {
  private readonly tls: TlsIdentity;
  private readonly now: () => number;
  private trust: Trust | undefined;
  /** Authorities between a peer and a trusted one, the latest last: a resumed session brings the peer's certificate alone. */
  private readonly known = new Map<string, X509Certificate>();
  /** The valid path of a connection's certificate, under the trust it was found with. */
  private readonly paths = new WeakMap<TLSSocket, [Trust, readonly X509Certificate[]]>();

  /** `tls` may be changed in place when the server's certificate is renewed. */
  constructor(tls: TlsIdentity, now: () => number) {
    this.tls = tls;
    this.now = now;
  }

  /** TLS looks at the clock in a full handshake only, neither when a session is resumed nor while a connection lives. */
  judge(socket: TLSSocket): Judgement {
    // Typed as an Error, it is the code of one.
    const reason = String(socket.authorizationError);
    const isTrusted = socket.authorized || (PURPOSE.includes(reason) && this.isForServers(socket));
    if (!isTrusted) return { reason };
    const certificate = socket.getPeerCertificate();
    // A session without one, when it is resumed in TLS 1.3, counts as authorized for node:tls.
    if (Object.keys(certificate).length === 0) return { reason: "UNABLE_TO_GET_ISSUER_CERT" };
    const isExpired = !(Date.parse(certificate.valid_to) >= this.now());
    return isExpired ? { reason: "CERT_HAS_EXPIRED" } : { certificate };
  }

  private isForServers(socket: TLSSocket): boolean {
    const trust = this.currentTrust();
    const path = this.pathOf(socket, trust);
    return path?.every(({ validTo }) => Date.parse(validTo) >= this.now()) ?? false;
  }

  private pathOf(socket: TLSSocket, trust: Trust): readonly X509Certificate[] | undefined {
    const [earlier, path] = this.paths.get(socket) ?? [];
    if (path !== undefined && earlier === trust) return path;
    const leaf = socket.getPeerX509Certificate();
    if (leaf === undefined) return undefined;
    const candidates = [...sentWith(leaf), ...trust.own, ...this.known.values()];
    // By the clock TLS looks at.
    const found = trust.authorities.pathOf(leaf, candidates, Date.now());
    if (found === undefined) return undefined;
    for (const authority of found) this.remember(authority);
    const whole = [leaf, ...found];
    this.paths.set(socket, [trust, whole]);
    return whole;
  }

  private remember(authority: X509Certificate): void {
    const name = authority.fingerprint256;
    this.known.delete(name);
    this.known.set(name, authority);
    const [oldest] = this.known.keys();
    if (this.known.size > MAX_KNOWN && oldest !== undefined) this.known.delete(oldest);
  }

  private currentTrust(): Trust {
    const { authority, certificate } = this.tls;
    const { trust } = this;
    if (trust?.authority === authority && trust?.certificate === certificate) return trust;
    const authorities = new TrustedAuthorities(authority);
    // Peers often have their certificates from the same authority as this server.
    const [, ...own] = readCertificates(certificate);
    this.trust = { authority, certificate, authorities, own };
    return this.trust;
  }
}

/** The certificates that came with one. */
function sentWith(leaf: X509Certificate): X509Certificate[] {
  const sent: X509Certificate[] = [];
  let next = leaf.issuerCertificate;
  while (next !== undefined && sent.length < MAX_SENT) {
    sent.push(next);
    next = next.issuerCertificate;
  }
  return sent;
}
