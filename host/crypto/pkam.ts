// SPDX-License-Identifier: BSD-3-Clause
import { isP256PublicText, p256Sign } from "./p256.ts";
import { rsaSign } from "./rsa.ts";

/** What signs a login; the form of the public key says which algorithm it is of. */
export type PkamIdentity = {
  /** base64 of SubjectPublicKeyInfo (RSA), or 130 hex digits (P-256). */
  readonly pkamPublicKey: string;
  /** base64 of PKCS#8. */
  readonly pkamPrivateKey: string;
  readonly enrollmentId?: string | undefined;
};

/** The command that answers a challenge (atProtocol, the pkam verb). */
export function pkamCommand(identity: PkamIdentity, challenge: string): string {
  const p256 = isP256PublicText(identity.pkamPublicKey);
  const algorithm = p256 ? "ecc_secp256r1" : "rsa2048";
  const signature = p256
    ? p256Sign(challenge, identity.pkamPrivateKey)
    : rsaSign(challenge, identity.pkamPrivateKey);
  const { enrollmentId } = identity;
  const enrollment = enrollmentId === undefined ? "" : `:enrollmentId:${enrollmentId}`;
  return `pkam:signingAlgo:${algorithm}:hashingAlgo:sha256${enrollment}:${signature}`;
}
