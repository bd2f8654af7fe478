// SPDX-License-Identifier: BSD-3-Clause
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Engine } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { Device, Kind, State } from "./session/device.ts";
import { imported } from "./session/fixtures.ts";
import { alpha, bravo, World } from "./session/world.ts";
import pkam from "./vectors/interop/06-pkam.json" with { type: "json" };

/** Whether the bytes occur anywhere in the memory the core uses. */
function holds(engine: Engine, secret: Uint8Array | string): boolean {
  const memory = Buffer.from(engine.read(0, engine.call("memory_used")));
  return memory.includes(Buffer.from(secret));
}

for (const factory of engines) {
  describe(`keyring on ${factory.name}`, () => {
    test("an imported identity is stored whole, read back, and found after a restart", async () => {
      const world = new World();
      const device = await imported(factory, world);
      const stored = Buffer.from(device.store.get(1) ?? []);
      expect(stored.length).toBe(2684);
      const digest = createHash("sha256").update(stored.subarray(0, -32)).digest();
      expect(stored.subarray(-32)).toEqual(digest);
      const again = await Device.open(factory, world, { store: device.store });
      expect(again.init()).toBe(0);
    });

    test("any damaged byte is found, and nothing is overwritten", async () => {
      const world = new World();
      const device = await imported(factory, world);
      const good = device.store.get(1) ?? new Uint8Array();
      const places = [0, 4, 8, 12, 180, 244, 340, 1496, good.length - 33, good.length - 1];
      for (const place of places) {
        const bad = good.slice();
        bad[place] = (bad[place] ?? 0) ^ 1;
        const store = new Map([[1, bad]]);
        const again = await Device.open(factory, world, { store });
        expect(again.init(), `byte ${place}`).toBe(-20);
        again.configure("");
        expect(again.start()).toBe(-21);
        expect(store.get(1)).toEqual(bad);
      }
      for (const length of [1, 12, good.length - 1]) {
        const again = await Device.open(factory, world, {
          store: new Map([[1, good.slice(0, length)]]),
        });
        expect(again.init(), `${length} bytes`).toBe(-20);
      }
    });

    test("a store that fails, or gives back something else, is reported", async () => {
      let written = 0;
      for (const hal of [
        { store_write: () => -1 },
        { store_write: () => 0, store_read: () => 0 },
        { store_write: () => 0, store_read: () => -5 },
        {
          // The right length, other bytes.
          store_write: (_id: number, _x: number, len: number) => {
            written = len;
            return 0;
          },
          store_read: () => written,
        },
      ]) {
        const device = await Device.open(factory, new World(), { hal });
        device.init();
        device.configure("");
        expect(device.config(8, alpha.pkam.privateKeyPkcs8Base64)).toBe(0);
        expect(device.config(9, alpha.encryption.privateKeyPkcs8Base64)).toBe(0);
        expect(device.config(10, alpha.selfEncryptionKeyBase64)).toBe(-20);
      }
    });

    test("an identity with a P-256 login key is smaller and signs as the verb wants it", async () => {
      const world = new World();
      world.legacyPkam = pkam.ecc_secp256r1.publicKeyHex;
      const device = await Device.open(factory, world);
      device.init();
      device.configure("");
      expect(device.config(8, pkam.ecc_secp256r1.privateScalarHex)).toBe(0);
      expect(device.config(9, alpha.encryption.privateKeyPkcs8Base64)).toBe(0);
      expect(device.config(10, alpha.selfEncryptionKeyBase64)).toBe(0);
      expect(device.store.get(1)?.length).toBe(1528);
      device.start();
      device.until(() => device.state() === State.ready);
      expect(world.lines[2]).toMatch(
        /^pkam:signingAlgo:ecc_secp256r1:hashingAlgo:sha256:[A-Za-z0-9+/]{171}=$/,
      );
    });

    test("the pkam line of the vectors, byte for byte, with an enrollmentId", async () => {
      const world = new World();
      const device = await imported(factory, world);
      expect(device.config(11, alpha.enrollmentId)).toBe(0);
      world.hook = (line) => (line.startsWith("from:") ? `data:${pkam.challenge}\n@` : undefined);
      device.start();
      device.until(() => world.lines.length >= 3);
      expect(`${world.lines[2]}\n`).toBe(pkam.rsa.wireForms.dart);
    });

    test("keys that are none are refused", async () => {
      const device = await Device.open(factory, new World());
      device.init();
      expect(device.config(8, alpha.pkam.privateKeyPkcs8Base64)).toBe(-3);
      device.configure("");
      expect(device.config(8, "0".repeat(64))).toBe(-16);
      expect(device.config(8, "x".repeat(64))).toBe(-4);
      expect(device.config(8, "not base64!")).toBe(-11);
      expect(device.config(9, alpha.encryption.publicKeySpkiBase64)).toBe(-13);
      expect(device.config(10, "AAAA")).toBe(-4);
      expect(device.config(11, "a b")).toBe(-4);
      expect(device.config(11, "a".repeat(65))).toBe(-4);
      expect(device.config(5, '{"a":\n"rw"}')).toBe(-4);
      expect(device.config(1, "no at")).toBe(-9);
      for (const field of [7, 13, 14]) {
        expect(["x", "01", "1"].map((text) => device.config(field, text))).toEqual([-4, -4, 0]);
      }
      for (const list of ["x", "@bravo:abc", "@b @c @d @e @f"]) {
        expect(device.config(15, list)).toBeLessThan(0);
        expect(device.start()).toBeLessThan(0);
      }
      expect(device.config(15, "")).toBe(0);
      expect(device.config(16, "x")).toBe(-4);
      expect(device.config(0, "x")).toBe(-4);
      expect(device.start()).toBe(-21);
    });

    test("another atSign's keys are not used", async () => {
      const world = new World();
      const device = await imported(factory, world);
      expect(device.config(1, "@bravo")).toBe(0);
      expect(device.start()).toBe(-3);
      expect(device.config(1, "@Al.pha")).toBe(0);
      expect(device.start()).toBe(0);
    });

    test("an import replaces the identity before", async () => {
      const world = new World();
      world.legacyPkam = bravo.pkam.publicKeySpkiBase64;
      const device = await imported(factory, world);
      device.start();
      device.until(() => device.state() === State.stopped);
      expect(device.of("state").at(-1)?.op).toBe(-26);
      device.config(8, bravo.pkam.privateKeyPkcs8Base64);
      device.config(9, bravo.encryption.privateKeyPkcs8Base64);
      expect(device.config(10, bravo.selfEncryptionKeyBase64)).toBe(0);
      device.start();
      device.until(() => device.state() === State.ready);
      expect(holds(device.engine, Buffer.from(alpha.selfEncryptionKeyBase64, "base64"))).toBe(
        false,
      );
    });

    test("values, key texts and passcodes do not stay in memory", async () => {
      const world = new World();
      const device = await imported(factory, world);
      expect(holds(device.engine, alpha.selfEncryptionKeyBase64)).toBe(false);
      expect(holds(device.engine, alpha.pkam.privateKeyPkcs8Base64.slice(40, 80))).toBe(false);
      device.start();
      const value = "a value nobody else shall read";
      device.finish(Kind.put, "note.demo@alpha", value);
      expect(holds(device.engine, value)).toBe(false);
      expect(device.finish(Kind.get, "note.demo@alpha").value).toBe(value);
      expect(holds(device.engine, value)).toBe(false);
      device.finish(Kind.notify, "@bravo:note.demo@alpha", value);
      expect(holds(device.engine, value)).toBe(false);
    });
  });
}
