// SPDX-License-Identifier: BSD-3-Clause
// RSA-2048 with PKCS#1 v1.5 padding (RFC 8017 §7.2, §8.2). Keys travel as base64 of their DER.
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  sign,
  verify,
} from "node:crypto";
import { promisify } from "node:util";

export type RsaHash = "sha256" | "sha512";

/** Base64 texts: SubjectPublicKeyInfo and PKCS#8. */
export type KeyPairText = { readonly publicKey: string; readonly privateKey: string };

const MODULUS_BITS = 2048;
const MODULUS_BYTES = 256;
/** 00 02, at least eight bytes of padding, 00. */
const PADDING_OVERHEAD = 11;
const generate = promisify(generateKeyPair);

/** Makes a key pair of 2048 bits with e = 65537. */
export async function generateRsaKeyPair(): Promise<KeyPairText> {
  const { publicKey, privateKey } = await generate("rsa", {
    modulusLength: MODULUS_BITS,
    publicExponent: 0x10001,
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "der" },
  });
  const pair = {
    publicKey: publicKey.toString("base64"),
    privateKey: privateKey.toString("base64"),
  };
  privateKey.fill(0);
  return pair;
}

/** Reads base64 of SubjectPublicKeyInfo, or of a bare PKCS#1 key as older tools write. Throws TypeError. */
export function rsaPublicKey(text: string): KeyObject {
  const key = Buffer.from(text, "base64");
  for (const type of ["spki", "pkcs1"] as const) {
    const parsed = attempt(() => createPublicKey({ key, format: "der", type }));
    if (parsed !== undefined) return checked(parsed);
  }
  throw new TypeError("not an RSA public key in base64 of its DER");
}

/** Reads base64 of PKCS#8, or of a bare PKCS#1 key. Throws TypeError. */
export function rsaPrivateKey(text: string): KeyObject {
  const key = Buffer.from(text, "base64");
  for (const type of ["pkcs8", "pkcs1"] as const) {
    const parsed = attempt(() => createPrivateKey({ key, format: "der", type }));
    if (parsed !== undefined) {
      key.fill(0);
      return checked(parsed);
    }
  }
  throw new TypeError("not an RSA private key in base64 of its DER");
}

/** RSASSA-PKCS1-v1_5; base64 of 256 bytes. */
export function rsaSign(message: string, privateKey: string, hash: RsaHash = "sha256"): string {
  return sign(hash, Buffer.from(message), rsaPrivateKey(privateKey)).toString("base64");
}

/** Whether a signature, in either base64 alphabet, is of this message. */
export function rsaVerify(
  message: string,
  signature: string,
  publicKey: string,
  hash: RsaHash = "sha256",
): boolean {
  const bytes = Buffer.from(signature, "base64");
  return verify(hash, Buffer.from(message), rsaPublicKey(publicKey), bytes);
}

/** RSAES-PKCS1-v1_5 of at most 245 bytes of UTF-8; base64 of 256 bytes. */
export function rsaEncrypt(message: string, publicKey: string): string {
  const padding = constants.RSA_PKCS1_PADDING;
  const plain = Buffer.from(message);
  const cipher = publicEncrypt({ key: rsaPublicKey(publicKey), padding }, plain).toString("base64");
  plain.fill(0);
  return cipher;
}

/**
 * The message of an RSAES-PKCS1-v1_5 ciphertext. Node refuses this padding (CVE-2023-46809), so the
 * raw result is unpadded here; whatever is wrong with it, the one same error is thrown.
 */
export function rsaDecrypt(ciphertext: string, privateKey: string): string {
  const bytes = Buffer.from(ciphertext, "base64");
  const key = rsaPrivateKey(privateKey);
  if (bytes.length !== MODULUS_BYTES) throw decryptionError();
  const encoded = attempt(() => privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, bytes));
  if (encoded === undefined) throw decryptionError();
  const start = unpadStart(encoded);
  const message = start === 0 ? undefined : encoded.toString("utf8", start);
  encoded.fill(0);
  if (message === undefined) throw decryptionError();
  return message;
}

/** Where the message begins in 00 02 PS 00 M, or 0; looks at every byte whatever they are. */
function unpadStart(encoded: Uint8Array): number {
  let bad = (encoded[0] ?? 1) | ((encoded[1] ?? 0) ^ 2);
  let found = 0;
  let start = 0;
  for (let i = 2; i < MODULUS_BYTES; i++) {
    const zero = (((encoded[i] ?? 0) - 1) >> 31) & 1;
    start |= -(zero & ~found & 1) & (i + 1);
    found |= zero;
  }
  bad |= ~found & 1;
  bad |= ((start - PADDING_OVERHEAD) >> 31) & 1;
  const good = ((bad - 1) >> 31) & 1;
  return -good & start;
}

function checked(key: KeyObject): KeyObject {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  if (key.asymmetricKeyType !== "rsa" || bits !== MODULUS_BITS) {
    throw new TypeError(`an RSA key of ${MODULUS_BITS} bits is needed`);
  }
  return key;
}

/** OpenSSL's errors say how far it came; callers must not learn that. */
function attempt<T>(operation: () => T): T | undefined {
  try {
    return operation();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function decryptionError(): Error {
  return new Error("RSA decryption failed: the text was not encrypted to this key");
}
