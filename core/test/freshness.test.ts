// SPDX-License-Identifier: BSD-3-Clause
// Numbers and epochs over days, restarts and power cuts (core/AUTHENTICITY.md, sections 5 to 7); and that nobody who watches the
// line learns what became of a value.
import { describe, expect, test } from "vitest";
import type { EngineFactory } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { fresh, introduced } from "./session/attacks.ts";
import { Device, Kind, PowerCut, State, Verdict } from "./session/device.ts";
import { repeatable } from "./session/entropy.ts";
import { imported } from "./session/fixtures.ts";
import { BRAVO, command, INWARD, PEERS, working } from "./session/known.ts";
import { sealOfKey, sealShared } from "./session/sealing.ts";
import { alpha, decryptValue, encryptValue, World, wrapKey } from "./session/world.ts";
import pkam from "./vectors/interop/06-pkam.json" with { type: "json" };

const MINUTE = 60_000;

const values = (device: Device) => device.of("notification").map(({ value }) => value);

/** The device after a restart: the same store. */
async function restarted(
  factory: EngineFactory,
  world: World,
  store: Map<number, Uint8Array>,
  cutAtWrite?: number,
) {
  const device = await Device.open(factory, world, {
    store,
    ...(cutAtWrite === undefined ? {} : { cutAtWrite }),
  });
  return device;
}

/** Starts it as a board does. */
function start(device: Device): void {
  device.init();
  device.configure("");
  device.config(5, '{"greenhouse":"rw"}');
  device.config(15, PEERS);
  device.start(true);
  device.until(() => device.state() === State.ready);
  device.advance(1000);
}

/** The numbers in everything that was ever sealed and sent. */
function numbersSent(world: World): string[] {
  const lines = world.lines.filter((line) => /isEncrypted:true/.test(line));
  return lines.map((line) =>
    Buffer.from(/:ivNonce:([^:]+)/.exec(line)?.[1] ?? "", "base64").toString("hex", 0, 6),
  );
}

for (const factory of engines) {
  const slow = factory.name === "wasm3";

  describe(`freshness, on ${factory.name}`, () => {
    test("a power cut at any write doubles no command and gives no number twice", async () => {
      for (let cutAtWrite = 0, cut = true; cut; cutAtWrite += slow ? 5 : 1) {
        const world = new World();
        const { store } = await imported(factory, world);
        const obeyed: string[] = [];
        let counter = 0;
        /** @bravo's client, which starts anew with each life of the device, and the device's own messages. */
        const live = (device: Device, life: number) => {
          start(device);
          for (let i = 0; i < 12; i++) {
            command(world, [life, ++counter], `command ${life} ${i}`, {
              direction: introduced(world),
            });
            device.advance(100);
            device.finish(Kind.notify, "@bravo:reading.greenhouse@alpha", `${i}`);
            device.finish(Kind.put, "state.greenhouse@alpha", `${i}`);
          }
          device.advance(MINUTE);
        };
        const first = await restarted(factory, world, store, cutAtWrite);
        cut = false;
        try {
          live(first, 1);
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error;
          cut = true;
        }
        obeyed.push(...values(first));
        for (const connection of world.connections) connection.closed = true;
        const second = await restarted(factory, world, store);
        live(second, 2);
        obeyed.push(...values(second));
        expect(obeyed.length, `cut at ${cutAtWrite}`).toBe(new Set(obeyed).size);
        expect(obeyed.filter((value) => value.startsWith("command 2")).length).toBe(12);
        const numbers = numbersSent(world);
        expect(numbers.length - new Set(numbers).size, `cut at ${cutAtWrite}`).toBe(0);
      }
    }, 240_000);

    test("five senders for a day: nothing is refused, and little is written", async () => {
      const { world, device } = await working(factory, { monitor: true });
      const before = device.writes;
      const hours = slow ? 2 : 24;
      let sent = 0;
      for (let minute = 0; minute < hours * 60; minute += 10) {
        for (let client = 1; client <= 5; client++) {
          command(world, [client, minute + 1 + client], `${client} at ${minute}`);
          sent++;
          device.advance(2 * MINUTE);
        }
      }
      expect(values(device).length).toBe(sent);
      expect(device.of("notice")).toEqual([]);
      expect(device.writes - before).toBeLessThan(4000);
    }, 240_000);

    test("a sender of fifty devices, whose numbers are far apart: nothing waits", async () => {
      const { world, device } = await working(factory, { monitor: true });
      for (let i = 1; i <= 40; i++) {
        command(world, [3, 50 * i], `${i}`);
        device.settle();
        expect(values(device).at(-1)).toBe(`${i}`);
        device.advance(5000);
      }
    });

    test("a device that loses its store obeys from the first command on", async () => {
      const world = new World();
      for (let life = 1; life <= 3; life++) {
        const device = await fresh(factory, world);
        const direction = introduced(world);
        command(world, [7, life], `life ${life}`, { direction });
        device.advance(1000);
        expect(values(device).at(-1)).toBe(`life ${life}`);
        expect(device.verdict(device.of("notification").at(-1)) & Verdict.fresh).toBe(
          Verdict.fresh,
        );
        for (const connection of world.connections) connection.closed = true;
      }
    });

    test("the text of what is issued stays over restarts, new epochs and lost stores", async () => {
      const world = new World();
      const texts = new Set<string>();
      const epochs = new Set<string>();
      const read = () => {
        const record = world.records.get("@bravo:__auth1.greenhouse@alpha");
        texts.add(record?.value ?? "");
        epochs.add(String(record?.meta?.ivNonce));
      };
      const first = await fresh(factory, world);
      read();
      const again = await restarted(factory, world, first.store);
      start(again);
      read();
      expect([texts.size, epochs.size]).toEqual([1, 1]);
      // Its table is damaged.
      again.store.set(4, Buffer.alloc(232));
      start(await restarted(factory, world, again.store));
      read();
      await fresh(factory, world);
      read();
      expect([texts.size, epochs.size]).toEqual([1, 3]);
    });

    test("a peer on the list without a fingerprint is believed until his first verified value", async () => {
      const world = new World();
      const key = Buffer.alloc(32, 0x42).toString("base64");
      // As a device left it that knew nothing of seals.
      world.records.set("shared_key.bravo@alpha", { value: wrapKey(key, alpha) });
      const device = await fresh(factory, world, "@bravo");
      const direction = introduced(world);
      const shared = Buffer.from(direction.key).toString("base64");
      const iv = Buffer.alloc(16, 9).toString("base64");
      const legacy = (id: string) =>
        world.notify({
          id,
          from: "@bravo",
          key: "@alpha:x.greenhouse@bravo",
          value: encryptValue(id, shared, iv),
          operation: "update",
          isEncrypted: true,
          metadata: { ivNonce: iv },
        });
      legacy("before");
      device.advance(1000);
      const first = device.of("notification").at(-1);
      expect(first?.value).toBe("before");
      expect(device.verdict(first)).toBe(Verdict.encrypted | Verdict.pinned);
      command(world, [7, 1], "sealed", { direction });
      legacy("after");
      device.advance(1000);
      expect(values(device)).toEqual(["before", "sealed"]);
      expect(device.of("notice")).toMatchObject([{ status: -43, id: "after" }]);
      // The key without a seal is used, and nobody vouches for it.
      device.finish(Kind.notify, "@bravo:reading.greenhouse@alpha", "21.5");
      const line = world.lines.findLast((each) => each.startsWith("notify:")) ?? "";
      const sent = decryptValue(
        line.split(":").at(-1) ?? "",
        key,
        /:ivNonce:([^:]+)/.exec(line)?.[1],
      );
      expect(sent).toBe("21.5");
      expect(world.records.get("shared_key.bravo@alpha")?.meta).toBe(undefined);
    });

    test("a key that I have no seal of gives way to one that has it", async () => {
      const { world, device } = await working(factory, { peer: { generation: 0 } });
      const key = Buffer.alloc(32, 0x43);
      const self = Buffer.from(alpha.selfEncryptionKeyBase64, "base64");
      const seal = sealOfKey("@alpha", self, "@bravo", BRAVO.pin, 1, key);
      world.records.set("shared_key.bravo@alpha", {
        value: wrapKey(key.toString("base64"), alpha),
        meta: { ivNonce: seal },
      });
      device.finish(Kind.notify, "@bravo:reading.greenhouse@alpha", "21.5");
      const line = world.lines.findLast((each) => each.startsWith("notify:")) ?? "";
      const iv = /:ivNonce:([^:]+)/.exec(line)?.[1];
      expect(decryptValue(line.split(":").at(-1) ?? "", key.toString("base64"), iv)).toBe("21.5");
      expect(Buffer.from(device.store.get(3) ?? []).includes(key)).toBe(true);
    });

    test("strangers are heard by a list with a star, and can't take a place on it", async () => {
      const strangers = ["@c", "@d", "@e", "@f", "@g", "@h"];
      for (const star of [true, false]) {
        const { world, device } = await working(factory, {
          monitor: true,
          peers: star ? `${PEERS} *` : PEERS,
        });
        const key = Buffer.alloc(32, 0x44).toString("base64");
        const iv = Buffer.alloc(16, 9).toString("base64");
        for (const from of strangers) {
          world.notify({
            id: from,
            from,
            key: `@alpha:x.greenhouse${from}`,
            value: encryptValue(from, key, iv),
            operation: "update",
            isEncrypted: true,
            metadata: { ivNonce: iv, sharedKeyEnc: wrapKey(key, alpha) },
          });
          device.advance(1000);
        }
        expect(values(device)).toEqual(star ? strangers : []);
        command(world, [7, 1], "command");
        device.advance(1000);
        expect(values(device).at(-1)).toBe("command");
      }
    });

    test("another client that issues is told of, and nothing is obeyed", async () => {
      const { world, device } = await working(factory, { monitor: true });
      const other = await fresh(factory, world);
      expect(other.of("notice")).toEqual([]);
      device.cut();
      device.until(() => device.state() === State.ready);
      device.settle();
      expect(device.of("notice")).toMatchObject([{ status: -45, from: "@bravo" }]);
      command(world, [7, 1], "open");
      device.settle();
      expect(values(device)).toEqual([]);
    });

    test("a new key of the peer is taken with the first fresh value under it, over a restart", async () => {
      const { world, device } = await working(factory, { monitor: true });
      const key = Buffer.alloc(32, 0x21);
      const direction = { ...INWARD, key };
      const { iv, value } = sealShared(direction, 1, "@alpha:x.greenhouse@bravo", [7, 1], "new");
      const metadata = { ivNonce: iv, sharedKeyEnc: wrapKey(key.toString("base64"), alpha) };
      world.notify({
        id: "new key",
        from: "@bravo",
        key: "@alpha:x.greenhouse@bravo",
        value,
        isEncrypted: true,
        operation: "update",
        metadata,
      });
      device.settle();
      expect(values(device)).toEqual(["new"]);
      const again = await restarted(factory, world, device.store);
      start(again);
      command(world, [7, 2], "under it", { direction });
      again.advance(1000);
      expect(values(again).at(-1)).toBe("under it");
    });

    test("what leaves the device says nothing of a hundred good and a hundred bad values", async () => {
      const name = "@alpha:x.greenhouse@bravo";
      const transcript = async (kind: string) => {
        const { world, device } = await working(repeatable(factory), {
          monitor: true,
          given: [5, 300],
        });
        const seen: string[] = [];
        world.hook = (line, connection) => {
          seen.push(`${device.now} ${line}`);
          if (!line.startsWith("from:")) return undefined;
          connection.challenge = pkam.challenge;
          return `data:${pkam.challenge}\n@`;
        };
        const count = slow ? 15 : 100;
        for (let i = 1; i <= count; i++) {
          const good = sealShared(INWARD, 1, name, [7, i], "value");
          const iv = Buffer.from(good.iv, "base64");
          if (kind === "wrong tag") iv.writeUInt8(iv.readUInt8(15) ^ 1, 15);
          const ivNonce = iv.toString("base64");
          const wrapped = wrapKey(Buffer.alloc(32, 9).toString("base64"), alpha);
          const bad = {
            good: { value: good.value, metadata: { ivNonce } },
            "wrong tag": { value: good.value, metadata: { ivNonce } },
            "good, and a key with it": {
              value: good.value,
              metadata: { ivNonce, sharedKeyEnc: wrapped },
            },
            "another key": {
              value: encryptValue("value", Buffer.alloc(32, 9).toString("base64"), ivNonce),
              metadata: { ivNonce, sharedKeyEnc: wrapped },
            },
            "no value": { metadata: { ivNonce } },
            "no IV": { value: good.value, metadata: {} },
            clear: { value: "value", isEncrypted: false, metadata: {} },
          }[kind];
          world.notify({
            id: `${i}`,
            from: "@bravo",
            key: name,
            operation: "update",
            isEncrypted: true,
            ...bad,
          });
          device.advance(1000);
        }
        device.finish(Kind.notify, "@bravo:reading.greenhouse@alpha", "21.5");
        device.cut();
        device.until(() => device.state() === State.ready);
        device.advance(MINUTE);
        return { seen, obeyed: values(device).length, count };
      };
      const good = await transcript("good");
      expect(good.obeyed).toBe(good.count);
      for (const kind of ["wrong tag", "no value", "no IV"]) {
        const bad = await transcript(kind);
        expect(bad.obeyed, kind).toBe(0);
        expect(bad.seen, kind).toEqual(good.seen);
      }
      // Opening a key takes random bytes: ids and the pause before the login are others, and as good as those.
      const masked = (lines: readonly string[]) =>
        lines.map((line) =>
          line.replace(/^\d+ /, "").replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, "<id>"),
        );
      const carrying = await transcript("good, and a key with it");
      expect(carrying.obeyed).toBe(good.count);
      const bad = await transcript("another key");
      expect(bad.obeyed).toBe(0);
      expect(masked(bad.seen)).toEqual(masked(carrying.seen));
      const clear = await transcript("clear");
      expect(clear.obeyed).toBe(0);
      expect(clear.seen).toEqual(carrying.seen);
    }, 120_000);
  });
}
