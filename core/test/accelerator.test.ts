// SPDX-License-Identifier: BSD-3-Clause
// A board's native AES and SHA-256 against the core's own: the same results, and used exactly when offered.
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Engine, HalFunctions } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { hexAt, Io, toHex } from "./engine/io.ts";

const AES256 = 2;
const SHA256 = 4;

/** FIPS 197 over node:crypto, in the engine's memory. */
function nativeAes(engine: Engine): HalFunctions["accel_aes256"] {
  return (out, x, count, key) => {
    const cipher = createCipheriv("aes-256-ecb", engine.read(key, 32), null).setAutoPadding(false);
    engine.write(out, cipher.update(engine.read(x, 16 * count)));
  };
}

const ROUND = Array.from({ length: 312 }, (_, n) => n)
  .filter((n) => n > 1 && Array.from({ length: n - 2 }, (_, d) => d + 2).every((d) => n % d))
  .map((prime) => Math.floor((Math.cbrt(prime) % 1) * 2 ** 32));

/** One block of FIPS 180-4 §6.2.2, written from the standard with plain numbers. */
function nativeShaBlock(state: Uint32Array, block: DataView): void {
  const rotate = (x: number, n: number) => (x >>> n) | (x << (32 - n));
  const w = Array.from({ length: 16 }, (_, t) => block.getUint32(4 * t));
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15] ?? 0;
    const y = w[t - 2] ?? 0;
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    w.push((s1 + (w[t - 7] ?? 0) + s0 + (w[t - 16] ?? 0)) >>> 0);
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let t = 0; t < 64; t++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = h + s1 + ((e & f) ^ (~e & g)) + (ROUND[t] ?? 0) + (w[t] ?? 0);
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] = (state[i] ?? 0) + word;
  });
}

function nativeSha(engine: Engine): HalFunctions["accel_sha256"] {
  return (state, blocks, count) => {
    const words = new Uint32Array(engine.read(state, 32).buffer);
    for (let i = 0; i < count; i++) {
      const block = engine.read(blocks + 64 * i, 64);
      nativeShaBlock(words, new DataView(block.buffer));
    }
    engine.write(state, new Uint8Array(words.buffer));
  };
}

for (const factory of engines) {
  describe(`accelerators on ${factory.name}`, () => {
    /** An engine whose board offers `bits`, and how many blocks each accelerator was given. */
    async function board(bits: number) {
      const blocks = { aes: 0, sha: 0 };
      let asked = 0;
      const engine = await factory.open((self) => ({
        accelerators: () => {
          asked++;
          return bits;
        },
        accel_aes256: (out, x, count, key) => {
          blocks.aes += count;
          nativeAes(self)(out, x, count, key);
        },
        accel_sha256: (state, x, count) => {
          blocks.sha += count;
          nativeSha(self)(state, x, count);
        },
      }));
      return { engine, blocks, asked: () => asked };
    }

    function exercise(engine: Engine, key: Uint8Array, iv: Uint8Array, x: Uint8Array): string[] {
      const io = new Io(engine);
      const [keyPtr, ivPtr, ptr, digest] = [io.put(key), io.put(iv), io.put(x), io.room(32)];
      engine.call("sha256_hash", digest, ptr, x.length);
      engine.call("aes_ctr_crypt", ptr, ptr, x.length, keyPtr, ivPtr);
      return [hexAt(engine, digest, 32), hexAt(engine, ptr, x.length)];
    }

    for (const bits of [0, 1, AES256, SHA256, AES256 | SHA256, -8]) {
      it(`are used only when offered: ${bits}`, async () => {
        const { engine, blocks, asked } = await board(bits);
        const key = randomBytes(32);
        const iv = randomBytes(16);
        const x = randomBytes(1000);
        const expected = [
          createHash("sha256").update(x).digest("hex"),
          toHex(createCipheriv("aes-256-ctr", key, iv).update(x)),
        ];
        expect(exercise(engine, key, iv, x)).toEqual(expected);
        expect(blocks).toEqual({ aes: 0, sha: 0 });
        engine.call("accelerator_probe");
        expect(exercise(engine, key, iv, x)).toEqual(expected);
        // 1000 bytes are 63 cipher blocks; with padding and length they are 16 hash blocks.
        expect(blocks).toEqual({ aes: bits & AES256 ? 63 : 0, sha: bits & SHA256 ? 16 : 0 });
        expect(asked()).toBe(1);
        engine.close();
      });
    }
  });
}
