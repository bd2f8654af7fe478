// SPDX-License-Identifier: BSD-3-Clause
import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";
import { p256 } from "@noble/curves/nist";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { fromHex, hexAt, Io, toHex, utf8 } from "./engine/io.ts";
import { expectForgotten, expectScratchWiped } from "./engine/scratch.ts";
import cavp from "./vectors/cavp.json" with { type: "json" };
import wycheproof from "./vectors/ecdsa.json" with { type: "json" };
import pkam from "./vectors/interop/06-pkam.json" with { type: "json" };

const BAD_ARGUMENT = -4;
const BAD_SIGNATURE = -15;
const BAD_POINT = -16;
const NO_ENTROPY = -19;

const ORDER = p256.CURVE.n;
const bytes32 = (x: bigint) => fromHex(x.toString(16).padStart(64, "0"));
const sha256 = (x: Uint8Array): Uint8Array => createHash("sha256").update(x).digest();

/** RFC 6979 appendix A.2.5, SHA-256. */
const rfc6979 = {
  key: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
  cases: [
    {
      msg: "sample",
      r: "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
      s: "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    },
    {
      msg: "test",
      r: "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
      s: "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
    },
  ],
};

for (const factory of engines) {
  describe(`ECDSA P-256 on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    beforeAll(async () => {
      engine = await factory.open();
      io = new Io(engine);
    });
    beforeEach(() => io.reset());
    afterAll(() => engine.close());

    function signWith(hash: Uint8Array, priv: Uint8Array, extra = new Uint8Array(0)): string {
      io.reset();
      const sig = io.room(64);
      const args = [io.put(hash), io.put(priv), io.put(extra), extra.length];
      expect(engine.call("ecdsa_sign_with", sig, ...args)).toBe(0);
      expectScratchWiped(engine);
      return hexAt(engine, sig, 64);
    }

    function verified(hash: Uint8Array, sig: Uint8Array, pub: Uint8Array): number {
      io.reset();
      return engine.call("ecdsa_verify", io.put(hash), io.put(sig), io.put(pub));
    }

    it("signs as RFC 6979 A.2.5", () => {
      const priv = fromHex(rfc6979.key);
      for (const { msg, r, s } of rfc6979.cases) {
        expect(signWith(sha256(utf8(msg)), priv)).toBe(r + s);
      }
    });

    it("signs any hash with any key as the oracle, additional data included", () => {
      const scalars = fc.bigInt({ min: 1n, max: ORDER - 1n });
      const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
      fc.assert(
        fc.property(scalars, bytes(32), bytes(32), (k, hash, extra) => {
          const key = bytes32(k);
          const plain = p256.sign(hash, key, { lowS: false }).toCompactHex();
          expect(signWith(hash, key)).toBe(plain);
          const hedged = p256.sign(hash, key, { lowS: false, extraEntropy: extra }).toCompactHex();
          expect(signWith(hash, key, extra)).toBe(hedged);
          expect(verified(hash, fromHex(hedged), p256.getPublicKey(key, false))).toBe(0);
        }),
        { numRuns: engine.name !== "v8" ? 2 : 30 },
      );
    });

    it("signs hashes of n and above as their residues", () => {
      for (const z of [0n, ORDER, ORDER + 1n, (1n << 256n) - 1n]) {
        const expected = p256.sign(bytes32(z), bytes32(7n), { lowS: false }).toCompactHex();
        expect(signWith(bytes32(z), bytes32(7n))).toBe(expected);
        const pub = p256.getPublicKey(bytes32(7n), false);
        expect(verified(bytes32(z), fromHex(expected), pub)).toBe(0);
      }
    });

    it("leaves nothing of the key behind", () => {
      const priv = Uint8Array.from(randomBytes(32));
      priv[0] = 1;
      signWith(sha256(priv), priv, randomBytes(32));
      expectForgotten(engine, priv);
    });

    it("verifies the signatures of NIST's SigGen component test and none with a bit changed", () => {
      for (const { hash, public: pub, sig } of cavp.sigGen) {
        expect(verified(fromHex(hash), fromHex(sig), fromHex(pub))).toBe(0);
        const bad = fromHex(sig);
        bad[40] = (bad[40] ?? 0) ^ 4;
        expect(verified(fromHex(hash), bad, fromHex(pub))).toBe(BAD_SIGNATURE);
      }
    });

    it("gives the verdicts of NIST's signature verification test", () => {
      for (const { msg, public: pub, sig, result, why } of cavp.sigVer) {
        const verdict = verified(sha256(fromHex(msg)), fromHex(sig), fromHex(pub));
        expect(verdict, why).toBe(result === "P" ? 0 : BAD_SIGNATURE);
      }
    });

    it("gives the verdicts of Wycheproof", () => {
      const cases = wycheproof.cases.filter((_, i) => engine.name === "v8" || i % 8 === 0);
      for (const { tcId, key, msg, sig, result } of cases) {
        if (sig.length !== 128) continue; // the length is not the core's to judge
        const pub = fromHex(wycheproof.keys[key] ?? "");
        const verdict = verified(sha256(fromHex(msg)), fromHex(sig), pub);
        expect(verdict, `tcId ${tcId}`).toBe(result === "valid" ? 0 : BAD_SIGNATURE);
      }
    });

    it("verifies and makes the PKAM signature of the interop vectors", () => {
      const { publicKeyHex, privateScalarHex, compactHex } = pkam.ecc_secp256r1;
      const hash = sha256(utf8(pkam.challenge));
      expect(verified(hash, fromHex(compactHex), fromHex(publicKeyHex))).toBe(0);
      const mine = signWith(hash, fromHex(privateScalarHex));
      expect(verified(hash, fromHex(mine), fromHex(publicKeyHex))).toBe(0);
      const spki = Buffer.from(
        `3059301306072a8648ce3d020106082a8648ce3d030107034200${publicKeyHex}`,
        "hex",
      );
      const key = createPublicKey({ key: spki, format: "der", type: "spki" });
      const wire = { key, dsaEncoding: "ieee-p1363" as const };
      expect(verify("sha256", utf8(pkam.challenge), wire, fromHex(mine))).toBe(true);
    });

    it("refuses r and s outside 1..n-1", () => {
      const hash = sha256(utf8("x"));
      const pub = p256.getPublicKey(bytes32(9n), false);
      const good = p256.sign(hash, bytes32(9n), { lowS: false });
      expect(verified(hash, good.toCompactRawBytes(), pub)).toBe(0);
      for (const bad of [0n, ORDER, ORDER + good.r, (1n << 256n) - 1n]) {
        if (bad >= 1n << 256n) continue;
        const r = toHex(bytes32(bad)) + toHex(bytes32(good.s));
        const s = toHex(bytes32(good.r)) + toHex(bytes32(bad));
        expect(verified(hash, fromHex(r), pub)).toBe(BAD_SIGNATURE);
        expect(verified(hash, fromHex(s), pub)).toBe(BAD_SIGNATURE);
      }
    });

    it("refuses signatures whose point is at infinity or meets the key", () => {
      // With key G and hash z, u1 + u2 = (z + r) / s = 0 when r = -z: the sum is at infinity.
      const pub = p256.getPublicKey(bytes32(1n), false);
      const sig = toHex(bytes32(ORDER - 5n)) + toHex(bytes32(3n));
      expect(verified(bytes32(5n), fromHex(sig), pub)).toBe(BAD_SIGNATURE);
      // A key equal or opposite to a table's point makes additions meet equal and opposite points.
      for (const k of [1n, 2n, 3n, ORDER - 1n, ORDER - 2n]) {
        const made = p256.sign(bytes32(11n), bytes32(k), { lowS: false }).toCompactRawBytes();
        const key = p256.getPublicKey(bytes32(k), false);
        expect(verified(bytes32(11n), made, key)).toBe(0);
        expect(verified(bytes32(12n), made, key)).toBe(BAD_SIGNATURE);
      }
    });

    it("refuses keys that are no points and scalars out of range", () => {
      io.reset();
      const hash = io.put(new Uint8Array(32));
      const sig = io.put(new Uint8Array(64).fill(1));
      const pub = io.put(Uint8Array.from([4, ...new Uint8Array(64).fill(1)]));
      expect(engine.call("ecdsa_verify", hash, sig, pub)).toBe(BAD_POINT);
      for (const k of [0n, ORDER]) {
        const priv = io.put(bytes32(k));
        expect(engine.call("ecdsa_sign_with", sig, hash, priv, priv, 0)).toBe(BAD_POINT);
      }
      expect(engine.call("ecdsa_verify", hash, sig, io.base - 1)).toBe(BAD_ARGUMENT);
      expect(engine.call("ecdsa_sign_with", sig, hash, pub, pub, io.length)).toBe(BAD_ARGUMENT);
    });

    it("hedges with the DRBG: other nonces every time, all valid", async () => {
      const fresh = await factory.open();
      const area = new Io(fresh);
      const sig = area.room(64);
      const hash = area.put(sha256(utf8("hedged")));
      const priv = area.put(bytes32(77n));
      const pub = area.put(p256.getPublicKey(bytes32(77n), false));
      expect(fresh.call("ecdsa_sign", sig, hash, priv)).toBe(NO_ENTROPY);
      expect(hexAt(fresh, sig, 64)).toBe("00".repeat(64));
      fresh.call("drbg_seed", area.put(new Uint8Array(48).fill(1)), 48);
      const seen = new Set<string>();
      for (let i = 0; i < 3; i++) {
        expect(fresh.call("ecdsa_sign", sig, hash, priv)).toBe(0);
        expect(fresh.call("ecdsa_verify", hash, sig, pub)).toBe(0);
        seen.add(hexAt(fresh, sig, 64));
      }
      expect(seen.size).toBe(3);
      fresh.close();
    });
  });
}
