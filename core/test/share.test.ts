// SPDX-License-Identifier: BSD-3-Clause
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { engines } from "./engine/engines.ts";
import { Kind } from "./session/device.ts";
import { loggedIn } from "./session/fixtures.ts";
import { alpha, bravo, checksumOf, encryptValue, unwrapKey, wrapKey } from "./session/world.ts";

const K = "QndhgiV8AVf86jFRAsOBlPU0eZMWOym5u1xgzjPCFLc=";
const OTHER = alpha.apkamSymmetricKeyBase64;

for (const factory of engines) {
  describe(`shared keys on ${factory.name}`, () => {
    test("five peers are remembered; the one unused longest is asked for again", async () => {
      const { world, device } = await loggedIn(factory);
      const peers = ["a", "b", "c", "d", "e", "f"];
      for (const p of peers) {
        world.records.set(`public:publickey@${p}`, { value: bravo.encryption.publicKeySpkiBase64 });
      }
      const linesFor = (p: string) => {
        const before = world.lines.length;
        expect(device.finish(Kind.put, `@${p}:x.demo@alpha`, p).status).toBe(0);
        return world.lines.length - before;
      };
      expect(peers.slice(0, 5).map(linesFor)).toEqual([5, 5, 5, 5, 5]);
      expect(peers.slice(0, 5).map(linesFor)).toEqual([1, 1, 1, 1, 1]);
      expect(linesFor("a")).toBe(1);
      expect(linesFor("f")).toBe(5);
      // b gave way: own copy, public key, his copy, and the value.
      expect(linesFor("b")).toBe(4);
      expect(linesFor("a")).toBe(1);
      const keys = peers.map((p) =>
        unwrapKey(world.records.get(`shared_key.${p}@alpha`)?.value, alpha),
      );
      expect(new Set(keys).size).toBe(6);
    });

    test("the keys of the two directions are different", async () => {
      const { world, device } = await loggedIn(factory);
      world.records.set("shared_key.bravo@alpha", { value: wrapKey(K, alpha) });
      world.records.set("@alpha:shared_key@bravo", { value: wrapKey(OTHER, alpha) });
      world.records.set("@alpha:x.demo@bravo", { value: encryptValue("theirs", OTHER), meta: {} });
      world.records.set("@bravo:x.demo@alpha", { value: encryptValue("mine", K), meta: {} });
      expect(device.finish(Kind.get, "x.demo@bravo").value).toBe("theirs");
      expect(device.finish(Kind.get, "@bravo:x.demo@alpha").value).toBe("mine");
    });

    test("a copy for the peer's former public key is written again", async () => {
      const { world, device } = await loggedIn(factory);
      world.records.set("shared_key.bravo@alpha", { value: wrapKey(K, alpha) });
      world.records.set("@bravo:shared_key@alpha", {
        value: wrapKey(K, alpha),
        meta: { pubKeyCS: "00000000000000000000000000000000" },
      });
      device.finish(Kind.put, "@bravo:x.demo@alpha", "x");
      expect(unwrapKey(world.records.get("@bravo:shared_key@alpha")?.value, bravo)).toBe(K);
      // One that names no public key is another client's and stays.
      const left = { value: wrapKey(K, bravo), meta: {} };
      const other = await loggedIn(factory);
      other.world.records.set("shared_key.bravo@alpha", { value: wrapKey(K, alpha) });
      other.world.records.set("@bravo:shared_key@alpha", left);
      other.device.finish(Kind.put, "@bravo:x.demo@alpha", "x");
      expect(other.world.records.get("@bravo:shared_key@alpha")).toBe(left);
    });

    test("the key that comes with a record wins over one known from before", async () => {
      const { world, device } = await loggedIn(factory);
      const record = (key: string) => ({
        value: encryptValue("x", key),
        meta: { isEncrypted: true, sharedKeyEnc: wrapKey(key, alpha) },
      });
      world.records.set("@alpha:x.demo@bravo", record(K));
      expect(device.finish(Kind.get, "x.demo@bravo").value).toBe("x");
      world.records.set("@alpha:x.demo@bravo", record(OTHER));
      expect(device.finish(Kind.get, "x.demo@bravo").value).toBe("x");
    });

    test("pubKeyCS, or with none pubKeyHash in each of its spellings, names our key", async () => {
      const { world, device } = await loggedIn(factory);
      const text = alpha.encryption.publicKeySpkiBase64;
      const hash = createHash("sha512").update(text).digest("hex");
      const metas = [
        { pubKeyCS: checksumOf(text) },
        {
          pubKeyCS: checksumOf(text),
          pubKeyHash: { hash: "0".repeat(128), hashingAlgo: "sha512" },
        },
        { pubKeyHash: { hash, hashingAlgo: "sha512" } },
        { pubKeyHash: JSON.stringify({ hash, algo: "sha512" }) },
        { pubKeyHash: hash },
        { hash, algo: "sha512" },
        {},
      ];
      for (const meta of metas) {
        world.records.set("@alpha:x.demo@bravo", {
          value: encryptValue("x", K),
          meta: { isEncrypted: true, sharedKeyEnc: wrapKey(K, alpha), ...meta },
        });
        expect(device.finish(Kind.get, "x.demo@bravo"), JSON.stringify(meta)).toMatchObject({
          status: 0,
          value: "x",
        });
      }
    });

    test("every padding length, and paddings that are none", async () => {
      const { world, device } = await loggedIn(factory);
      const self = alpha.selfEncryptionKeyBase64;
      for (let length = 0; length <= 33; length++) {
        const value = "p".repeat(length);
        world.records.set("x.demo@alpha", { value: encryptValue(value, self), meta: {} });
        expect(device.finish(Kind.get, "x.demo@alpha")).toMatchObject({ status: 0, value });
      }
      const refused = [
        ["", -14],
        ["AAAA", -14],
        [Buffer.alloc(17).toString("base64"), -14],
        ["?", -11],
      ] as const;
      for (const [value, status] of refused) {
        world.records.set("x.demo@alpha", { value, meta: {} });
        expect(device.finish(Kind.get, "x.demo@alpha").status, value).toBe(status);
      }
    });

    test("a damaged wrapped key is reported", async () => {
      const { world, device } = await loggedIn(factory);
      world.records.set("@alpha:x.demo@bravo", { value: encryptValue("x", K), meta: {} });
      const bad = [
        ["AAAA", -4],
        ["?", -11],
      ] as const;
      for (const [value, status] of bad) {
        world.records.set("@alpha:shared_key@bravo", { value });
        expect(device.finish(Kind.get, "x.demo@bravo").status, value).toBe(status);
        // It isn't asked for again before its time.
        expect(device.finish(Kind.get, "x.demo@bravo").status, value).toBe(-40);
        device.advance(300_000);
      }
    });
  });
}
