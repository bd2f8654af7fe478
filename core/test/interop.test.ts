// SPDX-License-Identifier: BSD-3-Clause
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EngineFactory } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { Device, Kind, State } from "./session/device.ts";
import { loggedIn } from "./session/fixtures.ts";
import { bravo, checksumOf, World } from "./session/world.ts";
import pkam from "./vectors/interop/06-pkam.json" with { type: "json" };
import shared from "./vectors/interop/08-shared-data.json" with { type: "json" };
import notification from "./vectors/interop/10-notification.json" with { type: "json" };

const shape = pkam.challenge;

/** @bravo's device, whose atServer answers exactly what `replies` says. */
async function bravoDevice(factory: EngineFactory, replies: Record<string, string>) {
  const world = new World();
  world.hook = (line, connection) => {
    if (connection.kind === "directory") return undefined;
    if (line.startsWith("from:")) return `data:${shape.replace("@alpha", "@bravo")}\n@`;
    if (line.startsWith("pkam:")) return "data:success\n@bravo@";
    if (line.startsWith("monitor:")) return "";
    return replies[`${line}\n`] ?? "data:ok\n@bravo@";
  };
  const device = await Device.open(factory, world);
  device.init();
  device.config(1, "@bravo");
  device.config(2, "root.example:64");
  device.config(8, bravo.pkam.privateKeyPkcs8Base64);
  device.config(9, bravo.encryption.privateKeyPkcs8Base64);
  device.config(10, bravo.selfEncryptionKeyBase64);
  if (device.start(true) !== 0) throw new Error("session_start failed");
  device.until(() => device.state() === State.ready);
  device.settle();
  return { world, device };
}

for (const factory of engines) {
  describe(`published vectors on ${factory.name}`, () => {
    test("the notification line at the receiver, whole and byte by byte", async () => {
      for (const cut of [false, true]) {
        const { world, device } = await bravoDevice(factory, {});
        const line = notification.monitorLineAtReceiver;
        const pieces = cut ? line.split("") : [line];
        // Glued to the prompt after the heartbeat's reply.
        world.connections.at(-1)?.out.push("data:ok\n@bravo@", ...pieces);
        device.settle();
        expect(device.of("notification").map((e) => e.value)).toEqual([
          notification.expectedPlaintext,
        ]);
      }
    });

    test("the shared value at the reader, its key looked up; with and without an IV", async () => {
      const [, lookup, recv] = shared.readerSide;
      for (const form of ["withIv", "legacyZeroIv"] as const) {
        const iv = form === "withIv" ? shared.withIv.ivNonceBase64 : null;
        const record = {
          key: "@bravo:phone.demo@alpha",
          data: shared[form].ciphertextBase64,
          metaData: { isEncrypted: true, ivNonce: iv },
        };
        const { device } = await bravoDevice(factory, {
          [shared.readerSide[0]?.send ?? ""]: `data:${JSON.stringify(record)}\n@bravo@`,
          [lookup?.send ?? ""]: recv?.recv ?? "",
        });
        expect(device.finish(Kind.get, "phone.demo@alpha")).toMatchObject({
          status: 0,
          value: shared.value,
        });
      }
    });

    test("the checksums of the recipient's public key", async () => {
      const { device, world } = await loggedIn(factory);
      device.finish(Kind.put, "@bravo:phone.demo@alpha", shared.value);
      expect(world.lines.at(-1)).toContain(`:pubKeyCS:${shared.pubKeyCS.value}:`);
      expect(checksumOf(bravo.encryption.publicKeySpkiBase64)).toBe(shared.pubKeyCS.value);
      for (const hash of [shared.pubKeyHash.value, `0${shared.pubKeyHash.value.slice(1)}`]) {
        const record = {
          data: shared.withIv.ciphertextBase64,
          metaData: {
            ivNonce: shared.withIv.ivNonceBase64,
            sharedKeyEnc: shared.wrappedForThem.ciphertextBase64,
            pubKeyHash: { hash, hashingAlgo: "sha512" },
          },
        };
        const reader = await bravoDevice(factory, {
          "lookup:all:phone.demo@alpha\n": `data:${JSON.stringify(record)}\n@bravo@`,
        });
        const event = reader.device.finish(Kind.get, "phone.demo@alpha");
        expect(event.status).toBe(hash === shared.pubKeyHash.value ? 0 : -35);
      }
    });

    test("whatever a server sends, nothing traps and the session comes back", async () => {
      const words = fc.constantFrom(
        "data:",
        "error:",
        "error:AT0015-",
        "error:{",
        "notification: ",
        "@",
        "@alpha@",
        "\n",
        "\r\n",
        '{"id":"',
        '","from":"@bravo","key":"@alpha:k.n@bravo","value":"',
        '"metadata":{"ivNonce":"',
        "null",
        '"}',
        "}}",
        "AAAA",
        "\\u",
        "[",
        ",",
        ":",
      );
      const noise = fc.array(fc.oneof(words, fc.string({ maxLength: 40 })), { maxLength: 30 });
      const kinds = fc.constantFrom(Kind.put, Kind.get, Kind.notify, Kind.delete);
      const { world, device } = await loggedIn(factory, { monitor: true });
      fc.assert(
        fc.property(noise, kinds, (pieces, kind) => {
          let once = true;
          world.hook = (line) => {
            if (!once || /^(from|pkam|alpha$)/.test(line)) return undefined;
            once = false;
            return `${pieces.join("")}\n@alpha@`;
          };
          device.finish(kind, "@bravo:k.demo@alpha", "x");
          world.hook = () => undefined;
          world.records.delete("shared_key.bravo@alpha");
          expect(device.finish(Kind.scan).status).toBe(0);
        }),
        { numRuns: factory.name === "v8" ? 300 : 30 },
      );
    });
  });
}
