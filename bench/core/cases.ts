// SPDX-License-Identifier: BSD-3-Clause
import {
  constants,
  createCipheriv,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import type { Interpreter } from "../../device/js/interpreter.ts";

/** One operation, on the core and with Node's own cryptography (OpenSSL) beside it. */
export interface Case {
  readonly name: string;
  /** Prepares the inputs in the core's I/O area; the result runs the operation once and throws when it fails. */
  core(engine: Interpreter): () => void;
  /** The same operation by node:crypto. */
  node(): () => void;
}

const MESSAGE = 1024;
const message = randomBytes(MESSAGE);
const hash = createHash("sha256").update(message).digest();

/** Writes inputs one after another into the I/O area and gives their addresses, each a multiple of 16. */
function place(engine: Interpreter, ...inputs: readonly Uint8Array[]): number[] {
  let at = Number(engine.call("io_ptr"));
  return inputs.map((input) => {
    const address = at;
    engine.write(address, input);
    at += (input.length + 15) & ~15;
    return address;
  });
}

/** A call that has to return what it should, so that a benchmark never times a failure. */
function checked(engine: Interpreter, expected: number, name: string, ...args: number[]) {
  return () => {
    const result = engine.call(name, ...args);
    if (result !== expected) throw new Error(`${name} returned ${result} instead of ${expected}`);
  };
}

const ec = createECDH("prime256v1");
const ecPublic = ec.generateKeys();
const peer = createECDH("prime256v1");
const peerPublic = peer.generateKeys();

/** The scalar as 32 bytes; OpenSSL drops leading zeros. */
function scalar(): Uint8Array {
  const key = ec.getPrivateKey();
  return Buffer.concat([Buffer.alloc(32 - key.length), key]);
}

const ecKeyObject = createPrivateKey({
  key: {
    kty: "EC",
    crv: "P-256",
    d: Buffer.from(scalar()).toString("base64url"),
    x: ecPublic.subarray(1, 33).toString("base64url"),
    y: ecPublic.subarray(33).toString("base64url"),
  },
  format: "jwk",
});
const ecPublicObject = createPublicKey(ecKeyObject);
const ecSignature = sign("sha256", message, { key: ecKeyObject, dsaEncoding: "ieee-p1363" });

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsaSpki = rsa.publicKey.export({ type: "spki", format: "der" });
const rsaPkcs8 = rsa.privateKey.export({ type: "pkcs8", format: "der" });
const rsaSignature = sign("sha256", message, rsa.privateKey);
const wrapped = publicEncrypt(
  { key: rsa.publicKey, padding: constants.RSA_PKCS1_PADDING },
  randomBytes(44),
);

/** Reads the RSA key pair into the I/O area: addresses of the private and public structures and of free space. */
function placeRsa(engine: Interpreter): { priv: number; pub: number; free: number } {
  const [priv = 0, pub = 0, der = 0] = place(
    engine,
    Buffer.alloc(1280),
    Buffer.alloc(272),
    rsaPkcs8,
  );
  checked(engine, 0, "der_read_pkcs8", priv, der, rsaPkcs8.length)();
  engine.write(der, rsaSpki);
  checked(engine, 0, "der_read_spki", pub, der, rsaSpki.length)();
  return { priv, pub, free: der };
}

export const cases: readonly Case[] = [
  {
    name: "SHA-256, 1 KiB",
    core(engine) {
      const [x = 0, out = 0] = place(engine, message, Buffer.alloc(32));
      return checked(engine, 0, "sha256_hash", out, x, MESSAGE);
    },
    node: () => () => createHash("sha256").update(message).digest(),
  },
  {
    name: "SHA-512, 1 KiB",
    core(engine) {
      const [x = 0, out = 0] = place(engine, message, Buffer.alloc(64));
      return checked(engine, 0, "sha512_hash", out, x, MESSAGE);
    },
    node: () => () => createHash("sha512").update(message).digest(),
  },
  {
    name: "HMAC-SHA-256, 1 KiB",
    core(engine) {
      const [x = 0, key = 0, out = 0, ctx = 0] = place(
        engine,
        message,
        randomBytes(32),
        Buffer.alloc(32),
        Buffer.alloc(512),
      );
      return () => {
        checked(engine, 0, "hmac_init", ctx, key, 32)();
        checked(engine, 0, "hmac_update", ctx, x, MESSAGE)();
        checked(engine, 0, "hmac_final", out, ctx)();
      };
    },
    node: () => {
      const key = randomBytes(32);
      return () => createHmac("sha256", key).update(message).digest();
    },
  },
  {
    name: "AES-256-CTR, 1 KiB",
    core(engine) {
      const [x = 0, key = 0, iv = 0] = place(engine, message, randomBytes(32), randomBytes(16));
      return checked(engine, 0, "aes_ctr_crypt", x, x, MESSAGE, key, iv);
    },
    node: () => {
      const [key, iv] = [randomBytes(32), randomBytes(16)];
      return () => createCipheriv("aes-256-ctr", key, iv).update(message);
    },
  },
  {
    name: "P-256 ECDSA sign",
    core(engine) {
      const [out = 0, h = 0, key = 0] = place(engine, Buffer.alloc(64), hash, scalar());
      return checked(engine, 0, "ecdsa_sign", out, h, key);
    },
    node: () => () => sign("sha256", message, { key: ecKeyObject, dsaEncoding: "ieee-p1363" }),
  },
  {
    name: "P-256 ECDSA verify",
    core(engine) {
      const [h = 0, s = 0, key = 0] = place(engine, hash, ecSignature, ecPublic);
      return checked(engine, 0, "ecdsa_verify", h, s, key);
    },
    node: () => () =>
      verify("sha256", message, { key: ecPublicObject, dsaEncoding: "ieee-p1363" }, ecSignature),
  },
  {
    name: "P-256 ECDH",
    core(engine) {
      const [out = 0, key = 0, other = 0] = place(engine, Buffer.alloc(32), scalar(), peerPublic);
      return checked(engine, 0, "ecdh", out, key, other);
    },
    node: () => () => ec.computeSecret(peerPublic),
  },
  {
    name: "P-256 key generation",
    core(engine) {
      const [key = 0, point = 0] = place(engine, Buffer.alloc(32), Buffer.alloc(65));
      return checked(engine, 0, "p256_keygen", key, point);
    },
    node: () => () => createECDH("prime256v1").generateKeys(),
  },
  {
    name: "RSA-2048 sign (PKCS#1 v1.5)",
    core(engine) {
      const { priv, free } = placeRsa(engine);
      engine.write(free, hash);
      return checked(engine, 0, "pkcs1_sign", free + 32, free, 32, priv);
    },
    node: () => () => sign("sha256", message, rsa.privateKey),
  },
  {
    name: "RSA-2048 verify (PKCS#1 v1.5)",
    core(engine) {
      const { pub, free } = placeRsa(engine);
      engine.write(free, hash);
      engine.write(free + 32, rsaSignature);
      return checked(engine, 0, "pkcs1_verify", free, 32, free + 32, pub);
    },
    node: () => () => verify("sha256", message, rsa.publicKey, rsaSignature),
  },
  {
    name: "RSA-2048 encrypt (44 bytes)",
    core(engine) {
      const { pub, free } = placeRsa(engine);
      return checked(engine, 0, "pkcs1_encrypt", free + 64, free, 44, pub);
    },
    node: () => {
      const key = randomBytes(44);
      return () => publicEncrypt({ key: rsa.publicKey, padding: constants.RSA_PKCS1_PADDING }, key);
    },
  },
  {
    name: "RSA-2048 decrypt (44 bytes)",
    core(engine) {
      const { priv, free } = placeRsa(engine);
      engine.write(free, wrapped);
      return checked(engine, 44, "pkcs1_decrypt", free + 256, 256, free, priv);
    },
    // Node refuses PKCS#1 v1.5 decryption; the modular exponentiation is what costs.
    node: () => () =>
      privateDecrypt({ key: rsa.privateKey, padding: constants.RSA_NO_PADDING }, wrapped),
  },
];
