// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, test } from "vitest";
import { engines } from "./engine/engines.ts";
import { Device, Kind, State } from "./session/device.ts";
import { loggedIn } from "./session/fixtures.ts";
import {
  alpha,
  bravo,
  checksumOf,
  decryptValue,
  encryptValue,
  unwrapKey,
  World,
  wrapKey,
} from "./session/world.ts";
import vectors from "./vectors/interop/09-self-and-public.json" with { type: "json" };

const K = "QndhgiV8AVf86jFRAsOBlPU0eZMWOym5u1xgzjPCFLc="; // the shared key of vectors/interop/08
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

for (const factory of engines) {
  describe(`session on ${factory.name}`, () => {
    test("an imported RSA identity asks the directory, then logs in", async () => {
      const { world, device } = await loggedIn(factory);
      expect(device.opened).toEqual(["root.example:64", "alpha.example:6464"]);
      expect(world.lines.slice(0, 2)).toEqual(["alpha", "from:@alpha"]);
      expect(world.lines[2]).toMatch(/^pkam:signingAlgo:rsa2048:hashingAlgo:sha256:[^:]{344}$/);
      expect(device.of("state").map((e) => e.status)).toEqual([
        State.directory,
        State.connecting,
        State.login,
        State.ready,
      ]);
    });

    test("self data: written encrypted, read back", async () => {
      const { world, device } = await loggedIn(factory);
      expect(device.finish(Kind.put, "Note.Demo@alpha", "my secret note", 60000)).toMatchObject({
        status: 0,
        value: "11",
      });
      expect(world.lines.at(-1)).toMatch(
        /^update:ttl:60000:isEncrypted:true:ivNonce:[^:]{24}:note\.demo@alpha [^ ]{24}$/,
      );
      const item = world.records.get("note.demo@alpha");
      expect(
        decryptValue(item?.value ?? "", alpha.selfEncryptionKeyBase64, item?.meta?.ivNonce),
      ).toBe("my secret note");
      expect(device.finish(Kind.get, "note.demo@alpha").value).toBe("my secret note");
    });

    test("self data of others: with ivNonce, with the zero IV, in the clear, and none", async () => {
      const { world, device } = await loggedIn(factory);
      const self = alpha.selfEncryptionKeyBase64;
      const iv = "0bOJ3JEC6xo8WUlwrhrtmQ==";
      world.records.set("a.demo@alpha", {
        value: "fCC6ZOYGQ+jdTmsy9Sf0JA==",
        meta: { isEncrypted: true, ivNonce: iv },
      });
      world.records.set("b.demo@alpha", {
        value: "ENEbHK7IcQWF32dFwgCfEg==",
        meta: { isEncrypted: "true", ivNonce: null },
      });
      world.records.set("c.demo@alpha", { value: 'say "hi"', meta: { isEncrypted: false } });
      world.records.set("d.demo@alpha", {
        value: encryptValue(Buffer.from("line\nline").toString("base64"), self, iv),
        meta: { isEncrypted: true, ivNonce: iv, encoding: "base64" },
      });
      expect(device.finish(Kind.get, "a.demo@alpha").value).toBe("my secret note");
      expect(device.finish(Kind.get, "b.demo@alpha").value).toBe("my secret note");
      expect(device.finish(Kind.get, "c.demo@alpha").value).toBe('say "hi"');
      expect(device.finish(Kind.get, "d.demo@alpha").value).toBe("line\nline");
      const missing = device.finish(Kind.get, "e.demo@alpha");
      expect(missing.status).toBe(-32);
      expect(missing.error).toMatch(/^AT0015-/);
      world.hook = (line) => (line.startsWith("llookup") ? "data:null\n@alpha@" : undefined);
      expect(device.finish(Kind.get, "a.demo@alpha").status).toBe(-37);
    });

    test("a first value for a peer makes the shared key, my own copy first", async () => {
      const { world, device } = await loggedIn(factory);
      expect(device.finish(Kind.put, "@bravo:phone.demo@alpha", "meet at 10:00 ☕").status).toBe(0);
      const lines = world.lines.slice(3).map((l) => l.replace(/ .*| .*/, ""));
      expect(lines.slice(0, 4)).toEqual([
        "llookup:shared_key.bravo@alpha",
        "plookup:publickey@bravo",
        "update:isEncrypted:false:shared_key.bravo@alpha",
        `update:isEncrypted:false:pubKeyCS:${checksumOf(bravo.encryption.publicKeySpkiBase64)}:@bravo:shared_key@alpha`,
      ]);
      const own = unwrapKey(world.records.get("shared_key.bravo@alpha")?.value, alpha);
      expect(unwrapKey(world.records.get("@bravo:shared_key@alpha")?.value, bravo)).toBe(own);
      const item = world.records.get("@bravo:phone.demo@alpha");
      expect(item?.meta?.pubKeyCS).toBe("842afa7431a65e609f0900c6cbaa023b");
      expect(unwrapKey(item?.meta?.sharedKeyEnc, bravo)).toBe(own);
      expect(decryptValue(item?.value ?? "", own, item?.meta?.ivNonce)).toBe("meet at 10:00 ☕");
      // The second value needs none of this, and mine can be read back.
      const before = world.lines.length;
      expect(device.finish(Kind.put, "@bravo:phone.demo@alpha", "later").status).toBe(0);
      expect(world.lines.length).toBe(before + 1);
      expect(device.finish(Kind.get, "@bravo:phone.demo@alpha").value).toBe("later");
    });

    test("an existing shared key is used, and only the peer's missing copy made again", async () => {
      const { world, device } = await loggedIn(factory);
      world.records.set("shared_key.bravo@alpha", { value: wrapKey(K, alpha) });
      expect(device.finish(Kind.put, "@bravo:phone.demo@alpha", "x").status).toBe(0);
      expect(unwrapKey(world.records.get("@bravo:shared_key@alpha")?.value, bravo)).toBe(K);
      expect(unwrapKey(world.records.get("shared_key.bravo@alpha")?.value, alpha)).toBe(K);
      expect(world.lines.filter((l) => l.includes(":shared_key.bravo@alpha "))).toEqual([]);
    });

    test("no error but AT0015 makes a key", async () => {
      const { world, device } = await loggedIn(factory);
      world.hook = (line) =>
        line.startsWith("llookup:shared_key")
          ? 'error:{"errorCode":"AT0023","errorDescription":"timeout"}\n@alpha@'
          : undefined;
      const event = device.finish(Kind.put, "@bravo:phone.demo@alpha", "x");
      expect(event.status).toBe(-34);
      expect(event.error).toBe("timeout");
      expect(world.records.has("shared_key.bravo@alpha")).toBe(false);
    });

    test("a peer that can't be reached is no obstacle once there is a key", async () => {
      const { world, device } = await loggedIn(factory);
      world.records.set("shared_key.bravo@alpha", { value: wrapKey(K, alpha) });
      world.hook = (line) =>
        line.startsWith("plookup")
          ? "error:AT0007-Secondary server not found : x\n@alpha@"
          : undefined;
      expect(device.finish(Kind.put, "@bravo:phone.demo@alpha", "x").status).toBe(0);
      expect(world.lines.at(-1)).toMatch(/^update:isEncrypted:true:ivNonce:[^:]{24}:@bravo:phone/);
    });

    test("notify carries the full form", async () => {
      const { world, device } = await loggedIn(factory);
      const event = device.finish(
        Kind.notify,
        "@bravo:temp.demo@alpha",
        "temperature=21.5",
        86400000,
      );
      expect(event.status).toBe(0);
      expect(event.value).toMatch(UUID);
      const m =
        /^notify:id:([^:]+):update:messageType:key:priority:low:strategy:all:latestN:1:notifier:SYSTEM:ttln:86400000:isEncrypted:true:sharedKeyEnc:([^:]+):pubKeyCS:842afa7431a65e609f0900c6cbaa023b:ivNonce:([^:]+):@bravo:temp\.demo@alpha:([^:]+)$/.exec(
          world.lines.at(-1) ?? "",
        );
      expect(m?.[1]).toBe(event.value);
      expect(decryptValue(m?.[4] ?? "", unwrapKey(m?.[2], bravo), m?.[3])).toBe("temperature=21.5");
      // Without a ttl it is left out.
      device.finish(Kind.notify, "@bravo:temp.demo@alpha", "");
      expect(world.lines.at(-1)).toContain(":notifier:SYSTEM:isEncrypted:true:");
    });

    test("public data is signed with the encryption key, byte for byte as in the vectors", async () => {
      const { world, device } = await loggedIn(factory);
      device.finish(Kind.put, "public:name.demo@alpha", vectors.public.value);
      expect(`${world.lines.at(-1)}\n`).toBe(vectors.public.wire);
      device.finish(Kind.put, "public:bio.demo@alpha", vectors.publicWithNewline.value);
      expect(`${world.lines.at(-1)}\n`).toBe(vectors.publicWithNewline.wire);
      expect(device.finish(Kind.get, "public:bio.demo@alpha").value).toBe("line one\nline two");
      expect(world.lines.at(-1)).toBe("llookup:all:public:bio.demo@alpha");
      world.records.set("public:city.demo@bravo", {
        value: "London",
        meta: { isEncrypted: false },
      });
      expect(device.finish(Kind.get, "public:city.demo@bravo").value).toBe("London");
      expect(world.lines.at(-1)).toBe("plookup:all:city.demo@bravo");
    });

    test("what a peer shared: the key with the record, then looked up, then cached", async () => {
      const { world, device } = await loggedIn(factory);
      const meta = { isEncrypted: true, ivNonce: "XuYYvbKqV+vTLZ/P8rvGdQ==" };
      const value = "xEtUJMx00pqAVzAIiAfzpMuFnrfLp00bNtrWzsKsmbQ=";
      world.records.set("@alpha:a.demo@bravo", {
        value,
        meta: {
          ...meta,
          sharedKeyEnc: wrapKey(K, alpha),
          pubKeyCS: checksumOf(alpha.encryption.publicKeySpkiBase64),
        },
      });
      expect(device.finish(Kind.get, "a.demo@bravo").value).toBe("meet at 10:00 ☕");
      expect(world.lines.at(-1)).toBe("lookup:all:a.demo@bravo");

      const other = await loggedIn(factory);
      other.world.records.set("@alpha:a.demo@bravo", { value, meta });
      other.world.records.set("@alpha:shared_key@bravo", { value: wrapKey(K, alpha) });
      expect(other.device.finish(Kind.get, "a.demo@bravo").value).toBe("meet at 10:00 ☕");
      expect(other.world.lines.slice(-3)).toEqual([
        "lookup:all:a.demo@bravo",
        "lookup:shared_key@bravo",
        "lookup:all:a.demo@bravo",
      ]);
      const third = await loggedIn(factory);
      third.world.records.set("@alpha:a.demo@bravo", { value, meta });
      third.world.records.set("cached:@alpha:shared_key@bravo", { value: wrapKey(K, alpha) });
      third.world.hook = (line) =>
        line === "lookup:shared_key@bravo" ? "error:AT0007-x : y\n@alpha@" : undefined;
      expect(third.device.finish(Kind.get, "a.demo@bravo").value).toBe("meet at 10:00 ☕");
      expect(third.world.lines.at(-2)).toBe("llookup:cached:@alpha:shared_key@bravo");
    });

    test("a value for a public key that is no longer ours, by checksum and by each form of hash", async () => {
      const { world, device } = await loggedIn(factory);
      const sharedKeyEnc = wrapKey(K, alpha);
      const wrong = "0".repeat(128);
      const metas = [
        { pubKeyCS: "842afa7431a65e609f0900c6cbaa023b" },
        { pubKeyHash: { hash: wrong, hashingAlgo: "sha512" } },
        { pubKeyHash: JSON.stringify({ hash: wrong, algo: "sha512" }) },
        { hash: wrong },
      ];
      for (const meta of metas) {
        world.records.set("@alpha:a.demo@bravo", {
          value: "xEtUJMx00pqAVzAIiAfzpMuFnrfLp00bNtrWzsKsmbQ=",
          meta: { isEncrypted: true, sharedKeyEnc, ...meta },
        });
        expect(device.finish(Kind.get, "a.demo@bravo").status, JSON.stringify(meta)).toBe(-35);
      }
    });

    test("an unknown algorithm is refused, not guessed", async () => {
      const { world, device } = await loggedIn(factory);
      world.records.set("a.demo@alpha", {
        value: "fCC6ZOYGQ+jdTmsy9Sf0JA==",
        meta: { isEncrypted: true, encAlgo: "AES/GCM" },
      });
      expect(device.finish(Kind.get, "a.demo@alpha").status).toBe(-36);
    });

    test("delete and scan", async () => {
      const { world, device } = await loggedIn(factory);
      expect(device.finish(Kind.delete, "@bravo:phone.demo@alpha").value).toBe("99");
      expect(world.lines.at(-1)).toBe("delete:@bravo:phone.demo@alpha");
      const scan = device.finish(Kind.scan, "", "demo");
      expect(world.lines.at(-1)).toBe("scan demo");
      expect(JSON.parse(scan.value)).toEqual([...world.records.keys()]);
    });

    test("the longest value goes out and comes back; one byte more is refused", async () => {
      const { device } = await loggedIn(factory);
      const value = "v".repeat(2048);
      const key = `${"k".repeat(248 - ".demo@alpha".length)}.demo@alpha`;
      expect(device.finish(Kind.put, key, value).status).toBe(0);
      expect(device.finish(Kind.get, key).value).toBe(value);
      expect(device.finish(Kind.put, `@bravo:${key.slice(7)}`, value).status).toBe(0);
      expect(device.operate(Kind.put, "k.demo@alpha", `${value}v`)).toBe(-7);
      expect(device.operate(Kind.put, `k${key}`, "x")).toBe(-8);
    });

    test("a line that is too long ends the operation, and the next one works", async () => {
      const { world, device } = await loggedIn(factory);
      world.hook = (line) =>
        line.startsWith("scan") ? `data:${"x".repeat(9000)}\n@alpha@` : undefined;
      expect(device.finish(Kind.scan).status).toBe(-6);
      world.hook = () => undefined;
      expect(device.finish(Kind.scan).status).toBe(0);
    });

    test("arguments are checked, one operation at a time, a stop ends it", async () => {
      const { world, device } = await loggedIn(factory);
      expect(device.operate(Kind.put, "no at sign", "x")).toBe(-10);
      expect(device.operate(Kind.put, "a.demo@bravo", "x")).toBe(-10);
      expect(device.operate(Kind.notify, "a.demo@alpha", "x")).toBe(-10);
      expect(device.operate(Kind.put, "public:a.demo@alpha", "")).toBe(-4);
      expect(device.operate(9, "a.demo@alpha", "")).toBe(-4);
      expect(device.operate(Kind.enroll)).toBe(-3);
      world.hook = () => "";
      const op = device.operate(Kind.get, "a.demo@alpha");
      device.settle();
      expect(op).toBeGreaterThan(0);
      expect(device.operate(Kind.get, "a.demo@alpha")).toBe(-2);
      device.engine.call("session_stop");
      expect(device.finished(op).status).toBe(-23);
      expect(device.state()).toBe(State.stopped);
      expect(device.connection).toBeUndefined();
      expect(device.operate(Kind.get, "a.demo@alpha")).toBe(-3);
      world.hook = () => undefined;
      expect(device.start()).toBe(0);
      device.until(() => device.state() === State.ready);
    });

    test("everything again, byte by byte", async () => {
      const { device } = await loggedIn(factory, { chunk: 1 });
      expect(device.finish(Kind.put, "@bravo:phone.demo@alpha", "x").status).toBe(0);
      expect(device.finish(Kind.get, "@bravo:phone.demo@alpha").value).toBe("x");
    });

    test("with the legacy switch the IV is zero and ivNonce is left out", async () => {
      const world = new World();
      const device = await Device.open(factory, world);
      device.init();
      device.configure("");
      device.config(7, "1");
      device.config(8, alpha.pkam.privateKeyPkcs8Base64);
      device.config(9, alpha.encryption.privateKeyPkcs8Base64);
      device.config(10, alpha.selfEncryptionKeyBase64);
      device.start();
      device.finish(Kind.put, "note.demo@alpha", "my secret note");
      expect(world.lines.at(-1)).toBe(
        "update:isEncrypted:true:note.demo@alpha ENEbHK7IcQWF32dFwgCfEg==",
      );
    });
  });
}
