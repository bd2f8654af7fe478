// SPDX-License-Identifier: BSD-3-Clause
// A private certification authority: the trust of a local world and of tests (RFC 5280).
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

export type CertificateKeyAlgorithm = "p256" | "rsa2048";

/** A certification authority; `certificate` is its PEM, to be trusted by clients. */
export type Authority = {
  readonly certificate: string;
  readonly privateKey: string;
  readonly x509: X509Certificate;
  readonly signingKey: webcrypto.CryptoKey;
};

/** PEM strings: an X.509 certificate and its PKCS#8 private key. */
export type IssuedCertificate = { readonly certificate: string; readonly privateKey: string };

export type CertificateRequest = {
  /** DNS names and IP addresses for subjectAltName; the first is the subject's common name. */
  readonly hosts: readonly [string, ...string[]];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly keyAlgorithm?: CertificateKeyAlgorithm;
};

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AUTHORITY_DAYS = 3650;
const CERTIFICATE_DAYS = 365;

const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
} as const;

/** Makes a self-signed P-256 authority, valid ten years, path length 0. */
export async function createAuthority(options: { readonly name: string }): Promise<Authority> {
  const keys = await generateKeys("p256");
  const now = Date.now();
  const x509 = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: [{ CN: [options.name] }],
      notBefore: new Date(now - HOUR),
      notAfter: new Date(now + AUTHORITY_DAYS * DAY),
      keys,
      signingAlgorithm: EC,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return {
    certificate: pem(x509),
    privateKey: await exportPrivateKey(keys.privateKey),
    x509,
    signingKey: keys.privateKey,
  };
}

/**
 * Issues an end-entity certificate for a server, which other servers accept of a client too.
 * @returns PEM strings; valid from an hour ago for a year unless told otherwise
 */
export async function issueCertificate(
  authority: Authority,
  request: CertificateRequest,
): Promise<IssuedCertificate> {
  const keyAlgorithm = request.keyAlgorithm ?? "p256";
  const keys = await generateKeys(keyAlgorithm);
  const now = Date.now();
  const usage =
    keyAlgorithm === "rsa2048"
      ? KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment
      : KeyUsageFlags.digitalSignature;
  const x509 = await X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: [{ CN: [request.hosts[0]] }],
      issuer: authority.x509.subjectName,
      notBefore: request.notBefore ?? new Date(now - HOUR),
      notAfter: request.notAfter ?? new Date(now + CERTIFICATE_DAYS * DAY),
      publicKey: keys.publicKey,
      signingKey: authority.signingKey,
      signingAlgorithm: EC,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(usage, true),
        // As public authorities issue them.
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          request.hosts.map((host) =>
            isIP(host) === 0
              ? { type: "dns" as const, value: host }
              : { type: "ip" as const, value: host },
          ),
        ),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(authority.x509, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificate: pem(x509), privateKey: await exportPrivateKey(keys.privateKey) };
}

async function generateKeys(algorithm: CertificateKeyAlgorithm): Promise<webcrypto.CryptoKeyPair> {
  return algorithm === "p256"
    ? await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"])
    : await webcrypto.subtle.generateKey(RSA, true, ["sign", "verify"]);
}

/** RFC 5280 §4.1.2.2: a positive integer of at most 20 octets, unpredictable here. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

function pem(x509: X509Certificate): string {
  return `${x509.toString("pem")}\n`;
}

async function exportPrivateKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = await webcrypto.subtle.exportKey("pkcs8", key);
  return `${PemConverter.encode(der, "PRIVATE KEY")}\n`;
}
