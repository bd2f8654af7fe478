// SPDX-License-Identifier: BSD-3-Clause
import { constants, createHash, createPrivateKey, privateDecrypt } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { fromHex, hexAt, Io, toHex, utf8 } from "./engine/io.ts";
import { privateBytes, privateFromPkcs8, publicBytes, publicFromSpki } from "./engine/rsaKey.ts";
import { expectForgotten, expectScratchWiped } from "./engine/scratch.ts";
import signed from "./vectors/interop/01-rsa-sign.json" with { type: "json" };
import encrypted from "./vectors/interop/02-rsa-encrypt.json" with { type: "json" };
import pkam from "./vectors/interop/06-pkam.json" with { type: "json" };
import decryption from "./vectors/rsaDecrypt.json" with { type: "json" };
import signatures from "./vectors/rsaSignature.json" with { type: "json" };

const BAD_ARGUMENT = -4;
const BAD_PADDING = -14;
const BAD_SIGNATURE = -15;
const BAD_RSA_KEY = -17;
const NO_ENTROPY = -19;

const base64 = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));
const hashOf = (name: string, x: Uint8Array): Uint8Array => createHash(name).update(x).digest();

const signer = privateFromPkcs8(signed.privateKeyPkcs8Base64);
const recipient = privateFromPkcs8(encrypted.privateKeyPkcs8Base64);
const recipientKey = createPrivateKey({
  key: Buffer.from(encrypted.privateKeyPkcs8Base64, "base64"),
  format: "der",
  type: "pkcs8",
});

for (const factory of engines) {
  const slow = factory.name === "wasm3";

  describe(`PKCS#1 v1.5 on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    beforeAll(async () => {
      engine = await factory.open();
      io = new Io(engine);
      engine.call("drbg_seed", io.put(new Uint8Array(48).fill(5)), 48);
    });
    beforeEach(() => io.reset());
    afterAll(() => engine.close());

    function sign(hash: Uint8Array, key: Uint8Array): string {
      io.reset();
      const sig = io.room(256);
      expect(engine.call("pkcs1_sign", sig, io.put(hash), hash.length, io.put(key))).toBe(0);
      expectForgotten(engine, key.subarray(260));
      return toHex(engine.read(sig, 256));
    }

    function verify(hash: Uint8Array, sig: Uint8Array, pub: Uint8Array): number {
      io.reset();
      return engine.call("pkcs1_verify", io.put(hash), hash.length, io.put(sig), io.put(pub));
    }

    it("signs and verifies as the interop vectors", () => {
      const pub = publicFromSpki(signed.publicKeySpkiBase64);
      for (const v of signed.vectors.slice(0, slow ? 2 : undefined)) {
        const message = fromHex(v.messageHex);
        for (const [name, text] of [
          ["sha256", v.signatureSha256Base64],
          ["sha512", v.signatureSha512Base64],
        ] as const) {
          const hash = hashOf(name, message);
          expect(sign(hash, signer)).toBe(toHex(base64(text)));
          expect(verify(hash, base64(text), pub)).toBe(0);
        }
      }
      const { messageUtf8, signatureSha256Base64 } = signed.negative;
      const wrong = hashOf("sha256", utf8(messageUtf8));
      expect(verify(wrong, base64(signatureSha256Base64), pub)).toBe(BAD_SIGNATURE);
      const login = hashOf("sha256", utf8(pkam.challenge));
      expect(sign(login, signer)).toBe(toHex(base64(pkam.rsa.signatureBase64)));
    });

    it("gives the verdicts of Wycheproof on signatures", () => {
      for (const { hash, keys, cases } of signatures.groups) {
        const pubs = keys.map(({ n, e }) =>
          publicBytes(fromHex(n), fromHex(`${e.length % 2 ? "0" : ""}${e}`)),
        );
        for (const { tcId, key, msg, sig, result } of slow ? cases.slice(0, 12) : cases) {
          const pub = pubs[key];
          if (sig.length !== 512 || !pub) continue; // the length is not the core's to judge
          const verdict = verify(hashOf(hash, fromHex(msg)), fromHex(sig), pub);
          // "acceptable" is a DigestInfo without its NULL: refused, the block is compared whole.
          expect(verdict, `${hash} tcId ${tcId}`).toBe(result === "valid" ? 0 : BAD_SIGNATURE);
        }
      }
    });

    it("refuses a signature with any byte changed, or for the other hash", () => {
      const hash = hashOf("sha256", utf8("x"));
      const sig = fromHex(sign(hash, signer));
      for (let i = 0; i < 256; i += slow ? 64 : 5) {
        const bad = Uint8Array.from(sig);
        bad[i] = (bad[i] ?? 0) ^ 1;
        expect(verify(hash, bad, signer)).toBe(BAD_SIGNATURE);
      }
      expect(verify(hashOf("sha512", utf8("x")), sig, signer)).toBe(BAD_SIGNATURE);
      expect(verify(hash, new Uint8Array(256).fill(0xff), signer)).toBe(BAD_SIGNATURE);
    });

    it("knows the hashes of 32 and 64 bytes alone", () => {
      for (const len of [0, 20, 28, 31, 33, 48, 63, 65]) {
        io.reset();
        const [hash, sig, key] = [io.room(len), io.room(256), io.put(signer)];
        expect(engine.call("pkcs1_sign", sig, hash, len, key)).toBe(BAD_ARGUMENT);
        expect(engine.call("pkcs1_verify", hash, len, sig, key)).toBe(BAD_ARGUMENT);
      }
      const even = Uint8Array.from(signer);
      even[255] = (even[255] ?? 0) & 0xfe;
      expect(verify(new Uint8Array(32), new Uint8Array(256), even)).toBe(BAD_RSA_KEY);
    });

    /** The plaintext in hexadecimal, or the status; what lies behind the message stays zero. */
    function decrypt(c: Uint8Array, key: Uint8Array, cap = 245): string | number {
      io.reset();
      const out = io.put(new Uint8Array(cap).fill(0xaa));
      const length = engine.call("pkcs1_decrypt", out, cap, io.put(c), io.put(key));
      expectScratchWiped(engine);
      if (length === BAD_PADDING) expect(hexAt(engine, out, cap)).toBe("00".repeat(cap));
      if (length < 0) return length;
      expect(hexAt(engine, out + length, cap - length)).toBe("00".repeat(cap - length));
      return hexAt(engine, out, length);
    }

    it("encrypts with the padding of the interop vectors, and decrypts them", () => {
      const pub = publicFromSpki(encrypted.publicKeySpkiBase64);
      for (const v of encrypted.vectors.slice(0, slow ? 3 : undefined)) {
        const message = utf8(v.messageUtf8);
        io.reset();
        const out = io.room(256);
        const args = [
          io.put(message),
          message.length,
          io.put(fromHex(v.paddingStringHex)),
          io.put(pub),
        ];
        expect(engine.call("pkcs1_encrypt_with", out, ...args)).toBe(0);
        expect(hexAt(engine, out, 256)).toBe(toHex(base64(v.ciphertextBase64)));
        expect(decrypt(base64(v.ciphertextBase64), recipient)).toBe(toHex(message));
      }
    });

    it("gives the verdicts of Wycheproof on ciphertexts", () => {
      for (const { key, cases } of slow ? decryption.groups.slice(0, 1) : decryption.groups) {
        const { n, e, p, q, dp, dq, qi, d } = key;
        const [N, E, P, Q, DP, DQ, QI, D] = [n, e, p, q, dp, dq, qi, d].map((x) =>
          fromHex(`${x.length % 2 ? "0" : ""}${x}`),
        );
        if (!(N && E && P && Q && DP && DQ && QI && D)) throw new Error("a key is not whole");
        const priv = privateBytes({ n: N, e: E, p: P, q: Q, dp: DP, dq: DQ, qi: QI, d: D });
        for (const { tcId, msg, ct, result } of slow ? cases.slice(0, 12) : cases) {
          if (ct.length !== 512) continue; // the length is not the core's to judge
          const verdict = decrypt(fromHex(ct), priv);
          if (result === "valid") expect(verdict, `tcId ${tcId}`).toBe(msg);
          else expect([BAD_PADDING, BAD_ARGUMENT], `tcId ${tcId}`).toContain(verdict);
        }
      }
    });

    it("encrypts messages of every length with fresh padding without zeros", () => {
      for (const len of slow ? [0, 44, 245] : [0, 1, 2, 16, 44, 100, 244, 245]) {
        io.reset();
        const message = new Uint8Array(len).fill(len + 1);
        const out = io.room(256);
        const args = [io.put(message), len, io.put(recipient)];
        const blocks = [0, 1].map(() => {
          expect(engine.call("pkcs1_encrypt", out, ...args)).toBe(0);
          const padding = constants.RSA_NO_PADDING;
          return privateDecrypt({ key: recipientKey, padding }, engine.read(out, 256));
        });
        expectScratchWiped(engine);
        for (const block of blocks) {
          expect(toHex(block.subarray(0, 2))).toBe("0002");
          expect(block.indexOf(0, 2)).toBe(255 - len);
          expect(toHex(block.subarray(256 - len))).toBe(toHex(message));
        }
        expect(blocks[0]?.equals(blocks[1] ?? new Uint8Array())).toBe(false);
        expect(decrypt(engine.read(out, 256), recipient)).toBe(toHex(message));
      }
    });

    /** Encrypts a block as it stands. */
    function raw(block: Uint8Array): Uint8Array {
      io.reset();
      const out = io.room(256);
      expect(engine.call("rsa_public", out, io.put(block), io.put(recipient))).toBe(0);
      return engine.read(out, 256);
    }

    it("finds one generic fault in every impossible block", () => {
      const good = new Uint8Array(256).fill(0x77);
      good.set([0, 2]);
      const withZeroAt = (i: number) => good.map((byte, n) => (n === i ? 0 : byte));
      expect(decrypt(raw(withZeroAt(10)), recipient)).toBe("77".repeat(245));
      expect(decrypt(raw(withZeroAt(255)), recipient)).toBe("");
      const bad = [good, withZeroAt(2), withZeroAt(3), withZeroAt(9)];
      bad.push(withZeroAt(100).map((byte, i) => (i === 1 ? 1 : byte)));
      bad.push(withZeroAt(100).map((byte, i) => (i === 1 ? 0 : byte)));
      bad.push(withZeroAt(100).map((byte, i) => (i === 0 ? 1 : byte)));
      for (const block of bad) expect(decrypt(raw(block), recipient)).toBe(BAD_PADDING);
    });

    it("refuses a message that is longer than the room, in the same way", () => {
      const block = new Uint8Array(256).fill(0x55);
      block.set([0, 2]);
      block[211] = 0;
      const c = raw(block);
      expect(decrypt(c, recipient, 44)).toBe("55".repeat(44));
      expect(decrypt(c, recipient, 43)).toBe(BAD_PADDING);
      expect(decrypt(c, recipient, 0)).toBe(BAD_PADDING);
    });

    it("refuses messages over 245 bytes and padding with a zero", () => {
      io.reset();
      const [out, message, ps, key] = [io.room(256), io.room(246), io.room(253), io.put(recipient)];
      expect(engine.call("pkcs1_encrypt", out, message, 246, key)).toBe(BAD_ARGUMENT);
      expect(engine.call("pkcs1_encrypt_with", out, message, 246, ps, key)).toBe(BAD_ARGUMENT);
      expect(engine.call("pkcs1_encrypt_with", out, message, 0, ps, key)).toBe(BAD_ARGUMENT);
      expect(hexAt(engine, out, 256)).toBe("00".repeat(256));
    });
  });

  describe(`PKCS#1 v1.5 without entropy on ${factory.name}`, () => {
    it("encrypts nothing", async () => {
      const engine = await factory.open();
      const io = new Io(engine);
      const out = io.room(256);
      const args = [io.put(utf8("secret")), 6, io.put(recipient)];
      expect(engine.call("pkcs1_encrypt", out, ...args)).toBe(NO_ENTROPY);
      expect(hexAt(engine, out, 256)).toBe("00".repeat(256));
      expectForgotten(engine, utf8("secret"));
      engine.close();
    });
  });
}
