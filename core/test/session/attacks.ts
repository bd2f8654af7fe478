// SPDX-License-Identifier: BSD-3-Clause
// What a lying server, or whoever exchanges what it holds, does to a device: core/AUTHENTICITY.md, section 14. Each says
// whether it succeeded.
import { randomBytes } from "node:crypto";
import type { EngineFactory } from "../engine/engine.ts";
import vectors from "../vectors/interop/16-authenticity.json" with { type: "json" };
import { IVS } from "./approval.ts";
import { Device, Kind, State, Verdict } from "./device.ts";
import { imported } from "./fixtures.ts";
import { BRAVO, command, INWARD, OUTWARD, PEERS, working } from "./known.ts";
import { pairing, sealOfKey, sealOwn, sealShared } from "./sealing.ts";
import { alpha, bravo, decryptValue, encryptValue, unwrapKey, World, wrapKey } from "./world.ts";

type Attack = (factory: EngineFactory) => Promise<boolean>;

const SELF = Buffer.from(alpha.selfEncryptionKeyBase64, "base64");
/** A key of the attacker's own. */
const EVIL = Buffer.alloc(32, 0x66);
const EVIL_TEXT = EVIL.toString("base64");
const IV = "0bOJ3JEC6xo8WUlwrhrtmQ==";
const NAME = "@alpha:interval.greenhouse@bravo";

const obeyed = (device: Device) => device.of("notification").map(({ value }) => value);

function note(world: World, value: string | undefined, iv: string, more: object = {}): void {
  world.notify({
    id: `attack ${randomBytes(4).toString("hex")}`,
    from: "@bravo",
    key: NAME,
    ...(value === undefined ? {} : { value }),
    operation: "update",
    isEncrypted: true,
    metadata: { ivNonce: iv },
    ...more,
  });
}

/** Whether the value that a device sends @bravo can be read with the attacker's key. */
function leaks(world: World, device: Device): boolean {
  device.finish(Kind.notify, "@bravo:reading.greenhouse@alpha", "secret");
  const line = world.lines.findLast((each) => each.startsWith("notify:")) ?? "";
  const iv = /:ivNonce:([^:]+)/.exec(line)?.[1];
  try {
    return decryptValue(line.split(":").at(-1) ?? "", EVIL_TEXT, iv) === "secret";
  } catch {
    return false;
  }
}

/** @alpha's device at its first start, @bravo on its list; the world may lie from the beginning. */
export async function fresh(factory: EngineFactory, world: World, peers = PEERS, monitor = true) {
  const config = { 5: '{"greenhouse":"rw"}', 15: peers };
  const device = await imported(factory, world, { config });
  device.start(monitor);
  device.until(() => device.state() === State.ready);
  device.settle();
  return device;
}

/** What @bravo's client knows when it has read what the device issued and made a key. */
export function introduced(world: World) {
  const record = world.records.get("@bravo:__auth1.greenhouse@alpha");
  world.records.set("@alpha:shared_key@bravo", {
    value: wrapKey(Buffer.from(INWARD.key).toString("base64"), alpha),
  });
  return {
    ...INWARD,
    issued: Buffer.from(unwrapKey(record?.value, bravo), "base64"),
    epoch: Buffer.from(String(record?.meta?.ivNonce), "base64"),
  };
}

export const ATTACKS: Record<string, Attack> = {
  async "a key of the server's own as my copy of the key for a peer"(factory) {
    const world = new World();
    const item = { value: wrapKey(EVIL_TEXT, alpha), meta: { ivNonce: IV } };
    world.records.set("shared_key.bravo@alpha", item);
    return leaks(world, await fresh(factory, world, PEERS, false));
  },

  async "my copy of an older key brought back"(factory) {
    const { world, device } = await working(factory, { peer: { generation: 2 } });
    const seal = sealOfKey("@alpha", SELF, "@bravo", BRAVO.pin, 1, EVIL);
    world.records.set("shared_key.bravo@alpha", {
      value: wrapKey(EVIL_TEXT, alpha),
      meta: { ivNonce: seal },
    });
    return leaks(world, device);
  },

  async "my copy of a key made for the peer's former public key"(factory) {
    const world = new World();
    const seal = sealOfKey("@alpha", SELF, "@bravo", Buffer.alloc(32, 1), 1, EVIL);
    world.records.set("shared_key.bravo@alpha", {
      value: wrapKey(EVIL_TEXT, alpha),
      meta: { ivNonce: seal },
    });
    return leaks(world, await fresh(factory, world, PEERS, false));
  },

  async "a value that was changed on its way"(factory) {
    const { world, device } = await working(factory, { monitor: true });
    const { iv, value = "" } = sealShared(INWARD, 1, NAME, [7, 1], "interval 500");
    const bytes = Buffer.from(value, "base64");
    bytes.writeUInt8(bytes.readUInt8(9) ^ 4, 9);
    note(world, bytes.toString("base64"), iv);
    device.settle();
    return obeyed(device).length > 0;
  },

  async "a command again under a new id"(factory) {
    const { world, device } = await working(factory, { monitor: true });
    const sent = command(world, [7, 5], "open");
    device.settle();
    world.notify({ ...sent, id: "another id" });
    device.settle();
    return obeyed(device).length !== 1;
  },

  async "an earlier command after a later one"(factory) {
    const { world, device } = await working(factory, { monitor: true });
    const early = sealShared(INWARD, 1, NAME, [7, 5], "open");
    command(world, [7, 6], "close");
    device.settle();
    note(world, early.value, early.iv);
    device.settle();
    return obeyed(device).join() !== "close";
  },

  async "a recording replayed to the device's replacement"(factory) {
    const { world, device } = await working(factory, { monitor: true });
    const recording = [1, 2, 3].map((n) => command(world, [7, n], `command ${n}`));
    device.advance(1000);
    if (obeyed(device).length !== 3) throw new Error("it isn't obeyed in the first place");
    introduced(world);
    const other = await fresh(factory, world);
    other.advance(1000);
    for (const [i, sent] of recording.entries()) world.notify({ ...sent, id: `again ${i}` });
    other.advance(1000);
    return obeyed(other).length > 0;
  },

  async "a recording replayed after a client found no place"(factory) {
    const taken = Array.from({ length: 8 }, (_, i) => [i + 1, 50] as const);
    const { world, device } = await working(factory, { monitor: true, taken });
    const evicted = sealShared(INWARD, 1, NAME, [1, 40], "open");
    command(world, [9, 1], "new client");
    device.settle();
    if (obeyed(device).length !== 1) throw new Error("a new client isn't obeyed");
    note(world, evicted.value, evicted.iv);
    device.settle();
    return obeyed(device).length !== 1;
  },

  async "a value under a key of the server's own"(factory) {
    const { world, device } = await working(factory, { monitor: true });
    note(world, encryptValue("open", EVIL_TEXT, IV), IV, {
      metadata: { ivNonce: IV, sharedKeyEnc: wrapKey(EVIL_TEXT, alpha) },
    });
    device.settle();
    return obeyed(device).length > 0;
  },

  async "a value that isn't encrypted"(factory) {
    const { world, device } = await working(factory, { monitor: true });
    for (const isEncrypted of [false, "false"]) note(world, "open", IV, { isEncrypted });
    device.settle();
    return obeyed(device).length > 0;
  },

  async "a fetched key of the server's own in the place of the known one"(factory) {
    const { world, device } = await working(factory, { monitor: true });
    world.records.set("@alpha:shared_key@bravo", { value: wrapKey(EVIL_TEXT, alpha) });
    note(world, encryptValue("open", EVIL_TEXT, IV), IV);
    command(world, [7, 1], "close");
    device.advance(1000);
    return obeyed(device).join() !== "close";
  },

  async "a record sent as a command"(factory) {
    const { world, device } = await working(factory, { monitor: true });
    const { iv, value } = sealShared(INWARD, 3, NAME, [7, 1], "open");
    note(world, value, iv);
    device.settle();
    return obeyed(device).length > 0;
  },

  async "a record served for another"(factory) {
    const { world, device } = await working(factory);
    const { iv, value = "" } = sealShared(INWARD, 3, NAME, [7, 1], "open");
    const name = "@alpha:limit.greenhouse@bravo";
    world.records.set(name, { value, meta: { ivNonce: iv } });
    return device.finish(Kind.get, name).status === 0;
  },

  async "the public key of a peer with a fingerprint exchanged"(factory) {
    const world = new World();
    world.records.set("public:publickey@bravo", { value: alpha.encryption.publicKeySpkiBase64 });
    const device = await fresh(factory, world);
    device.finish(Kind.notify, "@bravo:reading.greenhouse@alpha", "secret");
    return (
      world.records.has("@bravo:__auth1.greenhouse@alpha") ||
      world.lines.some((l) => l.startsWith("notify:"))
    );
  },

  async "the public key of a peer exchanged after the first use"(factory) {
    const world = new World();
    const device = await fresh(factory, world, "@bravo");
    device.finish(Kind.notify, "@bravo:reading.greenhouse@alpha", "one");
    world.records.set("public:publickey@bravo", { value: alpha.encryption.publicKeySpkiBase64 });
    device.cut();
    device.until(() => device.state() === State.ready);
    device.settle();
    return device.finish(Kind.notify, "@bravo:reading.greenhouse@alpha", "two").status === 0;
  },

  async "no proof from a peer who gave one before"(factory) {
    const world = new World();
    const device = await fresh(factory, world, "@bravo");
    const direction = introduced(world);
    command(world, [7, 1], "sealed", { direction });
    device.settle();
    if (obeyed(device).join() !== "sealed") throw new Error("what is sealed isn't obeyed");
    const again = await Device.open(factory, world, { store: device.store });
    again.init();
    again.configure("");
    again.config(5, '{"greenhouse":"rw"}');
    again.config(15, "@bravo");
    again.start(true);
    again.until(() => again.state() === State.ready);
    note(world, encryptValue("open", Buffer.from(INWARD.key).toString("base64"), IV), IV);
    again.settle();
    return obeyed(again).includes("open");
  },

  async "an own copy of what is issued that the server wrote"(factory) {
    const world = new World();
    const name = "__auth1_bravo.greenhouse@alpha";
    const text = `${EVIL_TEXT}:${Buffer.alloc(16, 1).toString("base64")}`;
    const { iv, value = "" } = sealOwn("@alpha", EVIL, name, [3, 3], text);
    world.records.set(name, { value, meta: { ivNonce: iv } });
    await fresh(factory, world);
    return introduced(world).issued.equals(EVIL);
  },

  async "the own copy of another peer's key in the place of this one's"(factory) {
    const world = new World();
    const text = `${EVIL_TEXT}:${Buffer.alloc(16, 1).toString("base64")}`;
    const { iv, value = "" } = sealOwn(
      "@alpha",
      SELF,
      "__auth1_carol.greenhouse@alpha",
      [3, 3],
      text,
    );
    world.records.set("__auth1_bravo.greenhouse@alpha", { value, meta: { ivNonce: iv } });
    await fresh(factory, world);
    return introduced(world).issued.equals(EVIL);
  },

  async "the own copy of what is issued rolled back or hidden"(factory) {
    const { world, device } = await working(factory, { monitor: true });
    world.records.delete("__auth1_bravo.greenhouse@alpha");
    device.cut();
    device.until(() => device.state() === State.ready);
    device.settle();
    const before = device.store.get(3)?.slice(188, 204);
    const wasRewritten = world.records.has("__auth1_bravo.greenhouse@alpha");
    command(world, [7, 1], "close");
    device.settle();
    const same = Buffer.from(before ?? []).equals(Buffer.from(INWARD.epoch));
    return !same || !wasRewritten || obeyed(device).join() !== "close";
  },

  async "an answer to a coded enrollment with another self key"(factory) {
    const world = new World();
    world.passcodes.add("AB12CD");
    const device = await Device.open(factory, world);
    device.init();
    device.configure(vectors.enrolment.passcodeText);
    device.start();
    device.until(() => device.state() === State.approval);
    const { key, iv } = pairing(vectors.enrolment.code.canonicalText, "@alpha");
    for (const e of world.enrollments.values()) {
      e.status = "approved";
      const leave = (name: string, text: string, ivText: string) =>
        world.records.set(`${e.id}.${name}.__manage@alpha`, {
          value: JSON.stringify({
            value: encryptValue(text, key.toString("base64"), ivText),
            iv: ivText,
          }),
        });
      const { privateKeyPkcs8Base64 } = alpha.encryption;
      leave(
        "default_enc_private_key",
        privateKeyPkcs8Base64,
        iv("private", e.id, privateKeyPkcs8Base64),
      );
      leave("default_self_enc_key", EVIL_TEXT, IV);
    }
    device.until(() => [State.ready, State.stopped].includes(device.state() as never));
    return device.state() === State.ready;
  },

  async "an answer to a coded enrollment by one who doesn't have the code"(factory) {
    const world = new World();
    world.passcodes.add("AB12CD");
    const device = await Device.open(factory, world);
    device.init();
    device.configure(vectors.enrolment.passcodeText);
    device.config(13, "1");
    device.start();
    device.until(() => device.state() === State.approval);
    for (const e of world.enrollments.values()) {
      e.status = "approved";
      const leave = (name: string, text: string, iv: string) =>
        world.records.set(`${e.id}.${name}.__manage@alpha`, {
          value: JSON.stringify({ value: encryptValue(text, EVIL_TEXT, iv), iv }),
        });
      leave("default_enc_private_key", alpha.encryption.privateKeyPkcs8Base64, IVS[0]);
      leave("default_self_enc_key", EVIL_TEXT, IVS[1]);
    }
    device.until(() => [State.ready, State.stopped].includes(device.state() as never));
    return device.state() === State.ready;
  },
};

/** What is verified says so, and what is sent is sealed, as @bravo finds. */
export async function works(factory: EngineFactory, peers: string): Promise<number> {
  const world = new World();
  const device = await fresh(factory, world, peers);
  command(world, [7, 1], "set", { direction: introduced(world) });
  device.settle();
  world.records.set("@alpha:__auth1.greenhouse@bravo", {
    value: wrapKey(Buffer.from(OUTWARD.issued).toString("base64"), alpha),
    meta: { ivNonce: Buffer.from(OUTWARD.epoch).toString("base64") },
  });
  const sent = device.finish(Kind.notify, "@bravo:reading.greenhouse@alpha", "21.5");
  const key = Buffer.from(
    unwrapKey(world.records.get("@bravo:shared_key@alpha")?.value, bravo),
    "base64",
  );
  const line = world.lines.findLast((each) => each.startsWith("notify:id")) ?? "";
  const iv = Buffer.from(/:ivNonce:([^:]+)/.exec(line)?.[1] ?? "", "base64");
  const number = iv.readUIntBE(0, 6);
  const count = [Math.floor(number / 2 ** 28), number % 2 ** 28] as const;
  const direction = { ...OUTWARD, key };
  const expected = sealShared(direction, 1, "@bravo:reading.greenhouse@alpha", count, "21.5");
  if (expected.iv !== iv.toString("base64")) throw new Error("it isn't sealed as it should be");
  if ((device.verdict(sent) & Verdict.authentic) === 0)
    throw new Error("it doesn't say it is sealed");
  return device.verdict(device.of("notification").at(-1));
}
