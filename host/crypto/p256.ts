// SPDX-License-Identifier: BSD-3-Clause
// ECDSA over P-256 (FIPS 186-5) in the forms of atProtocol's ecc_secp256r1.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import type { KeyPairText } from "./rsa.ts";

const POINT_HEX = /^04[0-9a-f]{128}$/i;
const SCALAR_HEX = /^[0-9a-f]{64}$/i;
const COMPACT_HEX = /^[0-9a-f]{128}$/i;
/** DER of SubjectPublicKeyInfo for id-ecPublicKey with prime256v1, up to the point (RFC 5480 §2). */
const SPKI_PREFIX = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
/** DER of PKCS#8 holding an ECPrivateKey without its public part, up to the scalar (RFC 5915 §3). */
const PKCS8_PREFIX = Buffer.from(
  "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420",
  "hex",
);

/** Makes a key pair: the public key 130 hex digits (04‖X‖Y), the private key base64 of PKCS#8. */
export function generateP256KeyPair(): KeyPairText {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  const text = der.toString("base64");
  der.fill(0);
  return { publicKey: p256PublicText(privateKey), privateKey: text };
}

/** Whether a PKAM public key is a P-256 point and not an RSA key. */
export function isP256PublicText(text: string): boolean {
  return POINT_HEX.test(text);
}

/** Reads a private key from base64 of PKCS#8, or from the 64 hex digits of its scalar. */
export function p256PrivateKey(text: string): KeyObject {
  const key = SCALAR_HEX.test(text)
    ? Buffer.concat([PKCS8_PREFIX, Buffer.from(text, "hex")])
    : Buffer.from(text, "base64");
  const parsed = createPrivateKey({ key, format: "der", type: "pkcs8" });
  key.fill(0);
  if (parsed.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new TypeError("a P-256 private key is needed");
  }
  return parsed;
}

/** base64 of the 128 hex digits r‖s over SHA-256 of the message, as atServers verify it. */
export function p256Sign(message: string, privateKey: string): string {
  const key = p256PrivateKey(privateKey);
  const raw = sign("sha256", Buffer.from(message), { key, dsaEncoding: "ieee-p1363" });
  return Buffer.from(raw.toString("hex")).toString("base64");
}

/** Whether such a signature is of this message. */
export function p256Verify(message: string, signature: string, publicKey: string): boolean {
  const compact = Buffer.from(signature, "base64").toString("latin1");
  if (!COMPACT_HEX.test(compact) || !POINT_HEX.test(publicKey)) return false;
  const der = Buffer.concat([SPKI_PREFIX, Buffer.from(publicKey, "hex")]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  const options = { key, dsaEncoding: "ieee-p1363" as const };
  return verify("sha256", Buffer.from(message), options, Buffer.from(compact, "hex"));
}

/** The public key, 130 hex digits, of a private one. */
export function p256PublicText(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  return der.subarray(SPKI_PREFIX.length).toString("hex");
}
