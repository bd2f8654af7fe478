// SPDX-License-Identifier: BSD-3-Clause
// A peer and an atServer that want to know what decrypting something came to: all they see of the device, line by line with
// its time, has to be the same whatever it came to.
import { describe, expect, test } from "vitest";
import type { EngineFactory } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { type Device, Kind, State } from "./session/device.ts";
import { repeatable } from "./session/entropy.ts";
import { imported } from "./session/fixtures.ts";
import { alpha, encryptValue, World, wrapKey } from "./session/world.ts";
import { encryptBlock, paddedBlock, unreadableUnder, wrapAs } from "./session/wrapping.ts";
import pkam from "./vectors/interop/06-pkam.json" with { type: "json" };

const K = "QndhgiV8AVf86jFRAsOBlPU0eZMWOym5u1xgzjPCFLc=";
const K2 = alpha.apkamSymmetricKeyBase64;
const IV = "0bOJ3JEC6xo8WUlwrhrtmQ==";
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Metadata = Record<string, unknown>;

/** The ciphertext with its last byte changed: no padding any more. */
function spoiled(ciphertext: string): string {
  const bytes = Buffer.from(ciphertext, "base64");
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 0x80, bytes.length - 1);
  return bytes.toString("base64");
}

function note(id: string, value: string, metadata: Metadata = {}, isEncrypted: unknown = true) {
  return {
    id,
    from: "@bravo",
    key: "@alpha:temp.demo@bravo",
    value,
    operation: "update",
    isEncrypted,
    metadata: { ivNonce: IV, ...metadata },
  };
}

/** A ready device that asked for notifications, whose every line is kept with its time. */
async function watched(factory: EngineFactory) {
  const world = new World();
  const device = await imported(repeatable(factory), world);
  const seen: string[] = [];
  world.hook = (line, connection) => {
    seen.push(`${device.now} ${line}`);
    if (!line.startsWith("from:")) return undefined;
    connection.challenge = pkam.challenge;
    return `data:${pkam.challenge}\n@`;
  };
  if (device.start(true) !== 0) throw new Error("session_start failed");
  device.until(() => device.state() === State.ready);
  device.settle();
  return { world, device, seen };
}

function reconnect(device: Device): void {
  device.cut();
  device.until(() => device.state() === State.ready);
  device.settle();
}

/** What a device sends after a first step by whoever wants to know: requests of its own, notifications, a new login, hours. */
async function transcript(
  factory: EngineFactory,
  step: (world: World, device: Device) => void,
  fetched = wrapAs(K),
): Promise<{ seen: string[]; device: Device }> {
  const { world, device, seen } = await watched(factory);
  world.records.set("@alpha:shared_key@bravo", { value: fetched });
  world.records.set("shared_key.bravo@alpha", { value: wrapAs(K2) });
  world.notify(note("before", encryptValue("before", K, IV)));
  device.settle();
  step(world, device);
  device.settle();
  for (let i = 0; i < 3; i++) {
    world.notify(note(`after ${i}`, encryptValue("after", K, IV)));
    device.advance(i === 1 ? HOUR : MINUTE);
    expect(device.finish(Kind.notify, "@bravo:temp.demo@alpha", "21.5").status).toBe(0);
    device.finish(Kind.get, "temp.demo@bravo");
  }
  reconnect(device);
  world.notify(note("last", encryptValue("last", K, IV)));
  device.advance(MINUTE);
  return { seen, device };
}

/** Lines without their times, which depend on what is random, and with everything random or encrypted replaced by its length. */
const masked = (lines: readonly string[]) =>
  lines.map((line) =>
    line
      .replace(/^\d+ /, "")
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "<id>")
      .replace(/[A-Za-z0-9+/]{22,}={0,2}/g, (x) => `<${x.length}>`),
  );

const VALUES: Record<string, string> = {
  right: encryptValue("right", K, IV),
  "no padding": spoiled(encryptValue("right", K, IV)),
  "another key": encryptValue(unreadableUnder(K, K2, "right", IV), K2, IV),
  "no base64": "?".repeat(24),
  "no whole block": Buffer.alloc(17).toString("base64"),
};

const noBlock = Buffer.alloc(256, 0x11);
const wrongType = paddedBlock(K);
wrongType[1] = 1;
const shortPadding = paddedBlock(K);
shortPadding[9] = 0;
const WRAPPED: Record<string, string> = {
  "a key": wrapAs(K, 0x44),
  "no block": encryptBlock(noBlock),
  "the wrong type of block": encryptBlock(wrongType),
  "seven bytes of padding": encryptBlock(shortPadding),
  "an empty text": wrapAs(""),
  "a text of 44 characters that are no base64": wrapAs("?".repeat(44)),
  "a key one character short": wrapAs(K.slice(0, 43)),
  "a key with bits left over": wrapAs(`${K.slice(0, 42)}d=`),
  "a key and more": wrapAs(`${K}=`),
};

for (const factory of engines) {
  const slow = factory.name === "wasm3";

  describe(`what a device sends, on ${factory.name}`, () => {
    async function expectSame(
      variants: Record<string, string>,
      step: (variant: string) => (world: World, device: Device) => void,
    ) {
      const names = Object.keys(variants).slice(0, slow ? 3 : undefined);
      const [first = "", ...others] = names;
      const right = (await transcript(factory, step(variants[first] ?? ""))).seen;
      expect(right.length).toBeGreaterThan(12);
      for (const name of others) {
        const { seen } = await transcript(factory, step(variants[name] ?? ""));
        expect(seen, name).toEqual(right);
      }
    }

    test("doesn't say whether a notification could be decrypted", async () => {
      await expectSame(VALUES, (value) => (world) => world.notify(note("it", value)));
    });

    test("doesn't say whether a key that came with a notification was one", async () => {
      await expectSame(WRAPPED, (sharedKeyEnc) => (world) => {
        world.notify(note("it", VALUES.right ?? "", { sharedKeyEnc }));
      });
    });

    test("doesn't say whether a record could be decrypted", async () => {
      await expectSame(VALUES, (value) => (world, device) => {
        world.records.set("@alpha:temp.demo@bravo", { value, meta: { ivNonce: IV } });
        device.finish(Kind.get, "temp.demo@bravo");
      });
    });

    test("doesn't say whether a key that came with a record was one", async () => {
      await expectSame(WRAPPED, (sharedKeyEnc) => (world, device) => {
        const meta = { ivNonce: IV, sharedKeyEnc };
        world.records.set("@alpha:temp.demo@bravo", { value: VALUES.right ?? "", meta });
        device.finish(Kind.get, "temp.demo@bravo");
      });
    });

    test("doesn't say whether a key that was fetched is one, the first time or later", async () => {
      await expectSame(WRAPPED, (value) => (world, device) => {
        world.records.set("@alpha:shared_key@bravo", { value });
        reconnect(device);
        world.notify(note("it", VALUES.right ?? ""));
      });
      const [right, ...others] = Object.values(WRAPPED).slice(0, slow ? 3 : undefined);
      const first = async (wrapped = "") => (await transcript(factory, () => {}, wrapped)).seen;
      const seen = await first(right);
      for (const wrapped of others) expect(await first(wrapped)).toEqual(seen);
    });

    test("doesn't say whether my own copy of a key is one, and no value goes out under a key others know", async () => {
      const sent = (lines: readonly string[]) =>
        lines.filter((line) => / notify:/.test(line)).map((line) => line.split(":").at(-1) ?? "");
      const runs = await Promise.all(
        Object.values(WRAPPED)
          .slice(0, slow ? 3 : undefined)
          .map((value) =>
            transcript(factory, (world) => world.records.set("shared_key.bravo@alpha", { value })),
          ),
      );
      const [right, ...others] = runs;
      for (const { seen } of others) expect(masked(seen)).toEqual(masked(right?.seen ?? []));
      // Nobody but the device can tell what these were encrypted with: not with zeros, and not twice with the same.
      const values = runs.flatMap(({ seen }) => sent(seen).slice(0, 1));
      expect(new Set(values).size).toBe(runs.length);
      const zero = Buffer.alloc(32).toString("base64");
      const ivs = runs.map(({ seen }) => /:ivNonce:([^:]+)/.exec(seen.join("\n"))?.[1]);
      const underZero = ivs.map((iv) => encryptValue("21.5", zero, iv));
      expect(values.filter((value) => underZero.includes(value))).toEqual([]);
    });

    test("doesn't say what became of clear values and of text that is no wrapped key", async () => {
      const right = await transcript(factory, (world) =>
        world.notify(note("it", VALUES.right ?? "", { sharedKeyEnc: wrapAs(K, 0x44) })),
      );
      const others = [
        note("it", VALUES.right ?? "", { sharedKeyEnc: "?" }),
        note("it", VALUES.right ?? "", { sharedKeyEnc: "AAAA" }),
        note("it", VALUES.right ?? "", { sharedKeyEnc: "" }),
        note("it", "clear", {}, false),
        note("it", "clear", {}, "false"),
        note("it", VALUES.right ?? "", { encAlgo: "ROT13" }),
        { ...note("it", VALUES.right ?? ""), key: "k".repeat(300) },
      ];
      for (const other of slow ? others.slice(0, 4) : others) {
        const { seen, device } = await transcript(factory, (world) => world.notify(other));
        expect(masked(seen), JSON.stringify(other.metadata)).toEqual(masked(right.seen));
        expect(device.of("notification").filter((e) => e.value === "clear")).toEqual([]);
      }
    });

    test("says nothing of hundreds that can't be decrypted", async () => {
      const { world, device, seen } = await watched(factory);
      world.records.set("@alpha:shared_key@bravo", { value: wrapAs(K) });
      world.notify(note("n", encryptValue("n", K, IV)));
      device.settle();
      const before = seen.length;
      const count = slow ? 30 : 300;
      for (let i = 0; i < count; i++)
        world.notify(note(`n${i}`, spoiled(encryptValue("n", K, IV))));
      device.settle();
      expect(device.of("notice").length).toBe(count);
      expect(seen.slice(before)).toEqual([]);
    });
  });

  describe(`keys of peers, on ${factory.name}`, () => {
    const lookups = (lines: readonly string[]) =>
      lines.filter((line) => line.endsWith("lookup:shared_key@bravo")).length;
    const values = (device: Device) => device.of("notification").map((e) => e.value);

    /** A device that read something under K; then the peer made K2. */
    async function afterNewKey() {
      const { world, device, seen } = await watched(factory);
      world.records.set("@alpha:shared_key@bravo", { value: wrapAs(K) });
      world.notify(note("one", encryptValue("one", K, IV)));
      device.settle();
      expect(values(device)).toEqual(["one"]);
      world.records.set("@alpha:shared_key@bravo", { value: wrapAs(K2) });
      const text = unreadableUnder(K, K2, "two", IV);
      const two = (id: string) => world.notify(note(id, encryptValue(text, K2, IV)));
      return { world, device, seen, two, text };
    }

    test("a new key is read after a login", async () => {
      const { device, seen, two, text } = await afterNewKey();
      two("a");
      device.settle();
      expect(device.of("notice")).toMatchObject([{ id: "a", status: -14 }]);
      reconnect(device);
      two("b");
      device.settle();
      expect(values(device)).toEqual(["one", text]);
      expect(lookups(seen)).toBe(2);
    });

    test("a new key is read within an hour without a login", async () => {
      const { device, seen, two, text } = await afterNewKey();
      device.advance(HOUR - MINUTE);
      two("a");
      device.settle();
      expect(lookups(seen)).toBe(1);
      device.advance(MINUTE);
      two("b");
      device.settle();
      two("c");
      device.settle();
      expect(values(device)).toEqual(["one", text, text]);
      expect(lookups(seen)).toBe(2);
    });

    test("a record's new key is read within an hour", async () => {
      const { world, device, text } = await afterNewKey();
      const record = { value: encryptValue(text, K2, IV), meta: { ivNonce: IV } };
      world.records.set("@alpha:x.demo@bravo", record);
      expect(device.finish(Kind.get, "x.demo@bravo").status).toBe(-14);
      device.advance(HOUR);
      expect(device.finish(Kind.get, "x.demo@bravo").value).toBe(text);
    });

    test("a key that can't be fetched anew stays", async () => {
      const { world, device, seen } = await afterNewKey();
      world.records.delete("@alpha:shared_key@bravo");
      device.advance(HOUR);
      world.notify(note("still", encryptValue("still", K, IV)));
      device.settle();
      const record = { value: encryptValue("record", K, IV), meta: { ivNonce: IV } };
      world.records.set("@alpha:x.demo@bravo", record);
      expect(device.finish(Kind.get, "x.demo@bravo").value).toBe("record");
      expect(values(device)).toEqual(["one", "still"]);
      expect(lookups(seen)).toBe(2);
    });

    test("a missing key is asked for every five minutes, whatever comes and whatever is got", async () => {
      const { world, device, seen } = await watched(factory);
      world.records.set("@alpha:x.demo@bravo", {
        value: encryptValue("x", K, IV),
        meta: { ivNonce: IV },
      });
      for (let i = 0; i < 60; i++) {
        world.notify(note(`n${i}`, encryptValue("n", K, IV)));
        device.finish(Kind.get, "x.demo@bravo");
        device.advance(10_000);
      }
      expect(lookups(seen)).toBe(2);
      expect(new Set(device.of("notice").map((e) => e.status))).toEqual(new Set([-32, -40]));
      world.records.set("@alpha:shared_key@bravo", { value: wrapAs(K) });
      world.notify(note("at last", encryptValue("at last", K, IV)));
      device.settle();
      expect(values(device)).toEqual(["at last"]);
    });

    test("four keys that come with values are opened at once, then one an hour", async () => {
      const { world, device } = await watched(factory);
      const keys = [1, 2, 3, 4, 5, 6].map((n) => Buffer.alloc(32, n).toString("base64"));
      const send = (i: number) => {
        const key = keys[i] ?? "";
        const text = keys.reduce(
          (t, other) => (other === key ? t : unreadableUnder(other, key, t, IV)),
          `value ${i}`,
        );
        world.notify(note(`n${i}`, encryptValue(text, key, IV), { sharedKeyEnc: wrapAs(key) }));
        device.settle();
        return device.of("notification").some((e) => e.value === text);
      };
      expect([0, 1, 2, 3].map(send)).toEqual([true, true, true, true]);
      expect(send(4)).toBe(false);
      // The last one is known still.
      world.notify(
        note("known", encryptValue("known", keys[3] ?? "", IV), {
          sharedKeyEnc: wrapAs(keys[3] ?? ""),
        }),
      );
      device.settle();
      expect(values(device).at(-1)).toBe("known");
      device.advance(HOUR);
      world.notify(
        note("again", encryptValue("again", keys[4] ?? "", IV), {
          sharedKeyEnc: wrapAs(keys[4] ?? ""),
        }),
      );
      device.settle();
      expect(values(device).at(-1)).toBe("again");
      expect(send(5)).toBe(false);
    });

    test("a peer that wraps its one key anew each time is read", async () => {
      const { world, device } = await watched(factory);
      const sent = Array.from({ length: 12 }, (_, i) => `value ${i}`);
      for (const value of sent) {
        world.notify(note(value, encryptValue(value, K, IV), { sharedKeyEnc: wrapKey(K, alpha) }));
      }
      device.settle();
      expect(values(device)).toEqual(sent);
    });

    test("a key that came with a value is as it came after something was written for its sender", async () => {
      const { world, device } = await watched(factory);
      const sharedKeyEnc = wrapAs(K);
      world.records.set("@bravo:shared_key@alpha", { value: "his copy of before" });
      world.notify(note("before", encryptValue("before", K, IV), { sharedKeyEnc }));
      device.settle();
      expect(device.finish(Kind.notify, "@bravo:temp.demo@alpha", "21.5").status).toBe(0);
      world.notify(note("after", encryptValue("after", K, IV), { sharedKeyEnc }));
      device.settle();
      expect(values(device)).toEqual(["before", "after"]);
    });

    test("an old record with its own key doesn't take the place of the key that was fetched", async () => {
      const { world, device } = await watched(factory);
      world.records.set("@alpha:shared_key@bravo", { value: wrapAs(K) });
      world.records.set("@alpha:old.demo@bravo", {
        value: encryptValue("old", K2, IV),
        meta: { ivNonce: IV, sharedKeyEnc: wrapAs(K2) },
      });
      world.notify(note("one", encryptValue("one", K, IV)));
      device.settle();
      expect(device.finish(Kind.get, "old.demo@bravo").value).toBe("old");
      world.notify(note("two", encryptValue("two", K, IV)));
      device.settle();
      expect(values(device)).toEqual(["one", "two"]);
    });
  });
}
