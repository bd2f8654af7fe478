// SPDX-License-Identifier: BSD-3-Clause
import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { hexAt, Io, runs, toHex, utf8 } from "./engine/io.ts";
import { expectForgotten } from "./engine/scratch.ts";
import vectors from "./vectors/base64.json" with { type: "json" };
import keyFile from "./vectors/interop/07-atkeys-file.json" with { type: "json" };

const BAD_ARGUMENT = -4;
const NO_ROOM = -5;
const BAD_BASE64 = -11;

for (const factory of engines) {
  describe(`base64 on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    beforeAll(async () => {
      engine = await factory.open();
      io = new Io(engine);
    });
    beforeEach(() => io.reset());
    afterAll(() => engine.close());

    function encode(x: Uint8Array): string {
      io.reset();
      const cap = 4 * Math.ceil(x.length / 3);
      const out = io.room(cap);
      expect(engine.call("base64_encode", out, cap, io.put(x, 1), x.length)).toBe(cap);
      return Buffer.from(engine.read(out, cap)).toString("latin1");
    }

    /** The decoded bytes in hexadecimal, or the status; in place and beside the text have to agree. */
    function decode(text: Uint8Array): string | number {
      io.reset();
      const cap = Math.ceil((text.length * 3) / 4);
      const out = io.room(cap);
      const x = io.put(text, 3);
      const len = engine.call("base64_decode", out, cap, x, text.length);
      const beside = len < 0 ? len : hexAt(engine, out, len);
      const again = engine.call("base64_decode", x, cap, x, text.length);
      expect(again < 0 ? again : hexAt(engine, x, again)).toBe(beside);
      return beside;
    }

    it("writes and reads the texts of RFC 4648", () => {
      for (const { text, base64 } of vectors.rfc4648) {
        expect(encode(utf8(text))).toBe(base64);
        expect(decode(utf8(base64))).toBe(toHex(utf8(text)));
      }
    });

    it("reads the URL-safe alphabet and text without padding", () => {
      for (const { base64, hex } of vectors.alsoRead) expect(decode(utf8(base64))).toBe(hex);
    });

    it("refuses everything else", () => {
      for (const text of vectors.refused) {
        expect(decode(utf8(text)), JSON.stringify(text)).toBe(BAD_BASE64);
      }
    });

    it("knows each of the 256 bytes at each place of a group", () => {
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
      for (let place = 0; place < 4; place++) {
        for (let byte = 0; byte < 256; byte++) {
          // Not as the last group: there "=" would be padding.
          const text = Uint8Array.from(Buffer.from("AAAAAAAA"));
          text[place] = byte;
          const character = String.fromCharCode(byte).replace("-", "+").replace("_", "/");
          const value = alphabet.indexOf(character);
          const bits = value * 2 ** (18 - 6 * place);
          const expected = value < 0 ? BAD_BASE64 : `${toHex(bigEndian24(bits))}000000`;
          expect(decode(text), `byte ${byte} at ${place}`).toBe(expected);
        }
      }
    });

    it("agrees with an independent implementation at every length", () => {
      const x = randomBytes(200);
      for (let len = 0; len <= x.length; len++) {
        const part = x.subarray(0, len);
        expect(encode(part)).toBe(part.toString("base64"));
        expect(decode(utf8(part.toString("base64")))).toBe(part.toString("hex"));
        expect(decode(utf8(part.toString("base64url")))).toBe(part.toString("hex"));
      }
    });

    it("accepts a text exactly when its bytes give it back", () => {
      const characters = fc.constantFrom(..."AQgwZz09+/-_=\n ~");
      fc.assert(
        fc.property(fc.array(characters, { maxLength: 12 }), (parts) => {
          const text = parts.join("");
          const bytes = Buffer.from(text, "base64");
          const standard = text.replaceAll("-", "+").replaceAll("_", "/");
          const canonical = bytes.toString("base64");
          const good = standard === canonical || standard === canonical.replace(/=+$/, "");
          expect(decode(utf8(text))).toBe(good ? bytes.toString("hex") : BAD_BASE64);
        }),
        { numRuns: 20 * runs(engine) },
      );
    });

    it("refuses what does not fit, and writes nothing", () => {
      const out = io.put(new Uint8Array(16).fill(0xee));
      const x = io.put(utf8("foobaZm9vYmE="));
      expect(engine.call("base64_encode", out, 7, x, 5)).toBe(NO_ROOM);
      expect(engine.call("base64_decode", out, 4, x + 5, 8)).toBe(NO_ROOM);
      expect(hexAt(engine, out, 16)).toBe("ee".repeat(16));
      expect(engine.call("base64_encode", out, 8, x, 5)).toBe(8);
      expect(engine.call("base64_decode", out, 5, x + 5, 8)).toBe(5);
    });

    it("wipes what it wrote before it met a fault", () => {
      const out = io.put(new Uint8Array(16).fill(0xee));
      expect(engine.call("base64_decode", out, 16, io.put(utf8("Zm9vYmFyZm9vYm*y")), 16)).toBe(
        BAD_BASE64,
      );
      expect(hexAt(engine, out, 16)).toBe("00".repeat(12) + "ee".repeat(4));
    });

    it("leaves nothing behind", () => {
      const x = randomBytes(64);
      const text = encode(x);
      expectForgotten(engine, x, utf8(text));
      decode(utf8(text));
      expectForgotten(engine, x, utf8(text));
    });

    it("refuses ranges outside the I/O area", () => {
      const end = io.base + io.length;
      for (const name of ["base64_encode", "base64_decode"]) {
        expect(engine.call(name, end - 3, 4, io.base, 3)).toBe(BAD_ARGUMENT);
        expect(engine.call(name, io.base, 4, end - 2, 3)).toBe(BAD_ARGUMENT);
        expect(engine.call(name, io.base, 0xffffffff, io.base, 3)).toBe(BAD_ARGUMENT);
        expect(engine.call(name, io.base, 4, io.base, 0xffffffff)).toBe(BAD_ARGUMENT);
      }
    });

    it("opens the fields of .atKeys files", () => {
      const names = [
        ["aesPkamPublicKey", "pkamPublicKey"],
        ["aesPkamPrivateKey", "pkamPrivateKey"],
        ["aesEncryptPublicKey", "encryptPublicKey"],
        ["aesEncryptPrivateKey", "encryptPrivateKey"],
      ] as const;
      for (const { file, plain } of [
        { file: keyFile.fullApkamFile, plain: keyFile.decrypted["@alpha"] },
        { file: keyFile.minimalLegacyFile.content, plain: keyFile.decrypted["@bravo"] },
      ]) {
        for (const [encrypted, decrypted] of names) {
          io.reset();
          const key = io.put(Buffer.from(file.selfEncryptionKey, "base64"));
          const iv = io.put(new Uint8Array(16));
          const text = utf8(file[encrypted]);
          const x = io.put(text);
          const len = engine.call("base64_decode", x, text.length, x, text.length);
          expect(engine.call("aes_ctr_crypt", x, x, len, key, iv)).toBe(0);
          const plainLen = engine.call("pkcs7_unpad", x, len);
          expect(Buffer.from(engine.read(x, plainLen)).toString()).toBe(plain[decrypted]);
        }
      }
    });
  });
}

function bigEndian24(x: number): Uint8Array {
  return Uint8Array.of(x >>> 16, (x >>> 8) & 255, x & 255);
}
