// SPDX-License-Identifier: BSD-3-Clause
// RSA-2048 with PKCS#1 v1.5 padding (RFC 8017 §7.2, §8.2). Keys travel as base64 of their DER.
import {
  constants,
  createHash,
  createHmac,
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
/** Base64 of an AES-256 key. */
const KEY_TEXT_BYTES = 44;
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

/** Whether a private key is the one of a public key, in whichever form the two are written. Throws TypeError. */
export function rsaKeysFit(publicKey: string, privateKey: string): boolean {
  const form = { type: "spki", format: "der" } as const;
  const made = createPublicKey(rsaPrivateKey(privateKey)).export(form);
  return made.equals(rsaPublicKey(publicKey).export(form));
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

export type UnwrappedKey = {
  /** Base64 of 32 bytes. */
  readonly key: string;
  /** Whether the ciphertext held it. For the user alone: nothing that leaves this machine may depend on it. */
  readonly wasHeld: boolean;
};

/**
 * The AES-256 key that an RSAES-PKCS1-v1_5 ciphertext holds. What holds none gives a key as well: one that nobody without
 * the private key can work out, the same each time. So what is done with it need not tell good from bad, which would decrypt
 * any ciphertext in the end (Bleichenbacher, CRYPTO 1998; implicit rejection). Throws TypeError for a private key that is
 * none.
 */
export function rsaUnwrapKey(ciphertext: string, privateKey: string): UnwrappedKey {
  const key = rsaPrivateKey(privateKey);
  const bytes = Buffer.from(ciphertext, "base64");
  const chosen = Buffer.from(substituteKey(bytes, privateKey));
  const encoded =
    bytes.length === MODULUS_BYTES
      ? attempt(() => privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, bytes))
      : undefined;
  const held = takeKey(encoded ?? Buffer.alloc(MODULUS_BYTES), chosen);
  const text = chosen.toString("latin1");
  chosen.fill(0);
  return { key: text, wasHeld: held === 1 };
}

/** Copies a well-formed key out of 00 02 PS 00 M, and wipes that; 1 when there was one. Looks at every byte. */
function takeKey(encoded: Buffer, to: Buffer): number {
  const start = MODULUS_BYTES - KEY_TEXT_BYTES;
  const message = encoded.subarray(start);
  const held = isEqual(unpadStart(encoded), start) & isKeyText(message);
  const mask = -held & 0xff;
  for (let i = 0; i < KEY_TEXT_BYTES; i++) {
    to[i] = ((message[i] ?? 0) & mask) | ((to[i] ?? 0) & ~mask);
  }
  encoded.fill(0);
  return held;
}

/** What a ciphertext without a key stands for: a secret function of it. */
function substituteKey(ciphertext: Uint8Array, privateKey: string): string {
  const secret = createHash("sha256").update(privateKey).digest();
  const text = createHmac("sha256", secret).update(ciphertext).digest("base64");
  secret.fill(0);
  return text;
}

/** 1 for equal numbers below 2^31, otherwise 0, without a branch. */
function isEqual(a: number, b: number): number {
  return (((a ^ b) - 1) >> 31) & 1;
}

/** 1 for the base64 of 32 bytes, otherwise 0; looks at every character whatever they are. */
function isKeyText(text: Uint8Array): number {
  let good = isEqual(text[KEY_TEXT_BYTES - 1] ?? 0, 0x3d);
  for (let i = 0; i < KEY_TEXT_BYTES - 1; i++) {
    const c = text[i] ?? 0;
    const letter = isWithin(c, 0x41, 0x5a) | isWithin(c, 0x61, 0x7a);
    good &= letter | isWithin(c, 0x30, 0x39) | isEqual(c, 0x2b) | isEqual(c, 0x2f);
  }
  return good;
}

/** 1 for `first` ≤ a ≤ `last`, otherwise 0, without a branch. */
function isWithin(a: number, first: number, last: number): number {
  return (~((a - first) | (last - a)) >> 31) & 1;
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
