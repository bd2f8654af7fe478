// SPDX-License-Identifier: BSD-3-Clause
// Certificates as public authorities issue them: a root, an intermediate, and what it issued.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import {
  type Authority,
  type CertificateKeyAlgorithm,
  issueCertificate,
} from "../../crypto/certificates.ts";

const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY = 86_400_000;

interface Link {
  readonly x509: Authority["x509"];
  readonly signingKey: webcrypto.CryptoKey;
}

async function certify(name: string, issuer: Link | undefined): Promise<Link> {
  const keys = await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);
  const x509 = await X509CertificateGenerator.create(
    {
      serialNumber: issuer === undefined ? "01" : "02",
      subject: [{ CN: [name] }],
      issuer: issuer?.x509.subjectName ?? [{ CN: [name] }],
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + 30 * DAY),
      publicKey: keys.publicKey,
      signingKey: issuer?.signingKey ?? keys.privateKey,
      signingAlgorithm: EC,
      extensions: [
        new BasicConstraintsExtension(true, issuer === undefined ? 1 : 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    },
    webcrypto,
  );
  return { x509, signingKey: keys.privateKey };
}

const pem = ({ x509 }: Link): string => `${x509.toString("pem")}\n`;

/** PEM texts of a root and of an intermediate below it that issues certificates for servers. */
export class Chain {
  readonly root: string;
  private readonly intermediate: Link;

  private constructor(root: string, intermediate: Link) {
    this.root = root;
    this.intermediate = intermediate;
  }

  static async create(): Promise<Chain> {
    const root = await certify("test root", undefined);
    return new Chain(pem(root), await certify("test intermediate", root));
  }

  /** A certificate for localhost with the intermediate behind it. */
  async issue(
    keyAlgorithm: CertificateKeyAlgorithm,
  ): Promise<{ certificate: string; privateKey: string }> {
    const { x509, signingKey } = this.intermediate;
    const authority = { certificate: pem(this.intermediate), privateKey: "", x509, signingKey };
    const issued = await issueCertificate(authority, { hosts: ["localhost"], keyAlgorithm });
    return {
      certificate: `${issued.certificate}${authority.certificate}`,
      privateKey: issued.privateKey,
    };
  }
}
