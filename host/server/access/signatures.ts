// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import {
  createHash,
  createPublicKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { AtError } from "../../wire/errors.ts";

export const signingAlgorithms = ["rsa2048", "ecc_secp256r1"] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];
export type HashingAlgorithm = "sha256" | "sha512";

export function isSigningAlgorithm(text: string): text is SigningAlgorithm {
  return (signingAlgorithms as readonly string[]).includes(text);
}

/** Compares texts with a secret in time that depends on neither. */
export function secretComparison(secret: string): (text: string) => boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text, "utf8").digest();
  const expected = digest(secret);
  return (text) => timingSafeEqual(digest(text), expected);
}

/** Equality of two secrets in time that depends on neither. */
export function sameSecret(a: string, b: string): boolean {
  return secretComparison(a)(b);
}

/** Lower-case hex of SHA-512 over secret and challenge (atProtocol, CRAM). */
export function cramDigest(secret: string, challenge: string): string {
  return createHash("sha512")
    .update(secret + challenge, "utf8")
    .digest("hex");
}

/** Bytes of standard or URL-safe base64. Throws AT0011 (closing) for anything else. */
function decodeBase64(text: string): Buffer {
  const standard = text.replaceAll("-", "+").replaceAll("_", "/");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(standard)) {
    throw new AtError("AT0011", "FormatException: the signature is not base64", { closes: true });
  }
  return Buffer.from(standard, "base64");
}

/** A P-256 point as 130 hex digits, 04 first. */
const ECC_POINT = /^04[0-9a-f]{128}$/i;

/** What a public key is for when nobody says: a hex point for ECDSA, anything else for RSA. */
export function algorithmOf(publicKey: string): SigningAlgorithm {
  return ECC_POINT.test(publicKey) ? "ecc_secp256r1" : "rsa2048";
}

/**
 * What makes two spellings of a public key the same one: its numbers when it can be read, else the bytes it is base64 of, else
 * its text.
 */
export function publicKeyIdentity(publicKey: string): string {
  const text = publicKey.trim();
  try {
    const { kty, crv, x, y, n, e } = eccPublicKey(text).export({ format: "jwk" });
    return [kty, crv, x, y, n, e].join(" ");
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    const bytes = Buffer.from(text, "base64");
    return bytes.length === 0 ? text : bytes.toString("base64");
  }
}

/** From the hex point or a base64 SubjectPublicKeyInfo. */
function eccPublicKey(text: string): KeyObject {
  if (!ECC_POINT.test(text)) return publicKeyFromSpki(text);
  const point = Buffer.from(text, "hex");
  return createPublicKey({
    format: "jwk",
    key: {
      kty: "EC",
      crv: "P-256",
      x: point.subarray(1, 33).toString("base64url"),
      y: point.subarray(33).toString("base64url"),
    },
  });
}

function publicKeyFromSpki(base64: string): KeyObject {
  return createPublicKey({ key: Buffer.from(base64, "base64"), format: "der", type: "spki" });
}

/** r and s: the wire carries base64 of their 128 hex digits, from some clients of the 64 bytes. */
function eccSignature(signature: Buffer): Buffer | undefined {
  if (signature.length === 64) return signature;
  const hex = signature.toString("latin1");
  return /^[0-9a-f]{128}$/i.test(hex) ? Buffer.from(hex, "hex") : undefined;
}

/** Over SHA-256 always. */
function verifyEcc(publicKey: string, signature: Buffer, challenge: Buffer): boolean {
  const rs = eccSignature(signature);
  if (rs === undefined) return false;
  const key = eccPublicKey(publicKey);
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") return false;
  return verify("sha256", challenge, { key, dsaEncoding: "ieee-p1363" }, rs);
}

/**
 * Whether a pkam signature fits (atProtocol, PKAM): RSA PKCS#1 v1.5 under a base64 SubjectPublicKeyInfo, or ECDSA P-256
 * under a hex point or SubjectPublicKeyInfo. A stored key that can't be read never fits. Throws AT0011 for a signature that isn't base64.
 */
export function verifyPkam(
  algorithm: SigningAlgorithm,
  hashing: HashingAlgorithm,
  publicKey: string,
  signatureBase64: string,
  challenge: string,
): boolean {
  const signature = decodeBase64(signatureBase64);
  const message = Buffer.from(challenge, "utf8");
  try {
    if (algorithm === "ecc_secp256r1") return verifyEcc(publicKey, signature, message);
    const key = publicKeyFromSpki(publicKey);
    return key.asymmetricKeyType === "rsa" && verify(hashing, message, key, signature);
  } catch (error) {
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}

/** Base64 RSA PKCS#1 v1.5 SHA-256 signature with a base64 PKCS#8 key, as in pol and in dataSignature. */
export function signWithServerKey(privateKeyBase64: string, text: string): string {
  const key = {
    key: Buffer.from(privateKeyBase64, "base64"),
    format: "der",
    type: "pkcs8",
  } as const;
  return sign("sha256", Buffer.from(text, "utf8"), key).toString("base64");
}
