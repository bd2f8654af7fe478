// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { base2e15Decode, base2e15Encode } from "../../crypto/base2e15.ts";
import { publicKeyChecksum, publicKeyHash } from "../../crypto/checksum.ts";
import { cramDigest } from "../../crypto/cram.ts";
import {
  generateP256KeyPair,
  isP256PublicText,
  p256PrivateKey,
  p256PublicText,
  p256Sign,
  p256Verify,
} from "../../crypto/p256.ts";
import { pkamCommand } from "../../crypto/pkam.ts";
import { readVectors } from "./vectors.ts";

type Pkam = {
  challenge: string;
  rsa: { publicKeySpkiBase64: string; wireForms: { dart: string } };
  ecc_secp256r1: {
    publicKeyHex: string;
    privateScalarHex: string;
    signatureOnWire: string;
    wireForm: string;
  };
};
const pkam = readVectors<Pkam>("06-pkam");
const ecc = pkam.ecc_secp256r1;
const dartForm = pkam.rsa.wireForms.dart.trimEnd();

describe("CRAM", () => {
  it("gives the vector's digest", () => {
    const vector = readVectors<Record<"cramSecret" | "challenge" | "digestHex", string>>("05-cram");
    expect(cramDigest(vector.cramSecret, vector.challenge)).toBe(vector.digestHex);
  });
});

describe("PKAM", () => {
  const enrollmentId = "2bf7ed82-7311-4002-8b2d-c0be679d419b";

  it("writes the vector's RSA command", () => {
    const { privateKeyPkcs8Base64 } = readVectors<{ privateKeyPkcs8Base64: string }>("01-rsa-sign");
    const identity = {
      pkamPublicKey: pkam.rsa.publicKeySpkiBase64,
      pkamPrivateKey: privateKeyPkcs8Base64,
    };
    expect(pkamCommand({ ...identity, enrollmentId }, pkam.challenge)).toBe(dartForm);
    expect(pkamCommand(identity, pkam.challenge)).toBe(
      dartForm.replace(`enrollmentId:${enrollmentId}:`, ""),
    );
  });

  it("verifies the vector's P-256 signature and writes commands that verify", () => {
    expect(p256Verify(pkam.challenge, ecc.signatureOnWire, ecc.publicKeyHex)).toBe(true);
    expect(p256Verify(`${pkam.challenge}x`, ecc.signatureOnWire, ecc.publicKeyHex)).toBe(false);
    expect(p256PublicText(p256PrivateKey(ecc.privateScalarHex))).toBe(ecc.publicKeyHex);
    const command = pkamCommand(
      { pkamPublicKey: ecc.publicKeyHex, pkamPrivateKey: ecc.privateScalarHex, enrollmentId },
      pkam.challenge,
    );
    const head = ecc.wireForm.trimEnd().slice(0, -ecc.signatureOnWire.length);
    expect(command.startsWith(head)).toBe(true);
    const signature = command.slice(head.length);
    expect(signature).toHaveLength(172);
    expect(p256Verify(pkam.challenge, signature, ecc.publicKeyHex)).toBe(true);
  });

  it("makes P-256 pairs of its own and refuses what is not P-256", () => {
    const pair = generateP256KeyPair();
    expect(isP256PublicText(pair.publicKey)).toBe(true);
    expect(p256Verify("x", p256Sign("x", pair.privateKey), pair.publicKey)).toBe(true);
    expect(p256Verify("x", "bm9uc2Vuc2U=", pair.publicKey)).toBe(false);
    expect(isP256PublicText(pkam.rsa.publicKeySpkiBase64)).toBe(false);
  });
});

describe("checksums of public keys", () => {
  it("are the vector's", () => {
    type Sum = { value: string };
    const shared = readVectors<{ pubKeyCS: Sum; pubKeyHash: Sum }>("08-shared-data");
    const { publicKeySpkiBase64 } = readVectors<{ publicKeySpkiBase64: string }>("02-rsa-encrypt");
    expect(publicKeyChecksum(publicKeySpkiBase64)).toBe(shared.pubKeyCS.value);
    expect(publicKeyHash(publicKeySpkiBase64)).toBe(shared.pubKeyHash.value);
  });
});

describe("Base2e15", () => {
  const { vectors } = readVectors<{ vectors: { bytesHex: string; encoded: string }[] }>(
    "12-base2e15",
  );

  it.each(vectors)("writes and reads $bytesHex", ({ bytesHex, encoded }) => {
    const bytes = Buffer.from(bytesHex, "hex");
    expect(base2e15Encode(bytes)).toBe(encoded);
    expect(Buffer.from(base2e15Decode(encoded)).toString("hex")).toBe(bytesHex);
  });

  it("round-trips any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(base2e15Decode(base2e15Encode(bytes))).toEqual(bytes);
      }),
    );
  });

  it.each(["A", "\u33ff", "\u3400\u3480", "\u9fff\u4db6", "\ud7a4"])("refuses %j", (text) => {
    expect(() => base2e15Decode(text)).toThrow(RangeError);
  });
});
