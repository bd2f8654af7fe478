// SPDX-License-Identifier: BSD-3-Clause
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  generateRsaKeyPair,
  rsaDecrypt,
  rsaEncrypt,
  rsaKeysFit,
  rsaPrivateKey,
  rsaPublicKey,
  rsaSign,
  rsaUnwrapKey,
  rsaVerify,
} from "../../crypto/rsa.ts";
import { readVectors } from "./vectors.ts";

type SignVectors = {
  publicKeySpkiBase64: string;
  privateKeyPkcs8Base64: string;
  vectors: {
    messageUtf8: string;
    signatureSha256Base64: string;
    signatureSha256Base64Url: string;
    signatureSha512Base64: string;
  }[];
  negative: { messageUtf8: string; signatureSha256Base64: string };
};
type EncryptVectors = {
  publicKeySpkiBase64: string;
  privateKeyPkcs8Base64: string;
  vectors: { messageUtf8: string; paddingStringHex: string; ciphertextBase64: string }[];
};

const signing = readVectors<SignVectors>("01-rsa-sign");
const encryption = readVectors<EncryptVectors>("02-rsa-encrypt");
const { publicKeySpkiBase64: publicKey, privateKeyPkcs8Base64: privateKey } = encryption;

/** The ciphertext of an encoded message chosen byte by byte. */
function encryptRaw(encoded: Buffer): string {
  const key = createPublicKey({
    key: Buffer.from(publicKey, "base64"),
    format: "der",
    type: "spki",
  });
  return publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded).toString("base64");
}

describe("RSA signatures", () => {
  const { publicKeySpkiBase64: verifyKey, privateKeyPkcs8Base64: signKey } = signing;

  it.each(signing.vectors)("are the vector's for $messageUtf8", (vector) => {
    const { messageUtf8: message } = vector;
    expect(rsaSign(message, signKey)).toBe(vector.signatureSha256Base64);
    expect(rsaSign(message, signKey, "sha512")).toBe(vector.signatureSha512Base64);
    expect(rsaVerify(message, vector.signatureSha256Base64, verifyKey)).toBe(true);
    expect(rsaVerify(message, vector.signatureSha256Base64Url, verifyKey)).toBe(true);
    expect(rsaVerify(message, vector.signatureSha512Base64, verifyKey, "sha512")).toBe(true);
    expect(rsaVerify(message, vector.signatureSha512Base64, verifyKey)).toBe(false);
  });

  it("are refused for another message", () => {
    const { messageUtf8, signatureSha256Base64 } = signing.negative;
    expect(rsaVerify(messageUtf8, signatureSha256Base64, verifyKey)).toBe(false);
  });
});

describe("RSA encryption", () => {
  it.each(encryption.vectors)("opens the vector of $messageUtf8", (vector) => {
    expect(rsaDecrypt(vector.ciphertextBase64, privateKey)).toBe(vector.messageUtf8);
    const encoded = Buffer.concat([
      Buffer.from([0, 2]),
      Buffer.from(vector.paddingStringHex, "hex"),
      Buffer.from([0]),
      Buffer.from(vector.messageUtf8),
    ]);
    expect(encryptRaw(encoded)).toBe(vector.ciphertextBase64);
  });

  it("round-trips any message of up to 245 bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        fc.pre(Buffer.byteLength(text) <= 245);
        expect(rsaDecrypt(rsaEncrypt(text, publicKey), privateKey)).toBe(text);
      }),
      { numRuns: 30 },
    );
    expect(() => rsaEncrypt("m".repeat(246), publicKey)).toThrow();
  });

  const pad = (length: number): Buffer => Buffer.alloc(length, 0x5a);
  const zero = Buffer.from([0]);
  it.each([
    ["a first byte of 1", Buffer.concat([Buffer.from([1, 2]), pad(8), zero, pad(245)])],
    ["block type 1", Buffer.concat([Buffer.from([0, 1]), pad(8), zero, pad(245)])],
    ["no separator", Buffer.concat([Buffer.from([0, 2]), pad(254)])],
    ["seven bytes of padding", Buffer.concat([Buffer.from([0, 2]), pad(7), zero, pad(246)])],
    ["no padding", Buffer.concat([Buffer.from([0, 2]), zero, pad(253)])],
  ])("refuses %s with the one error", (_, encoded) => {
    expect(() => rsaDecrypt(encryptRaw(encoded), privateKey)).toThrow(
      "RSA decryption failed: the text was not encrypted to this key",
    );
  });

  it("accepts eight bytes of padding and an empty message", () => {
    const shortest = Buffer.concat([Buffer.from([0, 2]), pad(8), zero, Buffer.alloc(245, 0x61)]);
    expect(rsaDecrypt(encryptRaw(shortest), privateKey)).toBe("a".repeat(245));
    const empty = Buffer.concat([Buffer.from([0, 2]), pad(253), zero]);
    expect(rsaDecrypt(encryptRaw(empty), privateKey)).toBe("");
  });

  it("refuses ciphertexts of a wrong length and beyond the modulus", () => {
    for (const bytes of [0, 255, 257]) {
      expect(() => rsaDecrypt(pad(bytes).toString("base64"), privateKey)).toThrow("RSA decryption");
    }
    expect(() => rsaDecrypt(Buffer.alloc(256, 0xff).toString("base64"), privateKey)).toThrow(
      "RSA decryption failed",
    );
  });
});

describe("a wrapped key", () => {
  const key = Buffer.alloc(32, 0xfb).toString("base64");
  const encode = (text: string, padding = 253 - text.length): Buffer =>
    Buffer.concat([
      Buffer.from([0, 2]),
      Buffer.alloc(padding, 0x5a),
      Buffer.alloc(1),
      Buffer.from(text),
    ]);

  it("comes out when it was put in", () => {
    expect(rsaUnwrapKey(rsaEncrypt(key, publicKey), privateKey)).toEqual({ key, wasHeld: true });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const text = Buffer.from(bytes).toString("base64");
        const { key: opened } = rsaUnwrapKey(rsaEncrypt(text, publicKey), privateKey);
        expect(opened).toBe(text);
      }),
      { numRuns: 20 },
    );
  });

  const raw = (text: string): string => encryptRaw(encode(text));
  const wrong: readonly (readonly [string, string])[] = [
    ["an empty message", raw("")],
    ["a shorter one", raw(key.slice(1))],
    ["a longer one", raw(`${key}=`)],
    ["one with a line end", raw(`${key.slice(0, 42)}\n=`)],
    ["base64 of 33 bytes", raw("A".repeat(44))],
    ["base64url", raw(key.replaceAll("+", "-"))],
    ["characters beside those of base64", raw(`${"@[`{".repeat(10)}/:*=`)],
    ["block type 1", encryptRaw(Buffer.concat([Buffer.from([0, 1]), encode(key).subarray(2)]))],
    [
      "a first byte of 1",
      encryptRaw(Buffer.concat([Buffer.from([1, 2]), encode(key).subarray(2)])),
    ],
    ["no separator", encryptRaw(Buffer.concat([Buffer.from([0, 2]), Buffer.alloc(254, 0x41)]))],
    ["a separator that comes too early", raw(`\0${key}`)],
    ["nothing", ""],
    ["255 bytes", Buffer.alloc(255, 1).toString("base64")],
    ["more than the modulus", Buffer.alloc(256, 0xff).toString("base64")],
  ];
  it.each(wrong)("isn't in %s, and another one comes out, always the same", (_, ciphertext) => {
    const { key: substitute, wasHeld } = rsaUnwrapKey(ciphertext, privateKey);
    expect(wasHeld).toBe(false);
    expect(Buffer.from(substitute, "base64").toString("base64")).toBe(substitute);
    expect(Buffer.from(substitute, "base64")).toHaveLength(32);
    expect(rsaUnwrapKey(ciphertext, privateKey).key).toBe(substitute);
  });

  it("has another substitute for each ciphertext and each private key", async () => {
    const other = await generateRsaKeyPair();
    const found = wrong.flatMap(([, text]) => [
      rsaUnwrapKey(text, privateKey).key,
      rsaUnwrapKey(text, other.privateKey).key,
    ]);
    expect(new Set(found).size).toBe(2 * wrong.length);
  });
});

describe("RSA keys", () => {
  it("fit each other or not, in any form", async () => {
    const other = await generateRsaKeyPair();
    const bare = rsaPublicKey(publicKey)
      .export({ type: "pkcs1", format: "der" })
      .toString("base64");
    expect(rsaKeysFit(publicKey, privateKey)).toBe(true);
    expect(rsaKeysFit(bare, privateKey)).toBe(true);
    expect(rsaKeysFit(other.publicKey, privateKey)).toBe(false);
    expect(rsaKeysFit(publicKey, other.privateKey)).toBe(false);
    expect(() => rsaKeysFit("x", privateKey)).toThrow(TypeError);
  });

  it("are made with the lengths that the protocol knows", async () => {
    const pair = await generateRsaKeyPair();
    expect(pair.publicKey).toHaveLength(392);
    expect(pair.publicKey).toMatch(/^MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA/);
    expect(pair.privateKey).toMatch(/^MIIE/);
    expect(rsaVerify("x", rsaSign("x", pair.privateKey), pair.publicKey)).toBe(true);
  });

  it("are also read in their PKCS#1 form", () => {
    const spki = rsaPublicKey(publicKey);
    const bare = spki.export({ type: "pkcs1", format: "der" }).toString("base64");
    expect(rsaPublicKey(bare).equals(spki)).toBe(true);
    const pkcs8 = rsaPrivateKey(privateKey);
    const bareSecret = pkcs8.export({ type: "pkcs1", format: "der" }).toString("base64");
    expect(rsaPrivateKey(bareSecret).equals(pkcs8)).toBe(true);
  });

  it("of another kind are refused", () => {
    expect(() => rsaPublicKey("bm9uc2Vuc2U=")).toThrow(TypeError);
    expect(() => rsaPrivateKey(publicKey)).toThrow(TypeError);
  });
});
