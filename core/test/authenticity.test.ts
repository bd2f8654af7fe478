// SPDX-License-Identifier: BSD-3-Clause
// core/AUTHENTICITY.md against its vectors, in a device's session: what it reads, refuses and writes, and how it enrolls.
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { Engine, EngineFactory } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { Device, Kind, State, Verdict } from "./session/device.ts";
import { imported } from "./session/fixtures.ts";
import { BRAVO, PEERS, working } from "./session/known.ts";
import { Known, pinOf, storedNumbers, storedPeers } from "./session/sealing.ts";
import { alpha, bravo, encryptValue, unwrapKey, World } from "./session/world.ts";
import vectors from "./vectors/interop/16-authenticity.json" with { type: "json" };

const NOT_AUTHENTIC = -43;
const PEER_KEY_CHANGED = -44;
const VERIFIED = Verdict.encrypted | Verdict.authentic | Verdict.pinned | Verdict.provisioned;
const hex = (text: string) => Buffer.from(text, "hex");
const PIN = vectors.fingerprints["@bravo"];
const { messages } = vectors;

type Message = {
  key: string;
  kind: number;
  ciphertextBase64?: string | null;
  ivNonceBase64: string;
};

let id = 0;

function notification(message: Message, metadata: Record<string, unknown> = {}) {
  return {
    id: `n${id++}`,
    from: "@bravo",
    key: message.key,
    ...(message.ciphertextBase64 ? { value: message.ciphertextBase64 } : {}),
    operation: message.kind === 2 ? "delete" : "update",
    isEncrypted: true,
    metadata: { ivNonce: message.ivNonceBase64, ...metadata },
  };
}

/** A chip is a process of its own: each test ends those it began. */
const opened: Engine[] = [];
const ending = (factory: EngineFactory): EngineFactory => ({
  name: factory.name,
  async open(hal) {
    const engine = await factory.open(hal);
    opened.push(engine);
    return engine;
  },
});
afterEach(async () => {
  for (const engine of opened.splice(0)) engine.close();
  // A chip is waited for without letting go of this thread.
  await turn();
});

for (const factory of engines.map(ending)) {
  describe(`authenticity's vectors, on ${factory.name}`, () => {
    test("notifications are verified and fresh", async () => {
      const { world, device } = await working(factory, { monitor: true });
      const list = [
        messages.notificationUpdate,
        messages.notificationUpdateFullBlock,
        messages.notificationDelete,
        messages.notificationKeyOnly,
      ];
      for (const message of list) {
        world.notify(notification(message));
        device.settle();
        const event = device.of("notification").at(-1);
        const plain = hex(message.plaintextHex ?? "").toString("utf8");
        expect(event, message.key).toMatchObject({ key: message.key, value: plain, status: 0 });
        expect(device.verdict(event)).toBe(VERIFIED | Verdict.fresh);
      }
      expect(device.of("notice")).toEqual([]);
      expect(device.of("notification").length).toBe(list.length);
    });

    test.each(vectors.refusedVariantsOfNotificationUpdate)("refused: $why", async (variant) => {
      const peer = {
        ...("epoch" in variant ? { epoch: hex(variant.epoch ?? "") } : {}),
        ...("sharedKey" in variant ? { inKey: hex(variant.sharedKey ?? "") } : {}),
      };
      const { world, device } = await working(factory, { monitor: true, peer });
      const message: Message = { ...messages.notificationUpdate, ...variant };
      const { flags = 0 } = variant as { flags?: number };
      if ("from" in variant) message.key = "@bravo:interval.greenhouse@alpha";
      if ("namespace" in variant) message.key = "@alpha:interval.hall@bravo";
      const metadata = {
        ...(flags & 1 ? { isBinary: true } : {}),
        ...(flags & 2 ? { encoding: "base64" } : {}),
      };
      if (message.kind === 3) {
        const meta = { ivNonce: message.ivNonceBase64 };
        world.records.set(message.key, { value: message.ciphertextBase64 ?? "", meta });
        expect(device.finish(Kind.get, message.key)).toMatchObject({
          status: NOT_AUTHENTIC,
          value: "",
        });
        return;
      }
      world.notify(notification(message, metadata));
      device.settle();
      expect(device.of("notification")).toEqual([]);
      expect(device.of("notice")).toMatchObject([{ status: NOT_AUTHENTIC, value: "" }]);
    });

    test("a shared record is written as it stands there", async () => {
      const { instance, counter, key, plaintextHex } = messages.sharedRecord;
      const { world, device } = await working(factory, { given: [instance, counter - 1] });
      const event = device.finish(Kind.put, key, hex(plaintextHex).toString("utf8"));
      expect(event.status).toBe(0);
      expect(device.verdict(event)).toBe(VERIFIED);
      expect(world.lines.at(-1)).toBe(vectors.lines.record);
    });

    test("what I shared is verified, and what is mine", async () => {
      const { world, device } = await working(factory);
      for (const message of [messages.sharedRecord, messages.sharedRecordBinary]) {
        const isBinary = message.flags === 1;
        world.records.set(message.key, {
          value: message.ciphertextBase64,
          meta: { ivNonce: message.ivNonceBase64, isBinary },
        });
        const event = device.finish(Kind.get, message.key);
        expect(event.value).toBe(hex(message.plaintextHex).toString("utf8"));
        expect(device.verdict(event) & Verdict.authentic).toBe(Verdict.authentic);
      }
      const { key, ciphertextBase64, ivNonceBase64 } = messages.selfRecord;
      world.records.set(key, { value: ciphertextBase64, meta: { ivNonce: ivNonceBase64 } });
      const own = device.finish(Kind.get, key);
      expect(own.value).toBe("on");
      expect(device.verdict(own)).toBe(Verdict.encrypted | Verdict.authentic);
    });

    test("a record of my own is written as it stands there", async () => {
      const { instance, counter, key, ivNonceBase64, ciphertextBase64 } = messages.selfRecord;
      const { world, device } = await working(factory, { given: [instance, counter - 1] });
      device.finish(Kind.put, key, "on");
      expect(world.lines.at(-1)).toBe(
        `update:isEncrypted:true:ivNonce:${ivNonceBase64}:${key} ${ciphertextBase64}`,
      );
    });

    test("a notification is sealed under the peer's epoch", async () => {
      const { world, device } = await working(factory);
      const event = device.finish(Kind.notify, "@bravo:reading.greenhouse@alpha", "21.5");
      expect(device.verdict(event)).toBe(VERIFIED);
      const line = world.lines.at(-1) ?? "";
      expect(line).toMatch(/:isEncrypted:true:ivNonce:AABQAAAB[^:]+:@bravo:reading/);
    });

    test("what is issued is written for my other clients, for the peer, and hinted at", async () => {
      const { instance, counter, key, ivNonceBase64, ciphertextBase64 } =
        messages.ownCopyOfIssuedKey;
      const { flags } = BRAVO;
      const { world, device } = await working(factory, { given: [instance, counter - 1] });
      const again = await Device.open(factory, world, { store: device.store });
      device.store.set(
        3,
        storedPeers({ ...BRAVO, flags: (flags & ~Known.published) | Known.written }),
      );
      device.store.set(4, storedNumbers([instance, counter - 1], { generation: 1 }));
      world.records.delete(key);
      again.init();
      again.configure("");
      again.config(5, '{"greenhouse":"rw"}');
      again.config(15, PEERS);
      again.start(true);
      const from = world.lines.length;
      again.until(() => again.state() === State.ready);
      again.settle();
      const epoch = vectors.issued.ivNonceBase64;
      const wrapped = vectors.issued.wrappedBase64;
      const lines = world.lines.slice(from).filter((line) => line.includes("__auth1"));
      expect(lines).toEqual([
        `llookup:all:${key}`,
        `update:isEncrypted:true:ivNonce:${ivNonceBase64}:${key} ${ciphertextBase64}`,
        `llookup:all:${key}`,
        `llookup:${vectors.issued.record}`,
        `update:isEncrypted:false:ivNonce:${epoch}:${vectors.issued.record} ${wrapped}`,
        `llookup:${vectors.issued.record}`,
        expect.stringMatching(
          new RegExp(`^notify:id:[0-9a-f-]{36}:update:.*:isEncrypted:false:ivNonce:${epoch}:`),
        ),
      ]);
      expect(lines.at(-1)?.endsWith(`:${vectors.issued.record}:${wrapped}`)).toBe(true);
    });

    test("a fingerprint fits its key and no other", async () => {
      for (const [text, status] of [
        [PIN.text, 0],
        [PIN.text.toUpperCase().replaceAll("-", ""), 0],
        [vectors.fingerprints["@alpha"].text, PEER_KEY_CHANGED],
      ] as const) {
        const world = new World();
        const device = await imported(factory, world, { config: { 15: `@bravo:${text}` } });
        device.start();
        device.until(() => device.state() === State.ready);
        expect(device.finish(Kind.put, "@bravo:x.demo@alpha", "1").status, text).toBe(status);
        const pin = device.store.get(3)?.subarray(28, 60);
        if (status === 0) expect(Buffer.from(pin ?? []).toString("hex")).toBe(PIN.sha256);
        else expect(pin).toBe(undefined);
      }
      expect(pinOf("@bravo", bravo.encryption.publicKeySpkiBase64).toString("hex")).toBe(
        PIN.sha256,
      );
    });

    test("a pairing code is read in any form, and a typing error is found", async () => {
      const device = await Device.open(factory, new World());
      device.init();
      for (const code of vectors.codes.accepted)
        expect(device.config(12, `AB12CD-${code}`)).toBe(0);
      expect(device.config(12, "AB12CD g0v0 NGGT tegj dp8c 7n4k")).toBe(0);
      // It must not be sent as a passcode.
      expect(device.config(12, "AB12CDg0v0nggttegjdp8c7n4k")).toBe(-31);
      for (const code of [...vectors.codes.refused, "g0v0-nggt-tegj-dp8c-7n4"]) {
        expect(device.config(12, `AB12CD-${code}`), code).toBe(-31);
      }
      expect(device.config(12, "AB12CD")).toBe(0);
    });

    test("a coded enrollment", async () => {
      const { enrolment } = vectors;
      const world = new World();
      world.passcodes.add("AB12CD");
      const device = await Device.open(factory, world);
      device.init();
      device.configure(enrolment.passcodeText);
      world.hook = (line) =>
        line.startsWith("enroll:")
          ? `data:{"enrollmentId":"${enrolment.enrollmentId}","status":"pending"}\n@`
          : undefined;
      device.start();
      device.until(() => device.state() === State.approval);
      const request = world.lines.find((line) => line.startsWith("enroll:")) ?? "";
      expect(request).toContain('"otp":"AB12CD"');
      expect(world.lines.join("")).not.toMatch(/g0v0/i);
      const json = JSON.parse(request.slice("enroll:request:".length));
      expect(unwrapKey(json.encryptedAPKAMSymmetricKey, alpha)).toBe(enrolment.wrappedText);
      world.enrollments.set(enrolment.enrollmentId, {
        id: enrolment.enrollmentId,
        name: "sensor.kitchen",
        status: "approved",
        publicKey: json.apkamPublicKey,
        symmetric: "",
      });
      const key = hex(enrolment.key).toString("base64");
      const leave = (name: string, text: string, iv: string) =>
        world.records.set(`${enrolment.enrollmentId}.${name}.__manage@alpha`, {
          value: JSON.stringify({ value: encryptValue(text, key, iv), iv }),
        });
      leave(
        "default_enc_private_key",
        alpha.encryption.privateKeyPkcs8Base64,
        enrolment.privateKey.ivBase64,
      );
      leave("default_self_enc_key", alpha.selfEncryptionKeyBase64, enrolment.selfKey.ivBase64);
      device.until(() => device.state() === State.ready);
      expect(device.finish(Kind.put, "x.demo@alpha", "1").status).toBe(0);
    });
  });
}
