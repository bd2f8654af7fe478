// SPDX-License-Identifier: BSD-3-Clause
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  aesCtrCrypt,
  aesDecryptText,
  aesEncryptText,
  generateAesKey,
  generateIv,
  ZERO_IV,
} from "../../crypto/aesCtr.ts";
import { readVectors } from "./vectors.ts";

type Vectors = {
  keyBase64: string;
  vectors: { note: string; plaintextUtf8: string; ivBase64: string; ciphertextBase64: string }[];
};
const { keyBase64, vectors } = readVectors<Vectors>("03-aes256-ctr-pkcs7");
type Chunks = {
  keyBase64: string;
  ivHex: string;
  chunkSize: number;
  plaintextSha256: string;
  ciphertextSha256: string;
};

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("AES-256-CTR with PKCS#7", () => {
  it.each(vectors)("gives the vector: $note", ({ plaintextUtf8, ivBase64, ciphertextBase64 }) => {
    expect(aesEncryptText(plaintextUtf8, keyBase64, ivBase64)).toBe(ciphertextBase64);
    expect(aesDecryptText(ciphertextBase64, keyBase64, ivBase64)).toBe(plaintextUtf8);
  });

  it("round-trips any text and grows to the next block", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const key = generateAesKey();
        const iv = generateIv();
        const cipher = aesEncryptText(text, key, iv);
        const length = Buffer.byteLength(text);
        expect(Buffer.from(cipher, "base64")).toHaveLength(16 * (Math.floor(length / 16) + 1));
        expect(aesDecryptText(cipher, key, iv)).toBe(text);
      }),
    );
  });

  it.each([
    ["a pad byte of 0", Buffer.alloc(16, 0)],
    ["a pad byte of 17", Buffer.alloc(16, 17)],
    ["pad bytes that differ", Buffer.from(`${"00".repeat(13)}020303`, "hex")],
    ["text that is not UTF-8", Buffer.from(`ff${"0f".repeat(15)}`, "hex")],
  ])("refuses %s", (_, padded) => {
    const key = Buffer.from(keyBase64, "base64");
    const cipher = aesCtrCrypt(padded, key, Buffer.alloc(16)).toString("base64");
    expect(() => aesDecryptText(cipher, keyBase64, ZERO_IV)).toThrow("AES decryption failed");
  });

  it("refuses ciphertexts that are not whole blocks, and keys and IVs of a wrong length", () => {
    for (const bytes of [0, 15, 17]) {
      const cipher = Buffer.alloc(bytes).toString("base64");
      expect(() => aesDecryptText(cipher, keyBase64, ZERO_IV)).toThrow("AES decryption failed");
    }
    expect(() => aesEncryptText("x", "c2hvcnQ=", ZERO_IV)).toThrow(RangeError);
    expect(() => aesEncryptText("x", keyBase64, "c2hvcnQ=")).toThrow(RangeError);
  });

  it("is, unpadded and restarted every 4096 bytes, the format of shared files", () => {
    const file = readVectors<Chunks>("04-file-chunks");
    const key = Buffer.from(file.keyBase64, "base64");
    const iv = Buffer.from(file.ivHex, "hex");
    const plain = Uint8Array.from({ length: 10_000 }, (_, i) => 7 * i + 3);
    expect(sha256(plain)).toBe(file.plaintextSha256);
    const chunks: Buffer[] = [];
    for (let at = 0; at < plain.length; at += file.chunkSize) {
      chunks.push(aesCtrCrypt(plain.subarray(at, at + file.chunkSize), key, iv));
    }
    expect(sha256(Buffer.concat(chunks))).toBe(file.ciphertextSha256);
  });
});
