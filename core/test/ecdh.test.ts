// SPDX-License-Identifier: BSD-3-Clause
import { randomBytes } from "node:crypto";
import { p256 } from "@noble/curves/nist";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { fromHex, hexAt, Io, toHex } from "./engine/io.ts";
import { sized } from "./engine/rsaKey.ts";
import { expectForgotten, expectScratchWiped } from "./engine/scratch.ts";
import cavp from "./vectors/cavp.json" with { type: "json" };
import wycheproof from "./vectors/ecdh.json" with { type: "json" };

const BAD_ARGUMENT = -4;
const BAD_POINT = -16;
const ORDER = p256.CURVE.n;
const bytes32 = (x: bigint) => fromHex(x.toString(16).padStart(64, "0"));

for (const factory of engines) {
  describe(`ECDH P-256 on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    beforeAll(async () => {
      engine = await factory.open();
      io = new Io(engine);
    });
    beforeEach(() => io.reset());
    afterAll(() => engine.close());

    /** The shared secret, or the status. */
    function shared(priv: Uint8Array, pub: Uint8Array): string | number {
      io.reset();
      const out = io.room(32);
      const status = engine.call("ecdh", out, io.put(priv), io.put(pub));
      expectScratchWiped(engine);
      if (status === 0) return hexAt(engine, out, 32);
      expect(hexAt(engine, out, 32)).toBe("00".repeat(32));
      return status;
    }

    it("gives the secrets of NIST's ECC CDH primitive test", () => {
      for (const { peer, d, z } of cavp.cdh) expect(shared(fromHex(d), fromHex(peer))).toBe(z);
    });

    it("gives the verdicts and secrets of Wycheproof", () => {
      const every = engine.name === "v8" ? 1 : 10;
      for (const {
        tcId,
        public: pub,
        private: priv,
        shared: secret,
        result,
      } of wycheproof.cases.filter((_, i) => i % every === 0)) {
        // Compressed points are not offered, so 65 bytes is the only length.
        if (pub.length !== 130) continue;
        const verdict = shared(sized(fromHex(priv), 32), fromHex(pub));
        expect(verdict, `tcId ${tcId}`).toBe(result === "invalid" ? BAD_POINT : secret);
      }
    });

    it("multiplies by every edge of the window, where two equal points meet", () => {
      const pub = p256.getPublicKey(bytes32(0xdecafn), false);
      for (const k of [1n, 2n, 3n, 4n, 14n, 15n, 16n, 17n, 18n, 34n, 1n << 255n]) {
        for (const scalar of [k, ORDER - k]) {
          const expected = toHex(p256.getSharedSecret(bytes32(scalar), pub, false).subarray(1, 33));
          expect(shared(bytes32(scalar), pub), scalar.toString(16)).toBe(expected);
        }
      }
    });

    it("agrees with the oracle on any keys, both ways round", () => {
      const scalars = fc.bigInt({ min: 1n, max: ORDER - 1n });
      fc.assert(
        fc.property(scalars, scalars, (a, b) => {
          const pubA = p256.getPublicKey(bytes32(a), false);
          const pubB = p256.getPublicKey(bytes32(b), false);
          const expected = toHex(p256.getSharedSecret(bytes32(a), pubB, false).subarray(1, 33));
          expect(shared(bytes32(a), pubB)).toBe(expected);
          expect(shared(bytes32(b), pubA)).toBe(expected);
        }),
        { numRuns: engine.name !== "v8" ? 2 : 40 },
      );
    });

    it("leaves nothing of the key and the secret behind", () => {
      const priv = Uint8Array.from(randomBytes(32));
      priv[0] = 1;
      const secret = shared(priv, p256.getPublicKey(randomBytes(32), false));
      expectForgotten(engine, priv, fromHex(String(secret)));
    });

    it("refuses scalars out of range and arguments outside the I/O area", () => {
      const pub = p256.getPublicKey(bytes32(5n), false);
      for (const k of [0n, ORDER, (1n << 256n) - 1n])
        expect(shared(bytes32(k), pub)).toBe(BAD_POINT);
      expect(engine.call("ecdh", io.base, io.base, io.base + io.length - 64)).toBe(BAD_ARGUMENT);
    });
  });
}
