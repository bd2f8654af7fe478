// SPDX-License-Identifier: BSD-3-Clause
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { ctr as nobleCtr } from "@noble/ciphers/aes";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { fromHex, hexAt, Io, runs, toHex } from "./engine/io.ts";
import { expectForgotten } from "./engine/scratch.ts";
import vectors from "./vectors/aes.json" with { type: "json" };
import values from "./vectors/interop/03-aes256-ctr-pkcs7.json" with { type: "json" };
import chunks from "./vectors/interop/04-file-chunks.json" with { type: "json" };

const BAD_ARGUMENT = -4;
const NO_ROOM = -5;
const BAD_PADDING = -14;

for (const factory of engines) {
  describe(`AES-256 on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    beforeAll(async () => {
      engine = await factory.open();
      io = new Io(engine);
    });
    beforeEach(() => io.reset());
    afterAll(() => engine.close());

    function block(key: Uint8Array, x: Uint8Array): string {
      io.reset();
      const schedule = io.room(engine.call("aes_schedule_len"));
      const ptr = io.put(x);
      expect(engine.call("aes256_expand", schedule, io.put(key))).toBe(0);
      expect(engine.call("aes256_encrypt", ptr, ptr, schedule)).toBe(0);
      return hexAt(engine, ptr, 16);
    }

    /** Places data, key and IV with output `shift` bytes after the input (0: in place). */
    function ctr(key: Uint8Array, iv: Uint8Array, x: Uint8Array, inPlace = false): Uint8Array {
      io.reset();
      const keyPtr = io.put(key);
      const ivPtr = io.put(iv);
      const ptr = io.put(x, x.length & 3);
      const out = inPlace ? ptr : io.room(x.length);
      expect(engine.call("aes_ctr_crypt", out, ptr, x.length, keyPtr, ivPtr)).toBe(0);
      return engine.read(out, x.length);
    }

    /** What two independent implementations agree on. */
    function oracle(key: Uint8Array, iv: Uint8Array, x: Uint8Array): string {
      const expected = createCipheriv("aes-256-ctr", key, iv).update(x).toString("hex");
      expect(toHex(nobleCtr(key, iv).encrypt(x))).toBe(expected);
      return expected;
    }

    it("encrypts the block of FIPS 197", () => {
      const { key, plaintext, ciphertext } = vectors.fips197;
      expect(block(fromHex(key), fromHex(plaintext))).toBe(ciphertext);
    });

    it("encrypts the blocks of the CAVP", () => {
      for (const { key, ciphertext } of vectors.keySbox) {
        expect(block(fromHex(key), new Uint8Array(16))).toBe(ciphertext);
      }
    });

    it("encrypts the message of SP 800-38A", () => {
      const { key, iv, plaintext, ciphertext } = vectors.ctr;
      expect(toHex(ctr(fromHex(key), fromHex(iv), fromHex(plaintext)))).toBe(ciphertext);
      expect(toHex(ctr(fromHex(key), fromHex(iv), fromHex(ciphertext), true))).toBe(plaintext);
    });

    it("encrypts every length up to three batches of keystream", () => {
      const key = randomBytes(32);
      const iv = randomBytes(16);
      const x = randomBytes(195);
      for (let len = 0; len <= x.length; len++) {
        const part = x.subarray(0, len);
        expect(toHex(ctr(key, iv, part, len % 2 === 0))).toBe(oracle(key, iv, part));
      }
    });

    it("carries the counter through all 128 bits", () => {
      const key = randomBytes(32);
      const x = randomBytes(160);
      for (const iv of [
        "ffffffffffffffffffffffffffffffff",
        "fffffffffffffffffffffffffffffffc",
        "0000000000000000fffffffffffffffe",
        "00000000fffffffffffffffffffffffd",
        "000000000000000000000000fffffffb",
        "7fffffffffffffffffffffffffffffff",
      ]) {
        expect(toHex(ctr(key, fromHex(iv), x)), iv).toBe(oracle(key, fromHex(iv), x));
      }
    });

    it("agrees with an independent implementation and decrypts what it encrypted", () => {
      const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
      const message = fc.uint8Array({ maxLength: 300 });
      fc.assert(
        fc.property(bytes(32), bytes(16), message, (key, iv, x) => {
          const y = ctr(key, iv, x);
          expect(toHex(y)).toBe(oracle(key, iv, x));
          expect(toHex(ctr(key, iv, y, true))).toBe(toHex(x));
        }),
        { numRuns: runs(engine) },
      );
    });

    it("writes and reads the atProtocol's encrypted values", () => {
      const key = Uint8Array.from(Buffer.from(values.keyBase64, "base64"));
      for (const each of values.vectors) {
        io.reset();
        const keyPtr = io.put(key);
        const ivPtr = io.put(fromHex(each.ivHex));
        const plain = fromHex(each.plaintextHex);
        const cap = plain.length + 16;
        const ptr = io.room(cap);
        engine.write(ptr, plain);
        const padded = engine.call("pkcs7_pad", ptr, plain.length, cap);
        expect(hexAt(engine, ptr, padded), each.note).toBe(each.paddedHex);
        engine.call("aes_ctr_crypt", ptr, ptr, padded, keyPtr, ivPtr);
        expect(hexAt(engine, ptr, padded), each.note).toBe(each.ciphertextHex);
        engine.call("aes_ctr_crypt", ptr, ptr, padded, keyPtr, ivPtr);
        expect(engine.call("pkcs7_unpad", ptr, padded), each.note).toBe(plain.length);
        expect(hexAt(engine, ptr, plain.length), each.note).toBe(each.plaintextHex);
      }
    });

    it("writes the atProtocol's file chunks, each from the same IV and without padding", () => {
      const key = Uint8Array.from(Buffer.from(chunks.keyBase64, "base64"));
      const x = Uint8Array.from({ length: 10_000 }, (_, i) => (7 * i + 3) & 255);
      expect(createHash("sha256").update(x).digest("hex")).toBe(chunks.plaintextSha256);
      const out: Uint8Array[] = [];
      for (let at = 0; at < x.length; at += chunks.chunkSize) {
        out.push(
          ctr(key, fromHex(chunks.ivHex), x.subarray(at, at + chunks.chunkSize), at % 8192 === 0),
        );
      }
      const whole = Buffer.concat(out);
      expect(whole.subarray(0, 32).toString("hex")).toBe(chunks.firstChunkFirst32Hex);
      expect(whole.subarray(4096, 4128).toString("hex")).toBe(chunks.secondChunkFirst32Hex);
      expect(whole.subarray(-16).toString("hex")).toBe(chunks.lastChunkLast16Hex);
      expect(createHash("sha256").update(whole).digest("hex")).toBe(chunks.ciphertextSha256);
    });

    it("leaves neither key, counter nor text behind", () => {
      const key = randomBytes(32);
      const iv = randomBytes(16);
      const x = randomBytes(100);
      const y = ctr(key, iv, x);
      const keystream = y.map((byte, i) => byte ^ (x[i] ?? 0));
      expectForgotten(engine, key, iv, x, y, keystream);
    });

    it("refuses ranges outside the I/O area", () => {
      const inside = io.base;
      const end = io.base + io.length;
      const call = (...args: number[]) => engine.call("aes_ctr_crypt", ...args);
      expect(call(end - 15, inside, 16, inside, inside)).toBe(BAD_ARGUMENT);
      expect(call(inside, end - 15, 16, inside, inside)).toBe(BAD_ARGUMENT);
      expect(call(inside, inside, 16, end - 31, inside)).toBe(BAD_ARGUMENT);
      expect(call(inside, inside, 16, inside, end - 15)).toBe(BAD_ARGUMENT);
      expect(engine.call("aes256_expand", inside - 1, inside)).toBe(BAD_ARGUMENT);
      expect(engine.call("aes256_encrypt", inside, inside, end - 239)).toBe(BAD_ARGUMENT);
      expect(engine.call("pkcs7_pad", inside, 0, io.length + 1)).toBe(BAD_ARGUMENT);
      expect(engine.call("pkcs7_unpad", end - 15, 16)).toBe(BAD_ARGUMENT);
    });
  });

  describe(`PKCS#7 padding on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    beforeAll(async () => {
      engine = await factory.open();
      io = new Io(engine);
    });
    beforeEach(() => io.reset());
    afterAll(() => engine.close());

    const unpad = (x: Uint8Array) => {
      io.reset();
      return engine.call("pkcs7_unpad", io.put(x), x.length);
    };

    it("appends their number to every length and takes it off again", () => {
      for (let len = 0; len <= 48; len++) {
        io.reset();
        const padded = len + 16 - (len % 16);
        const ptr = io.put(new Uint8Array(64).fill(0xee));
        expect(engine.call("pkcs7_pad", ptr, len, padded)).toBe(padded);
        const expected = "ee".repeat(len) + toHex(new Uint8Array(padded - len).fill(padded - len));
        expect(hexAt(engine, ptr, 64)).toBe(expected.padEnd(128, "e"));
        expect(engine.call("pkcs7_unpad", ptr, padded)).toBe(len);
      }
    });

    it("writes nothing when there is no room", () => {
      const ptr = io.put(new Uint8Array(32).fill(0xee));
      for (const [len, cap] of [
        [0, 15],
        [15, 15],
        [16, 31],
        [17, 16],
        [0xffffffff, 32],
      ] as const) {
        expect(engine.call("pkcs7_pad", ptr, len, cap)).toBe(NO_ROOM);
      }
      expect(hexAt(engine, ptr, 32)).toBe("ee".repeat(32));
    });

    it("refuses every padding but the right one", () => {
      for (let last = 0; last < 256; last++) {
        const x = new Uint8Array(32).fill(last);
        expect(unpad(x), `all ${last}`).toBe(last >= 1 && last <= 16 ? 32 - last : BAD_PADDING);
      }
      for (let padding = 1; padding <= 16; padding++) {
        for (let wrong = 2; wrong <= 16; wrong++) {
          const x = new Uint8Array(32).fill(0xee).fill(padding, 32 - padding);
          x[32 - wrong] = padding ^ 0x80;
          const expected = wrong <= padding ? BAD_PADDING : 32 - padding;
          expect(unpad(x), `${padding}, byte ${wrong} from the end`).toBe(expected);
        }
      }
    });

    it("refuses lengths that no padding gives", () => {
      for (const len of [0, 1, 15, 17, 31, 33]) {
        expect(unpad(new Uint8Array(len).fill(1)), `length ${len}`).toBe(BAD_PADDING);
      }
    });
  });
}
