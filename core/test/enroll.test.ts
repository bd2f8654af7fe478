// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, test } from "vitest";
import type { EngineFactory } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { type Answer, approve, IVS } from "./session/approval.ts";
import { Device, type DeviceOptions, Kind, PowerCut, State } from "./session/device.ts";
import { alpha, bravo, unwrapKey, World } from "./session/world.ts";

async function fresh(factory: EngineFactory, world = new World(), options: DeviceOptions = {}) {
  world.passcodes.add("ABC123");
  const device = await Device.open(factory, world, options);
  const status = device.init();
  device.configure();
  return { world, device, status };
}

for (const factory of engines) {
  describe(`enrollment on ${factory.name}`, () => {
    for (const ivs of [[null, null], IVS] as const) {
      test(`by passcode, keys ${ivs[0] ? "with IVs" : "with the zero IV, which was allowed"}`, async () => {
        const { world, device, status } = await fresh(factory);
        if (!ivs[0]) expect(device.config(13, "1")).toBe(0);
        expect(status).toBe(-21);
        expect(device.start()).toBe(0);
        const op = device.operate(Kind.enroll);
        device.until(() => device.state() === State.approval);
        const request = world.lines.find((l) => l.startsWith("enroll:request:")) ?? "";
        const json = JSON.parse(request.slice("enroll:request:".length));
        expect(Object.keys(json)).toEqual([
          "appName",
          "deviceName",
          "namespaces",
          "otp",
          "encryptedAPKAMSymmetricKey",
          "apkamPublicKey",
        ]);
        expect(json).toMatchObject({
          appName: "sensor",
          deviceName: "kitchen",
          namespaces: { demo: "rw" },
          otp: "ABC123",
        });
        expect(json.apkamPublicKey).toMatch(/^04[0-9a-f]{128}$/);
        expect(
          Buffer.from(unwrapKey(json.encryptedAPKAMSymmetricKey, alpha), "base64").length,
        ).toBe(32);
        device.advance(20_000);
        expect(device.state()).toBe(State.approval);
        approve(world, { ivs });
        expect(device.finished(op).status).toBe(0);
        expect(device.state()).toBe(State.ready);
        expect(device.finish(Kind.put, "note.demo@alpha", "x").status).toBe(0);
        expect(device.finish(Kind.notify, "@bravo:temp.demo@alpha", "21.5").status).toBe(0);
        const pkam = world.lines.filter((l) => l.startsWith("pkam:")).at(-1) ?? "";
        expect(pkam).toMatch(
          /^pkam:signingAlgo:ecc_secp256r1:hashingAlgo:sha256:enrollmentId:[0-9a-f-]{36}:[A-Za-z0-9+/]{171}=$/,
        );
        // After a restart the stored identity logs in by itself, without a passcode.
        const again = await Device.open(factory, world, { store: device.store });
        expect(again.init()).toBe(0);
        again.configure("");
        expect(again.start()).toBe(0);
        again.until(() => again.state() === State.ready);
        expect(again.finish(Kind.get, "note.demo@alpha").value).toBe("x");
      });
    }

    test("polls for approval on new connections after 1, 2, 4, 8, 10, 10 seconds", async () => {
      const { world, device } = await fresh(factory);
      device.start();
      device.until(() => device.state() === State.approval);
      const times: bigint[] = [device.now];
      world.hook = (line) => {
        if (line.startsWith("from:")) times.push(device.now);
        return undefined;
      };
      device.advance(46_000);
      const pauses = times.slice(1).map((t, i) => Number(t - (times[i] ?? 0n)));
      expect(pauses).toEqual([1000, 2000, 4000, 8000, 10000, 10000, 10000]);
    });

    const finals: ["denied" | "revoked" | "expired", number][] = [
      ["denied", -28],
      ["revoked", -29],
      ["expired", -30],
    ];
    for (const [word, status] of finals) {
      test(`an enrollment that is ${word} ends it; a new one can be asked for`, async () => {
        const { world, device } = await fresh(factory);
        device.start();
        const op = device.operate(Kind.enroll);
        device.until(() => device.state() === State.approval);
        for (const e of world.enrollments.values()) e.status = word;
        expect(device.finished(op).status).toBe(status);
        expect(device.state()).toBe(State.stopped);
        expect(device.of("state").at(-1)).toMatchObject({ status: 0, op: status });
        expect(device.store.has(1)).toBe(false);
        world.passcodes.add("ABC123");
        expect(device.start()).toBe(0);
        device.until(() => device.state() === State.approval);
      });
    }

    test("a wrong passcode", async () => {
      const { world, device } = await fresh(factory);
      world.passcodes.clear();
      device.start();
      const op = device.operate(Kind.enroll);
      expect(device.finished(op).status).toBe(-31);
      expect(device.of("state").at(-1)?.error).toMatch(/invalid otp/);
      expect(device.state()).toBe(State.stopped);
    });

    test("a passcode that wasn't looked at, while others guess, is tried again", async () => {
      const { world, device } = await fresh(factory);
      let asked = 0;
      world.hook = (line) => {
        if (!line.startsWith("enroll:request") || ++asked > 3) return undefined;
        return "error:AT0028-Exception: Too many wrong passcodes: this one wasn't looked at. Try again in 9 s";
      };
      device.start();
      device.until(() => device.state() === State.approval);
      expect(asked).toBe(4);
    });

    test("an atSign the directory does not know, and one without a public key", async () => {
      const { world, device } = await fresh(factory);
      world.directoryAnswer = "null";
      device.start();
      const op = device.operate(Kind.enroll);
      expect(device.finished(op).status).toBe(-22);
      expect(device.of("state").at(-1)).toMatchObject({ status: 0, op: -22 });
      const other = await fresh(factory);
      other.world.records.delete("public:publickey@alpha");
      other.device.start();
      expect(other.device.finished(other.device.operate(Kind.enroll)).status).toBe(-32);
    });

    test("a private key that is not publickey@alpha's is refused, and nothing of it is kept", async () => {
      const { world, device } = await fresh(factory);
      device.start();
      const op = device.operate(Kind.enroll);
      device.until(() => device.state() === State.approval);
      const stored = device.store.get(1);
      approve(world, { encryptionKey: alpha.pkam.privateKeyPkcs8Base64 });
      expect(device.finished(op).status).toBe(-35);
      expect(device.store.get(1)).toEqual(stored);
    });

    /** An enrollment up to its answer: how it ended, and what the device sent from the answer on. */
    async function answered(answer: Answer, config: Record<number, string> = {}) {
      const { world, device } = await fresh(factory);
      for (const [field, text] of Object.entries(config)) device.config(Number(field), text);
      device.start();
      const op = device.operate(Kind.enroll);
      device.until(() => device.state() === State.approval);
      const stored = device.store.get(1);
      const from = world.lines.length;
      approve(world, answer);
      const { status } = device.finished(op);
      const lines = world.lines.slice(from).map((line) => line.replace(/[^:]{30,}/g, "…"));
      return { world, device, status, stored, lines };
    }

    const weak: Record<string, Answer> = {
      "no IVs": { ivs: [null, null] },
      "no IV for the self key": { ivs: [IVS[0], null] },
      "no IV for the encryption key": { ivs: [null, IVS[1]] },
      "one IV for both": { ivs: [IVS[0], IVS[0]] },
      "empty IVs": { ivs: ["", ""] },
    };
    for (const [name, answer] of Object.entries(weak)) {
      test(`an answer with ${name} is refused, and nothing of it is kept`, async () => {
        const { world, device, status, stored } = await answered(answer);
        expect(status).toBe(-38);
        expect(device.of("state").at(-1)).toMatchObject({ status: State.stopped, op: -38 });
        expect(device.store.get(1)).toEqual(stored);
        expect(device.operate(Kind.scan)).toBe(-3);
        expect(world.lines.filter((line) => /^(update|notify|monitor)/.test(line))).toEqual([]);
      });
    }

    test("answers without IVs, or with one for both, are taken by who allowed it", async () => {
      for (const ivs of [
        [null, null],
        [IVS[0], IVS[0]],
      ] as const) {
        expect((await answered({ ivs }, { 13: "1" })).status).toBe(0);
        expect((await answered({ ivs }, { 13: "0" })).status).toBe(-38);
      }
    });

    test("both keys are asked for whatever the first is; what was wrong doesn't show before the end", async () => {
      const right = await answered({});
      const both = right.lines.slice(0, 4);
      expect(both.map((line) => line.split(":")[0])).toEqual(["from", "pkam", "keys", "keys"]);
      const wrong: [Answer, number][] = [
        [{ encryptionKey: "no base64" }, -11],
        [{ encryptionKey: "AAAA" }, -13],
        [{ encryptionKey: alpha.pkam.privateKeyPkcs8Base64 }, -35],
        [{ encryptionKey: bravo.encryption.privateKeyPkcs8Base64 }, -35],
        [{ selfKey: "AAAA" }, -4],
        [{ ivs: [null, null] }, -38],
      ];
      for (const [answer, status] of wrong) {
        const { lines, status: got, device, stored } = await answered(answer);
        expect(got, JSON.stringify(answer).slice(0, 60)).toBe(status);
        expect(lines).toEqual(both);
        expect(device.store.get(1)).toEqual(stored);
      }
    });

    test("an enrollment of the same name that we never asked for is not ours", async () => {
      const { world, device } = await fresh(factory);
      world.enrollments.set("other", {
        id: "other",
        name: "sensor.kitchen",
        status: "approved",
        publicKey: "04",
        symmetric: "",
      });
      device.start();
      expect(device.finished(device.operate(Kind.enroll)).status).toBe(-33);
    });

    test("no entropy: no keys", async () => {
      const device = await Device.open(factory, new World(), { hal: { entropy: () => -1 } });
      expect(device.init()).toBe(-18 - 1);
    });

    test("a power cut at every write leads to the old state or the new", async () => {
      for (let cutAtWrite = 0; cutAtWrite < 5; cutAtWrite++) {
        const world = new World();
        const { device } = await fresh(factory, world, { cutAtWrite });
        let cut = false;
        try {
          device.start();
          device.until(() => device.state() === State.approval);
          approve(world);
          device.until(() => device.state() === State.ready);
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error;
          cut = true;
        }
        expect(cut).toBe(cutAtWrite < 4);
        const again = await Device.open(factory, world, { store: device.store });
        const status = again.init();
        world.passcodes.add("NEW123");
        again.configure("NEW123");
        expect(again.start(), `after a cut at write ${cutAtWrite}`).toBe(0);
        again.until(() => [State.ready, State.approval].includes(again.state() as 5 | 6));
        approve(world);
        again.until(() => again.state() === State.ready);
        expect(again.finish(Kind.put, "note.demo@alpha", "x").status).toBe(0);
        expect(world.enrollments.size).toBe(1);
        expect([0, -21]).toContain(status);
      }
    });

    test("a link cut before or after any line of the enrollment", async () => {
      for (const how of ["cut", "answer and cut"] as const) {
        for (let at = 0; at < 9; at++) {
          const world = new World();
          const { device } = await fresh(factory, world);
          let count = 0;
          world.hook = (line) => {
            // A passcode works once; asked again, the device needs another.
            if (line.startsWith("enroll:")) world.passcodes.add("ABC123");
            return count++ === at ? how : undefined;
          };
          device.start();
          const op = device.operate(Kind.enroll);
          device.until(() => device.state() === State.approval);
          approve(world);
          expect(device.finished(op).status, `${how} at line ${at}`).toBe(0);
          expect(world.enrollments.size).toBe(1);
        }
      }
    });
  });
}
