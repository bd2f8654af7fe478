// SPDX-License-Identifier: BSD-3-Clause
import { p256 } from "@noble/curves/nist";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { fromHex, hexAt, Io, toHex } from "./engine/io.ts";
import { expectForgotten, expectScratchWiped } from "./engine/scratch.ts";
import cavp from "./vectors/cavp.json" with { type: "json" };

const BAD_ARGUMENT = -4;
const BAD_POINT = -16;
const NO_ENTROPY = -19;

const ORDER = p256.CURVE.n;
const PRIME = p256.CURVE.Fp.ORDER;

const bytes32 = (x: bigint) => fromHex(x.toString(16).padStart(64, "0"));
const oracle = (k: bigint) => toHex(p256.getPublicKey(bytes32(k), false));

/** Scalars around the edges of the recoding, and those whose last addition meets two equal points. */
const edgeScalars = [
  ...[1n, 2n, 3n, 4n, 15n, 16n, 17n, 31n, 32n, 33n, 34n, 1n << 52n, (1n << 52n) - 1n, 1n << 208n],
  ...[1n, 2n, 3n, 15n, 16n, 17n, 33n, 34n].map((x) => ORDER - x),
  ...combDoublings(),
];

/** n - 2 v and 2 v for the comb's columns v = 2^208 +- 2^156 +- 2^104 +- 2^52 +- 1: the last addition doubles. */
function combDoublings(): bigint[] {
  return Array.from({ length: 16 }, (_, signs) => {
    const teeth = [0, 1, 2, 3].map((t) => (signs >> t) & 1);
    return teeth.reduce((v, plus, t) => {
      const tooth = 1n << BigInt(52 * t);
      return plus ? v + tooth : v - tooth;
    }, 1n << 208n);
  }).flatMap((v) => [ORDER - 2n * v, 2n * v, v]);
}

for (const factory of engines) {
  describe(`P-256 on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    beforeAll(async () => {
      engine = await factory.open();
      io = new Io(engine);
    });
    beforeEach(() => io.reset());
    afterAll(() => engine.close());

    function publicKey(scalar: bigint): string {
      io.reset();
      const pub = io.room(65);
      const secret = bytes32(scalar);
      expect(engine.call("p256_public_key", pub, io.put(secret))).toBe(0);
      expectScratchWiped(engine);
      return hexAt(engine, pub, 65);
    }

    it("gives the public keys of scalars at every edge", () => {
      for (const k of edgeScalars) expect(publicKey(k), k.toString(16)).toBe(oracle(k));
    });

    it("gives the public keys of any scalar", () => {
      const scalars = fc.bigInt({ min: 1n, max: ORDER - 1n });
      fc.assert(
        fc.property(scalars, (k) => publicKey(k) === oracle(k)),
        { numRuns: engine.name !== "v8" ? 5 : 50 },
      );
    });

    it("refuses scalars outside 1..n-1 and writes nothing", () => {
      for (const k of [0n, ORDER, ORDER + 1n, (1n << 256n) - 1n]) {
        io.reset();
        const pub = io.room(65);
        expect(engine.call("p256_public_key", pub, io.put(bytes32(k)))).toBe(BAD_POINT);
        expect(hexAt(engine, pub, 65)).toBe("00".repeat(65));
      }
    });

    function check(point: Uint8Array): number {
      io.reset();
      return engine.call("p256_check", io.put(point));
    }

    it("gives the public keys of NIST's key pair tests", () => {
      for (const { d, public: pub } of cavp.keyPair) expect(publicKey(BigInt(`0x${d}`))).toBe(pub);
      for (const { d, own } of cavp.cdh) expect(publicKey(BigInt(`0x${d}`))).toBe(own);
    });

    it("gives the verdicts of NIST's public key validation tests", () => {
      // Coordinates of more than 32 bytes are out of range before the core could see them.
      const cases = cavp.pkv.filter(
        ({ x, y }) => BigInt(`0x${x}`) >> 256n === 0n && BigInt(`0x${y}`) >> 256n === 0n,
      );
      expect(new Set(cases.map(({ result }) => result))).toEqual(new Set(["P", "F"]));
      for (const { x, y, result, why } of cases) {
        const point = [x, y].map((half) => toHex(bytes32(BigInt(`0x${half}`))));
        expect(check(fromHex(`04${point.join("")}`)), why).toBe(result === "P" ? 0 : BAD_POINT);
      }
    });

    it("accepts points of the curve only", () => {
      const good = p256.getPublicKey(bytes32(0x1234567n), false);
      expect(check(good)).toBe(0);
      for (let i = 0; i < 65; i++) {
        const bad = Uint8Array.from(good);
        bad[i] = (bad[i] ?? 0) ^ (1 << (i & 7));
        expect(check(bad), `byte ${i} changed`).toBe(BAD_POINT);
      }
      for (const form of [0, 2, 3, 5, 6, 7]) {
        expect(check(Uint8Array.from([form, ...good.subarray(1)]))).toBe(BAD_POINT);
      }
    });

    it("refuses coordinates of p and above, though they are right modulo p", () => {
      // x = 0 and x = 5 are on the curve; their y is taken from the curve's equation.
      for (const x of [0n, 5n]) {
        const { y } = p256.ProjectivePoint.fromHex(`02${toHex(bytes32(x))}`).toAffine();
        expect(check(fromHex(`04${toHex(bytes32(x))}${toHex(bytes32(y))}`))).toBe(0);
        expect(check(fromHex(`04${toHex(bytes32(x + PRIME))}${toHex(bytes32(y))}`))).toBe(
          BAD_POINT,
        );
      }
      const ones = `${"ff".repeat(32)}`;
      expect(check(fromHex(`04${ones}${ones}`))).toBe(BAD_POINT);
      expect(check(new Uint8Array(65))).toBe(BAD_POINT);
      expect(check(Uint8Array.from([4, ...new Uint8Array(64)]))).toBe(BAD_POINT);
    });

    it("touches the I/O area alone", () => {
      const end = io.base + io.length;
      expect(engine.call("p256_public_key", end - 64, io.base)).toBe(BAD_ARGUMENT);
      expect(engine.call("p256_public_key", io.base, end - 31)).toBe(BAD_ARGUMENT);
      expect(engine.call("p256_check", io.base - 1)).toBe(BAD_ARGUMENT);
      expect(engine.call("p256_keygen", end - 31, io.base)).toBe(BAD_ARGUMENT);
    });
  });

  describe(`P-256 key generation on ${factory.name}`, () => {
    it("needs entropy, then gives valid pairs that differ", async () => {
      const engine = await factory.open();
      const io = new Io(engine);
      const priv = io.room(32);
      const pub = io.room(65);
      expect(engine.call("p256_keygen", priv, pub)).toBe(NO_ENTROPY);
      expect(hexAt(engine, priv, 32)).toBe("00".repeat(32));
      expect(engine.call("drbg_seed", io.put(new Uint8Array(48).fill(7)), 48)).toBe(0);
      const seen = new Set<string>();
      for (let i = 0; i < 3; i++) {
        expect(engine.call("p256_keygen", priv, pub)).toBe(0);
        expectForgotten(engine, engine.read(priv, 32));
        expect(hexAt(engine, pub, 65)).toBe(oracle(BigInt(`0x${hexAt(engine, priv, 32)}`)));
        seen.add(hexAt(engine, priv, 32));
      }
      expect(seen.size).toBe(3);
      engine.close();
    });
  });
}
