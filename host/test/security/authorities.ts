// SPDX-License-Identifier: BSD-3-Clause
// Certificates of every kind an authority, or an attacker, can make.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY = 86_400_000;
const CERTIFIES = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;

export const SERVERS = ExtendedKeyUsage.serverAuth;
export const CLIENTS = ExtendedKeyUsage.clientAuth;
export const CODE = ExtendedKeyUsage.codeSigning;
export const ANYTHING = "2.5.29.37.0";

/** A certificate with its private key, both PEM, that can issue others. */
export interface Issued {
  readonly certificate: string;
  readonly privateKey: string;
  readonly x509: X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface Wanted {
  readonly name: string;
  /** Itself when absent. */
  readonly issuer?: Issued;
  /** Says it is one, with the path length given; false says it is none; absent says nothing. */
  readonly authority?: boolean | number;
  readonly usage?: KeyUsageFlags;
  readonly purposes?: readonly string[];
  readonly hosts?: readonly string[];
  /** Days from now. */
  readonly valid?: readonly [number, number];
  readonly extensions?: readonly Extension[];
}

let serial = 1;

export async function issue(wanted: Wanted): Promise<Issued> {
  const { name, issuer, authority, usage, purposes, hosts, valid = [-1, 30] } = wanted;
  const keys = await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);
  const extensions: Extension[] = [...(wanted.extensions ?? [])];
  if (authority !== undefined) {
    const length = typeof authority === "number" ? authority : undefined;
    extensions.push(new BasicConstraintsExtension(authority !== false, length, true));
  }
  if (usage !== undefined) extensions.push(new KeyUsagesExtension(usage, true));
  if (purposes !== undefined) extensions.push(new ExtendedKeyUsageExtension([...purposes]));
  if (hosts !== undefined) {
    const names = hosts.map((value) => ({ type: "dns" as const, value }));
    extensions.push(new SubjectAlternativeNameExtension(names));
  }
  const x509 = await X509CertificateGenerator.create(
    {
      serialNumber: (serial++).toString(16).padStart(4, "0"),
      subject: [{ CN: [name] }],
      issuer: issuer?.x509.subjectName ?? [{ CN: [name] }],
      notBefore: new Date(Date.now() + valid[0] * DAY),
      notAfter: new Date(Date.now() + valid[1] * DAY),
      publicKey: keys.publicKey,
      signingKey: issuer?.keys.privateKey ?? keys.privateKey,
      signingAlgorithm: EC,
      extensions,
    },
    webcrypto,
  );
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const privateKey = `${PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`;
  return { certificate: `${x509.toString("pem")}\n`, privateKey, x509, keys };
}

/** An authority, self-signed or below another. */
export const authority = (wanted: Wanted): Promise<Issued> =>
  issue({ authority: true, usage: CERTIFIES, ...wanted });

/** A certificate for localhost as public authorities issue it. */
export const server = (issuer: Issued | undefined, wanted: Partial<Wanted> = {}): Promise<Issued> =>
  issue({
    name: "localhost",
    authority: false,
    usage: KeyUsageFlags.digitalSignature,
    purposes: [SERVERS],
    hosts: ["localhost"],
    ...(issuer !== undefined && { issuer }),
    ...wanted,
  });

/** What is shown in TLS: a certificate and those sent along. */
export const shown = (own: Issued, ...others: readonly Issued[]) => ({
  certificate: [own, ...others].map(({ certificate }) => certificate).join(""),
  privateKey: own.privateKey,
});

/** A critical extension nobody knows. */
export const UNKNOWN = new Extension("1.2.3.4.5", true, new Uint8Array([4, 1, 0]));

/** Name constraints that permit nothing but names below example.org (RFC 5280, 4.2.1.10). */
export const ELSEWHERE = new Extension(
  "2.5.29.30",
  true,
  Buffer.concat([
    Buffer.from([0x30, 17, 0xa0, 15, 0x30, 13, 0x82, 11]),
    Buffer.from("example.org"),
  ]),
);

export { KeyUsageFlags };
