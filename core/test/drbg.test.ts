// SPDX-License-Identifier: BSD-3-Clause
import { createHmac, randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { fromHex, hexAt, Io, runs } from "./engine/io.ts";
import { expectForgotten } from "./engine/scratch.ts";
import vectors from "./vectors/drbg.json" with { type: "json" };

const BAD_ARGUMENT = -4;
const NO_ENTROPY = -19;

/** SP 800-90A §10.1.2 once more, from its text, over node:crypto. */
class Model {
  #k = Buffer.alloc(32, 0);
  #v = Buffer.alloc(32, 1);

  update(x: Uint8Array): void {
    for (const separator of x.length ? [0, 1] : [0]) {
      this.#k = this.#mac([this.#v, Buffer.of(separator), x]);
      this.#v = this.#mac([this.#v]);
    }
  }

  generate(len: number): string {
    const parts: Buffer[] = [];
    for (let have = 0; have < len; have += 32) {
      this.#v = this.#mac([this.#v]);
      parts.push(this.#v);
    }
    this.update(Buffer.alloc(0));
    return Buffer.concat(parts).subarray(0, len).toString("hex");
  }

  #mac(parts: readonly Uint8Array[]): Buffer<ArrayBuffer> {
    const mac = createHmac("sha256", this.#k);
    for (const part of parts) mac.update(part);
    return Buffer.from(mac.digest());
  }
}

for (const factory of engines) {
  describe(`HMAC-DRBG on ${factory.name}`, () => {
    let engine: Engine;
    let io: Io;
    beforeEach(async () => {
      engine = await factory.open();
      io = new Io(engine);
    });
    afterEach(() => engine.close());

    function feed(name: "drbg_seed" | "drbg_reseed", x: Uint8Array): number {
      io.reset();
      return engine.call(name, io.put(x), x.length);
    }

    function generate(len: number): string {
      io.reset();
      const out = io.room(len);
      expect(engine.call("drbg_generate", out, len)).toBe(0);
      return hexAt(engine, out, len);
    }

    it("gives the bits of the CAVP", () => {
      for (const { name, entropy, nonce, personalization, reseeds, returned } of vectors.cases) {
        expect(feed("drbg_seed", fromHex(entropy + nonce + personalization)), name).toBe(0);
        let bits = "";
        for (const reseed of reseeds) {
          if (reseed) expect(feed("drbg_reseed", fromHex(reseed)), name).toBe(0);
          bits = generate(128);
        }
        expect(bits, name).toBe(returned);
      }
    });

    it("follows the standard for any sequence of requests and seeds", () => {
      const step = fc.oneof(
        fc.record({ reseed: fc.uint8Array({ minLength: 32, maxLength: 200 }) }),
        fc.record({ generate: fc.integer({ min: 0, max: 200 }) }),
      );
      const seed = fc.uint8Array({ minLength: 48, maxLength: 200 });
      fc.assert(
        fc.property(seed, fc.array(step, { maxLength: 6 }), (first, steps) => {
          const model = new Model();
          model.update(first);
          expect(feed("drbg_seed", first)).toBe(0);
          for (const each of steps) {
            if ("reseed" in each) {
              model.update(each.reseed);
              expect(feed("drbg_reseed", each.reseed)).toBe(0);
            } else expect(generate(each.generate)).toBe(model.generate(each.generate));
          }
        }),
        { numRuns: runs(engine) },
      );
    });

    it("gives nothing before it is seeded", () => {
      const out = io.put(new Uint8Array(32).fill(0xaa));
      expect(engine.call("drbg_generate", out, 32)).toBe(NO_ENTROPY);
      expect(hexAt(engine, out, 32)).toBe("aa".repeat(32));
      expect(feed("drbg_reseed", randomBytes(32))).toBe(NO_ENTROPY);
      expect(feed("drbg_seed", randomBytes(47))).toBe(BAD_ARGUMENT);
      expect(engine.call("drbg_generate", out, 32)).toBe(NO_ENTROPY);
    });

    it("refuses a short reseed and keeps its state", () => {
      const seed = randomBytes(48);
      const model = new Model();
      model.update(seed);
      feed("drbg_seed", seed);
      expect(feed("drbg_reseed", randomBytes(31))).toBe(BAD_ARGUMENT);
      expect(generate(40)).toBe(model.generate(40));
    });

    it("forgets everything when it is seeded anew", () => {
      feed("drbg_seed", randomBytes(48));
      const first = generate(64);
      const seed = randomBytes(64);
      const model = new Model();
      model.update(seed);
      feed("drbg_seed", seed);
      const second = generate(64);
      expect(second).toBe(model.generate(64));
      expect(second).not.toBe(first);
    });

    it("keeps neither seed nor output", () => {
      const seed = randomBytes(80);
      feed("drbg_seed", seed);
      expectForgotten(engine, seed);
      const reseed = randomBytes(40);
      feed("drbg_reseed", reseed);
      expectForgotten(engine, seed, reseed);
      const bits = generate(96);
      expectForgotten(engine, seed, reseed, fromHex(bits));
    });

    it("refuses ranges outside the I/O area", () => {
      const end = io.base + io.length;
      expect(engine.call("drbg_seed", io.base - 48, 48)).toBe(BAD_ARGUMENT);
      expect(engine.call("drbg_reseed", end - 31, 32)).toBe(BAD_ARGUMENT);
      feed("drbg_seed", randomBytes(48));
      expect(engine.call("drbg_generate", end - 31, 32)).toBe(BAD_ARGUMENT);
    });
  });
}
