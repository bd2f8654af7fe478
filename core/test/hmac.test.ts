// SPDX-License-Identifier: BSD-3-Clause
import { createHmac, randomBytes } from "node:crypto";
import { hmac } from "@noble/hashes/hmac";
import { sha256 } from "@noble/hashes/sha2";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { fromHex, hexAt, Io, runs, toHex } from "./engine/io.ts";
import { expectForgotten } from "./engine/scratch.ts";
import vectors from "./vectors/hmac.json" with { type: "json" };

const BAD_ARGUMENT = -4;

for (const factory of engines) {
  describe(`HMAC-SHA-256 on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    let ctxLen: number;
    beforeAll(async () => {
      engine = await factory.open();
      io = new Io(engine);
      ctxLen = engine.call("hmac_ctx_len");
    });
    beforeEach(() => io.reset());
    afterAll(() => engine.close());

    function mac(key: Uint8Array, parts: readonly Uint8Array[]): string {
      io.reset();
      const ctx = io.room(ctxLen);
      const out = io.room(32);
      expect(engine.call("hmac_init", ctx, io.put(key), key.length)).toBe(0);
      const x = io.room(2048);
      for (const part of parts) {
        engine.write(x, part);
        expect(engine.call("hmac_update", ctx, x, part.length)).toBe(0);
      }
      expect(engine.call("hmac_final", out, ctx)).toBe(0);
      expect(engine.read(ctx, ctxLen).every((byte) => byte === 0)).toBe(true);
      return hexAt(engine, out, 32);
    }

    it("gives the MACs of RFC 4231", () => {
      for (const { key, msg, tag } of vectors.rfc4231) {
        expect(mac(fromHex(key), [fromHex(msg)]).slice(0, tag.length)).toBe(tag);
      }
    });

    it("gives the valid MACs of Wycheproof and none of the invalid", () => {
      for (const { tcId, key, msg, tag, result } of vectors.wycheproof) {
        const same = mac(fromHex(key), [fromHex(msg)]) === tag;
        expect(same, `tcId ${tcId}`).toBe(result === "valid");
      }
    });

    it("takes keys of every length up to beyond two blocks", () => {
      const key = randomBytes(130);
      const x = randomBytes(70);
      for (let len = 0; len <= key.length; len++) {
        const expected = createHmac("sha256", key.subarray(0, len)).update(x).digest("hex");
        expect(toHex(hmac(sha256, key.subarray(0, len), x))).toBe(expected);
        expect(mac(key.subarray(0, len), [x]), `key of ${len} bytes`).toBe(expected);
      }
    });

    it("gives the same MAC however a message is cut", () => {
      const bytes = fc.uint8Array({ maxLength: 150 });
      fc.assert(
        fc.property(bytes, fc.array(bytes, { maxLength: 6 }), (key, parts) => {
          const expected = createHmac("sha256", key).update(Buffer.concat(parts)).digest("hex");
          expect(mac(key, parts)).toBe(expected);
        }),
        { numRuns: runs(engine) },
      );
    });

    it("keeps neither key nor message", () => {
      for (const length of [32, 64, 100]) {
        const key = randomBytes(length);
        const x = randomBytes(90);
        const ctx = io.room(ctxLen);
        engine.call("hmac_init", ctx, io.put(key), key.length);
        expectForgotten(engine, key);
        engine.call("hmac_update", ctx, io.put(x), x.length);
        expectForgotten(engine, key, x);
        engine.call("hmac_final", io.room(32), ctx);
        expectForgotten(engine, key, x);
      }
    });

    it("refuses ranges outside the I/O area", () => {
      const end = io.base + io.length;
      expect(engine.call("hmac_init", io.base - 1, io.base, 0)).toBe(BAD_ARGUMENT);
      expect(engine.call("hmac_init", io.base, end - 31, 32)).toBe(BAD_ARGUMENT);
      expect(engine.call("hmac_update", io.base, end, 1)).toBe(BAD_ARGUMENT);
      expect(engine.call("hmac_final", end - 31, io.base)).toBe(BAD_ARGUMENT);
    });
  });
}
