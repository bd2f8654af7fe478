// SPDX-License-Identifier: BSD-3-Clause
import { createHash, randomBytes } from "node:crypto";
import { sha256, sha512 } from "@noble/hashes/sha2";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { fromHex, hexAt, Io, runs, toHex, utf8 } from "./engine/io.ts";
import { expectForgotten, expectScratchWiped } from "./engine/scratch.ts";
import cram from "./vectors/interop/05-cram.json" with { type: "json" };
import vectors from "./vectors/sha.json" with { type: "json" };

const BAD_ARGUMENT = -4;
const noble = { sha256, sha512 };
const hashes = [
  { name: "sha256", bytes: 32, block: 64, cases: vectors.sha256, million: vectors.millionA.sha256 },
  {
    name: "sha512",
    bytes: 64,
    block: 128,
    cases: vectors.sha512,
    million: vectors.millionA.sha512,
  },
] as const;

for (const factory of engines) {
  for (const hash of hashes) {
    describe(`${hash.name} on ${factory.name}`, () => {
      let engine: Engine;
      let io: Io;
      beforeAll(async () => {
        engine = await factory.open();
        io = new Io(engine);
      });
      beforeEach(() => io.reset());
      afterAll(() => engine.close());

      /** What two independent implementations agree on. */
      function oracle(x: Uint8Array): string {
        const expected = createHash(hash.name).update(x).digest("hex");
        expect(toHex(noble[hash.name](x))).toBe(expected);
        return expected;
      }

      function digest(x: Uint8Array, skew = 0): string {
        io.reset();
        const out = io.room(hash.bytes);
        expect(engine.call(`${hash.name}_hash`, out, io.put(x, skew), x.length)).toBe(0);
        return hexAt(engine, out, hash.bytes);
      }

      function chunked(parts: readonly Uint8Array[]): string {
        io.reset();
        const ctx = io.room(engine.call(`${hash.name}_ctx_len`));
        const out = io.room(hash.bytes);
        const x = io.room(4096);
        expect(engine.call(`${hash.name}_init`, ctx)).toBe(0);
        for (const part of parts) {
          engine.write(x, part);
          expect(engine.call(`${hash.name}_update`, ctx, x, part.length)).toBe(0);
        }
        expect(engine.call(`${hash.name}_final`, out, ctx)).toBe(0);
        expect(engine.read(ctx, engine.call(`${hash.name}_ctx_len`)).every((b) => b === 0)).toBe(
          true,
        );
        return hexAt(engine, out, hash.bytes);
      }

      it("gives the digests of the standard's examples", () => {
        for (const { msg, digest: expected } of hash.cases) {
          expect(digest(fromHex(msg))).toBe(expected);
        }
      });

      it("gives the digest of a million a", () => {
        const part = utf8("a".repeat(4000));
        expect(chunked(Array<Uint8Array>(250).fill(part))).toBe(hash.million);
      });

      it("agrees with an independent implementation at every length around three blocks", () => {
        const x = randomBytes(3 * hash.block + 2);
        for (let len = 0; len <= x.length; len++) {
          expect(digest(x.subarray(0, len)), `length ${len}`).toBe(oracle(x.subarray(0, len)));
        }
      });

      it("takes a message at any address", () => {
        const x = randomBytes(300);
        for (let skew = 0; skew < 8; skew++) expect(digest(x, skew)).toBe(oracle(x));
      });

      it("gives the same digest at every split in two", () => {
        const x = randomBytes(2 * hash.block + 3);
        const expected = oracle(x);
        for (let at = 0; at <= x.length; at++) {
          expect(chunked([x.subarray(0, at), x.subarray(at)]), `split at ${at}`).toBe(expected);
        }
      });

      it("gives the same digest however a message is cut", () => {
        const part = fc.uint8Array({ maxLength: 3 * hash.block });
        fc.assert(
          fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
            expect(chunked(parts)).toBe(oracle(Buffer.concat(parts)));
          }),
          { numRuns: runs(engine) },
        );
      });

      it("may write its digest over the message", () => {
        const x = randomBytes(100);
        const ptr = io.put(x);
        expect(engine.call(`${hash.name}_hash`, ptr, ptr, x.length)).toBe(0);
        expect(hexAt(engine, ptr, hash.bytes)).toBe(oracle(x));
      });

      it("leaves nothing of the message behind", () => {
        const x = randomBytes(200);
        digest(x);
        expectForgotten(engine, x);
        const ctx = io.room(engine.call(`${hash.name}_ctx_len`));
        const ptr = io.put(x);
        engine.call(`${hash.name}_init`, ctx);
        expectScratchWiped(engine);
        engine.call(`${hash.name}_update`, ctx, ptr, x.length);
        expectForgotten(engine, x);
      });

      it("refuses ranges outside the I/O area", () => {
        const inside = io.base;
        const end = io.base + io.length;
        for (const [out, x, len] of [
          [inside, inside - 1, 1],
          [inside, end - 1, 2],
          [inside, inside, 0xffffffff],
          [inside, end + 1, 0],
          [end - hash.bytes + 1, inside, 0],
          [inside - 1, inside, 0],
        ] as const) {
          expect(engine.call(`${hash.name}_hash`, out, x, len)).toBe(BAD_ARGUMENT);
        }
        expect(engine.call(`${hash.name}_init`, inside - 8)).toBe(BAD_ARGUMENT);
        expect(engine.call(`${hash.name}_update`, end - 8, inside, 0)).toBe(BAD_ARGUMENT);
        expect(engine.call(`${hash.name}_final`, inside, end - 8)).toBe(BAD_ARGUMENT);
      });
    });
  }

  describe(`atProtocol, the cram verb, on ${factory.name}`, () => {
    it("hashes secret and challenge as text", async () => {
      const engine = await factory.open();
      const io = new Io(engine);
      const x = utf8(cram.cramSecret + cram.challenge);
      const out = io.room(64);
      expect(engine.call("sha512_hash", out, io.put(x), x.length)).toBe(0);
      expect(hexAt(engine, out, 64)).toBe(cram.digestHex);
      engine.close();
    });
  });
}
