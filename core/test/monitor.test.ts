// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, test } from "vitest";
import { engines } from "./engine/engines.ts";
import { Device, Kind, State } from "./session/device.ts";
import { imported, loggedIn } from "./session/fixtures.ts";
import { alpha, bravo, checksumOf, encryptValue, World, wrapKey } from "./session/world.ts";
import vectors from "./vectors/interop/10-notification.json" with { type: "json" };

const K = vectors.sharedAesKeyBase64;
const IV = vectors.ivNonceBase64;

/** A notification from @bravo; `key: null` in the overrides leaves the wrapped key out. */
function fromBravo(id: string, value: string, sharedKeyEnc: string | null, key = K) {
  return {
    id,
    from: "@bravo",
    to: "@alpha",
    key: "@alpha:temp.demo@bravo",
    value: encryptValue(value, key, IV),
    operation: "update",
    messageType: "MessageType.key",
    isEncrypted: true,
    metadata: { encKeyName: null, encAlgo: null, ivNonce: IV, sharedKeyEnc },
  };
}

for (const factory of engines) {
  describe(`monitor on ${factory.name}`, () => {
    test("the notification of the vectors, on the connection that also carries requests", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      expect(world.lines.slice(-2)).toEqual(["monitor:multiplexed", "noop:0"]);
      // The vectors' receiver is @bravo; here @alpha receives, so the key is wrapped for him.
      world.notify({
        ...fromBravo("fee60638-8581-4829-af14-0806790626ec", "temperature=21.5", wrapKey(K, alpha)),
        epochMillis: 1732000000000,
      });
      device.settle();
      expect(device.of("notification")).toEqual([
        {
          kind: "notification",
          status: 0,
          op: 0,
          key: "@alpha:temp.demo@bravo",
          value: vectors.expectedPlaintext,
          from: "@bravo",
          id: "fee60638-8581-4829-af14-0806790626ec",
          epoch: "1732000000000",
          operation: "update",
          error: "",
        },
      ]);
      expect(device.finish(Kind.put, "note.demo@alpha", "x").status).toBe(0);
    });

    test("not subscribed: no monitor request", async () => {
      const { world } = await loggedIn(factory);
      expect(world.lines.some((l) => l.startsWith("monitor"))).toBe(false);
    });

    test("a regex goes with the request", async () => {
      const world = new World();
      const device = await imported(factory, world);
      device.config(6, "demo");
      device.start(true);
      device.until(() => device.state() === State.ready);
      device.settle();
      expect(world.lines.at(-2)).toBe("monitor:multiplexed demo");
    });

    test("a refused monitor is reported, operations go on", async () => {
      const world = new World();
      const device = await imported(factory, world);
      world.hook = (line) =>
        line.startsWith("monitor") ? "error:AT0003-Invalid syntax : bad regex\n@alpha@" : undefined;
      device.start(true);
      expect(device.finish(Kind.put, "note.demo@alpha", "x").status).toBe(0);
      expect(device.of("notice")).toMatchObject([
        { status: -33, error: "AT0003-Invalid syntax : bad regex" },
      ]);
    });

    test("an unknown key is looked up; what comes meanwhile comes again, in order", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      world.records.set("@alpha:shared_key@bravo", { value: wrapKey(K, alpha) });
      world.notify(fromBravo("n1", "one", null));
      world.notify(fromBravo("n2", "two", null));
      world.notify(fromBravo("n3", "three", wrapKey(K, alpha)));
      device.advance(100);
      expect(device.of("notification").map((e) => e.value)).toEqual(["one", "two", "three"]);
      expect(world.lines.filter((l) => l === "lookup:shared_key@bravo").length).toBe(1);
      expect(world.lines.filter((l) => l.startsWith("monitor:"))).toEqual([
        "monitor:multiplexed",
        "monitor:multiplexed:1731999999999",
      ]);
    });

    test("an unknown key while an operation waits for its reply", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      world.records.set("@alpha:shared_key@bravo", { value: wrapKey(K, alpha) });
      world.hook = (line) => {
        if (line.startsWith("scan")) world.notify(fromBravo("n1", "one", null));
        return undefined;
      };
      expect(device.finish(Kind.scan).status).toBe(0);
      device.advance(100);
      expect(device.of("notification").map((e) => e.value)).toEqual(["one"]);
    });

    test("no key to be had: a notice, and the next one is delivered", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      world.notify(fromBravo("n1", "one", null));
      device.settle();
      expect(device.of("notice")).toMatchObject([
        { status: -32, id: "n1", from: "@bravo", value: "" },
      ]);
      world.notify(fromBravo("n2", "two", wrapKey(K, alpha)));
      device.settle();
      expect(device.of("notification").map((e) => e.value)).toEqual(["two"]);
    });

    test("clear values are delivered to who asked for them, and marked", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true, config: { 14: "1" } });
      const clear = {
        ...fromBravo("c1", "", null),
        isEncrypted: false,
        value: 'say "hi" \u{1f6e0}',
      };
      world.notify(clear);
      world.notify({ ...clear, id: "c2", isEncrypted: "false", value: "plain" });
      world.notify({ ...clear, id: "c3", isEncrypted: true, value: null, operation: "delete" });
      world.notify({
        ...clear,
        id: "c4",
        from: "@alpha",
        key: "@alpha:own.demo@alpha",
        isEncrypted: true,
        value: encryptValue("mine", alpha.selfEncryptionKeyBase64),
        metadata: null,
      });
      device.settle();
      expect(device.of("notification").map((e) => [e.value, e.operation, e.status])).toEqual([
        ['say "hi" \u{1f6e0}', "update", 1],
        ["plain", "update", 1],
        ["", "delete", 1],
        ["mine", "update", 0],
      ]);
    });

    test("clear values are not delivered to who did not ask, whoever they say they are from", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      const clear = { ...fromBravo("c1", "", null), isEncrypted: false, value: "obey" };
      world.notify(clear);
      world.notify({ ...clear, id: "c2", isEncrypted: "FALSE" });
      world.notify({ ...clear, id: "c3", from: "@alpha", key: "@alpha:own.demo@alpha" });
      world.notify({ ...clear, id: "c4", isEncrypted: true, value: null, operation: "delete" });
      device.settle();
      expect(device.of("notice").map((e) => [e.id, e.status, e.value])).toEqual([
        ["c1", -39, ""],
        ["c2", -39, ""],
        ["c3", -39, ""],
      ]);
      expect(device.of("notification").map((e) => [e.id, e.status])).toEqual([["c4", 1]]);
    });

    test("keys and statistics are none of the application's business", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      world.notify({ ...fromBravo("s1", "", null), key: "@alpha:shared_key@bravo" });
      world.notify({
        id: "-1",
        from: "@alpha",
        to: "@alpha",
        key: "statsNotification.@alpha",
        value: "7",
        operation: "update",
        isEncrypted: false,
        metadata: null,
      });
      device.settle();
      expect(device.events.filter((e) => e.kind !== "state")).toEqual([]);
      // A name that merely holds the word is the application's.
      const names = ["my.shared_key.demo", "shared_key.demo", "shared_keys", "xshared_key"];
      for (const name of names) {
        const key = `@alpha:${name}@bravo`;
        world.notify({ ...fromBravo(name, name, wrapKey(K, alpha)), key });
      }
      device.settle();
      expect(device.of("notification").map((e) => e.value)).toEqual(names);
    });

    test("too long, malformed, for another key, undecryptable: a notice each, never stuck", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      const wrapped = wrapKey(K, alpha);
      const good = fromBravo("g", "still here", wrapped);
      const bad = [
        { ...fromBravo("l", "", wrapped), value: "A".repeat(5000) },
        {
          ...fromBravo("p", "", wrapped),
          value: encryptValue("p".repeat(2048), K, IV).replace(/.{4}$/, "AAAA"),
        },
        {
          ...fromBravo("c", "x", wrapped),
          metadata: {
            ivNonce: IV,
            sharedKeyEnc: wrapped,
            pubKeyCS: checksumOf(bravo.encryption.publicKeySpkiBase64),
          },
        },
        { ...fromBravo("a", "x", wrapped), metadata: { encAlgo: "ROT13" } },
        { ...fromBravo("b", "x", wrapped), value: "not base64!" },
        { ...fromBravo("w", "x", "AAAA") },
      ];
      for (const n of bad) world.notify(n);
      world.connections
        .at(-1)
        ?.out.push('notification: {"id":"j","from"\n', "notification: {}\n", "notification:\n");
      world.notify(good);
      device.settle();
      expect(device.of("notice").map((e) => [e.id, e.status])).toEqual([
        ["l", -6],
        ["p", -14],
        ["c", -35],
        ["a", -36],
        ["b", -11],
        ["w", -4],
        ["j", -12],
        ["", -12],
        ["", -12],
      ]);
      expect(device.of("notification").map((e) => e.value)).toEqual(["still here"]);
      expect(device.finish(Kind.scan).status).toBe(0);
    });

    test("the longest value a notification can carry", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      world.records.set("@alpha:shared_key@bravo", { value: wrapKey(K, alpha) });
      const value = "v".repeat(2048);
      world.notify(fromBravo("n1", value, null));
      world.notify(fromBravo("n2", value, wrapKey(K, alpha)));
      device.advance(100);
      expect(device.of("notification").map((e) => e.value)).toEqual([value, value]);
    });

    test("after a restart: from the watermark on, what was delivered is not delivered again", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      for (let i = 0; i < 20; i++) world.notify(fromBravo(`n${i}`, `v${i}`, wrapKey(K, alpha)));
      device.advance(2500);
      expect(device.of("notification").length).toBe(20);
      world.notifications.push({
        line: `notification: ${JSON.stringify({ ...fromBravo("late", "late", wrapKey(K, alpha)), epochMillis: 1732000000019 })}\n`,
        epoch: 1732000000019,
      });
      const restarted = await loggedInAgain(factory, world, device.store);
      expect(world.lines.filter((l) => l.startsWith("monitor")).at(-1)).toBe(
        "monitor:multiplexed:1732000000017",
      );
      expect(restarted.of("notification").map((e) => e.id)).toEqual(["late"]);
    });

    test("the store is written when it is quiet, or every 30 seconds", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      const before = device.writes;
      for (let i = 0; i < 60; i++) {
        world.notify(fromBravo(`n${i}`, "v", wrapKey(K, alpha)));
        device.advance(1000);
      }
      expect(device.writes - before).toBe(2);
      world.notify(fromBravo("last", "v", wrapKey(K, alpha)));
      device.advance(1999);
      expect(device.writes - before).toBe(2);
      device.advance(1);
      expect(device.writes - before).toBe(3);
    });
  });
}

async function loggedInAgain(
  factory: (typeof engines)[number],
  world: World,
  store: Map<number, Uint8Array>,
) {
  const device = await Device.open(factory, world, { store });
  expect(device.init()).toBe(0);
  device.configure("");
  device.start(true);
  device.until(() => device.state() === State.ready);
  device.settle();
  return device;
}
