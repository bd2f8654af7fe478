// SPDX-License-Identifier: BSD-3-Clause
import { constants, createPrivateKey, generateKeyPairSync, privateDecrypt } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine, HalFunctions } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { hexAt, Io, toHex } from "./engine/io.ts";
import { numbersOf, privateBytes, privateFromPkcs8, sized } from "./engine/rsaKey.ts";
import { expectForgotten, expectScratchWiped } from "./engine/scratch.ts";
import vectors from "./vectors/interop/01-rsa-sign.json" with { type: "json" };

const BAD_ARGUMENT = -4;
const BAD_RSA_KEY = -17;
const FAULT = -18;
const NO_ENTROPY = -19;

const MOD_EXP = 1;

/** Offsets of core/crypto/rsa/rsaKey.ts. */
const at = { n: 0, e: 256, p: 260, q: 388, dp: 516, dq: 644, qi: 772 };

const fixed = privateFromPkcs8(vectors.privateKeyPkcs8Base64);

const toNumber = (x: Uint8Array) => BigInt(`0x${toHex(x) || "0"}`);
const toBytes = (x: bigint, len = 256) =>
  sized(Buffer.from(x.toString(16).padStart(2 * len, "0"), "hex"), len);

/** x^e mod n by squaring. */
function modExp(x: bigint, e: bigint, n: bigint): bigint {
  let result = 1n;
  for (let base = x % n, rest = e; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * base) % n;
    base = (base * base) % n;
  }
  return result;
}

const modulus = (key: Uint8Array) => toNumber(key.subarray(0, 256));

/** A board's modular exponentiation, counting its calls. */
function nativeModExp(engine: Engine, calls: number[]): Partial<HalFunctions> {
  return {
    accelerators: () => MOD_EXP,
    accel_mod_exp(out, x, e, eLen, n, nLen) {
      calls.push(nLen);
      const [base, power, mod] = [engine.read(x, nLen), engine.read(e, eLen), engine.read(n, nLen)];
      expect(toNumber(base) < toNumber(mod)).toBe(true);
      engine.write(out, toBytes(modExp(toNumber(base), toNumber(power), toNumber(mod)), nLen));
      return 0;
    },
  };
}

for (const factory of engines) {
  const slow = factory.name === "wasm3";

  describe(`RSA-2048 on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    beforeAll(async () => {
      engine = await factory.open();
      io = new Io(engine);
      engine.call("drbg_seed", io.put(new Uint8Array(48).fill(3)), 48);
    });
    beforeEach(() => io.reset());
    afterAll(() => engine.close());

    /** The result of an export, or its status; out stays untouched then. */
    function power(name: "rsa_public" | "rsa_private", x: Uint8Array, key: Uint8Array) {
      io.reset();
      const out = io.room(256);
      const status = engine.call(name, out, io.put(x), io.put(key));
      expectScratchWiped(engine);
      if (status === 0) return toNumber(engine.read(out, 256));
      expect(hexAt(engine, out, 256)).toBe("00".repeat(256));
      return status;
    }

    it("raises 0, 1, n - 1 and any other number to e", () => {
      const n = modulus(fixed);
      const numbers = fc.bigInt({ min: 0n, max: n - 1n });
      const edges = [
        0n,
        1n,
        2n,
        n - 1n,
        n - 2n,
        (1n << 2047n) - 1n,
        1n << 1044n,
        (1n << 1044n) - 1n,
      ];
      for (const x of edges) {
        expect(power("rsa_public", toBytes(x), fixed)).toBe(modExp(x, 65537n, n));
      }
      fc.assert(
        fc.property(
          numbers,
          (x) => power("rsa_public", toBytes(x), fixed) === modExp(x, 65537n, n),
        ),
        { numRuns: slow ? 3 : 50 },
      );
    });

    it("raises to any odd e from 3 to 2^32 - 1", () => {
      const n = modulus(fixed);
      for (const e of [3, 5, 17, 257, 65539, 0x7fffffff, 0xfffffffd, 0xffffffff]) {
        const key = Uint8Array.from(fixed.subarray(0, 260));
        key.set(toBytes(BigInt(e), 4), at.e);
        expect(power("rsa_public", toBytes(n - 12345n), key)).toBe(
          modExp(n - 12345n, BigInt(e), n),
        );
      }
    });

    it("takes its own results back to the number, edges included", () => {
      const n = modulus(fixed);
      const [p, q] = [toNumber(fixed.subarray(at.p, at.q)), toNumber(fixed.subarray(at.q, at.dp))];
      const edges = [0n, 1n, 2n, n - 1n, p, q, p - 1n, q + 1n, n - p, (1n << 1044n) - 1n];
      for (const y of slow ? edges.slice(0, 5) : edges) {
        expect(power("rsa_private", toBytes(modExp(y, 65537n, n)), fixed)).toBe(y);
      }
    });

    it("agrees with node:crypto on fresh keys, and when p < q", () => {
      for (let i = 0; i < (slow ? 1 : 4); i++) {
        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
        const numbers = numbersOf(privateKey);
        const x = toBytes(modulus(privateBytes(numbers)) >> 3n);
        const padding = constants.RSA_NO_PADDING;
        const expected = toNumber(privateDecrypt({ key: privateKey, padding }, x));
        expect(power("rsa_private", x, privateBytes(numbers))).toBe(expected);
        const { p, q } = numbers;
        const qi = toBytes(modExp(toNumber(p), toNumber(q) - 2n, toNumber(q)), 128);
        const swapped = { ...numbers, p: q, q: p, dp: numbers.dq, dq: numbers.dp, qi };
        expect(power("rsa_private", x, privateBytes(swapped))).toBe(expected);
      }
    });

    it("blinds: the same number twice gives the same result from other randomness", () => {
      const x = toBytes(0xabcdefn);
      const first = power("rsa_private", x, fixed);
      expect(power("rsa_private", x, fixed)).toBe(first);
      expect(typeof first).toBe("bigint");
    });

    it("leaves nothing of the key behind", () => {
      io.reset();
      const out = io.room(256);
      expect(engine.call("rsa_private", out, io.put(toBytes(99n)), io.put(fixed))).toBe(0);
      expectForgotten(engine, fixed.subarray(at.p, 1156), engine.read(out, 256));
    });

    it("refuses numbers of n and above", () => {
      const n = modulus(fixed);
      for (const x of [n, n + 1n, (1n << 2048n) - 1n]) {
        expect(power("rsa_public", toBytes(x), fixed)).toBe(BAD_ARGUMENT);
        expect(power("rsa_private", toBytes(x), fixed)).toBe(BAD_ARGUMENT);
      }
    });

    function changed(offset: number, bits: number): Uint8Array {
      const key = Uint8Array.from(fixed);
      key[offset] = (key[offset] ?? 0) ^ bits;
      return key;
    }

    it("refuses keys of another size, even numbers and small exponents", () => {
      const x = toBytes(5n);
      for (const key of [changed(at.n, 0x80), changed(at.n + 255, 1), changed(at.e + 3, 1)]) {
        expect(power("rsa_public", x, key)).toBe(BAD_RSA_KEY);
        expect(power("rsa_private", x, key)).toBe(BAD_RSA_KEY);
      }
      const one = Uint8Array.from(fixed);
      one.set([0, 0, 0, 1], at.e);
      expect(power("rsa_public", x, one)).toBe(BAD_RSA_KEY);
      for (const offset of [at.p, at.q]) {
        expect(power("rsa_private", x, changed(offset, 0x80))).toBe(BAD_RSA_KEY);
        expect(power("rsa_private", x, changed(offset + 127, 1))).toBe(BAD_RSA_KEY);
      }
    });

    it("releases nothing when a part of the key is wrong", () => {
      const x = toBytes(0x1234567890n);
      for (const part of slow
        ? [at.dp + 60]
        : [at.p, at.q, at.dp, at.dq, at.qi].map((i) => i + 60)) {
        const status = power("rsa_private", x, changed(part, 0x10));
        expect([BAD_RSA_KEY, FAULT], `byte ${part}`).toContain(status);
      }
      // An exponent above p - 1 cannot be a CRT part.
      const large = Uint8Array.from(fixed);
      large.fill(0xff, at.dp, at.dq);
      expect(power("rsa_private", x, large)).toBe(BAD_RSA_KEY);
    });

    it("takes the keys of the interop vectors, whose d is short", () => {
      const der = Buffer.from(vectors.privateKeyPkcs8Base64, "base64");
      const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
      const x = toBytes(0xdeadbeefn);
      const expected = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, x);
      expect(power("rsa_private", x, fixed)).toBe(toNumber(expected));
    });
  });

  describe(`RSA-2048 with an accelerator on ${factory.name}`, () => {
    async function accelerated(fault?: (hal: Partial<HalFunctions>) => Partial<HalFunctions>) {
      const calls: number[] = [];
      const engine = await factory.open((made) => {
        const hal = nativeModExp(made, calls);
        return fault ? fault(hal) : hal;
      });
      const io = new Io(engine);
      engine.call("accelerator_probe");
      return { engine, io, calls };
    }

    it("gives the same results, by the board's exponentiation, without entropy", async () => {
      const { engine, io, calls } = await accelerated();
      const x = toBytes(modulus(fixed) - 77n);
      const [out, input, key] = [io.room(256), io.put(x), io.put(fixed)];
      expect(engine.call("rsa_public", out, input, key)).toBe(0);
      expect(calls).toEqual([256]);
      expect(toNumber(engine.read(out, 256))).toBe(modExp(toNumber(x), 65537n, modulus(fixed)));
      expect(engine.call("rsa_private", out, out, key)).toBe(0);
      expect(calls).toEqual([256, 128, 128, 256]);
      expect(hexAt(engine, out, 256)).toBe(toHex(x));
      expectForgotten(engine, fixed.subarray(at.p, 1156));
      engine.close();
    });

    it("releases nothing when the board computes wrong or fails", async () => {
      for (const failing of [true, false]) {
        const { engine, io } = await accelerated((hal) => ({
          ...hal,
          accel_mod_exp(out, x, e, eLen, n, nLen) {
            const status = hal.accel_mod_exp?.(out, x, e, eLen, n, nLen) ?? -1;
            if (nLen === 256) return status;
            if (failing) return -1;
            engine.write(
              out + nLen - 1,
              engine.read(out + nLen - 1, 1).map((byte) => byte ^ 1),
            );
            return status;
          },
        }));
        const out = io.room(256);
        const args = [io.put(toBytes(4321n)), io.put(fixed)];
        expect(engine.call("rsa_private", out, ...args)).toBe(FAULT);
        expect(hexAt(engine, out, 256)).toBe("00".repeat(256));
        expectScratchWiped(engine);
        engine.close();
      }
    });
  });

  describe(`RSA-2048 without entropy on ${factory.name}`, () => {
    it("makes no private operation, since it could not blind it", async () => {
      const engine = await factory.open();
      const io = new Io(engine);
      const out = io.room(256);
      expect(engine.call("rsa_private", out, io.put(toBytes(2n)), io.put(fixed))).toBe(NO_ENTROPY);
      expect(hexAt(engine, out, 256)).toBe("00".repeat(256));
      expectScratchWiped(engine);
      engine.close();
    });
  });
}
