// SPDX-License-Identifier: BSD-3-Clause
import { describe, expect, test } from "vitest";
import { engines } from "./engine/engines.ts";
import { Kind, State } from "./session/device.ts";
import { imported, loggedIn } from "./session/fixtures.ts";
import {
  alpha,
  bravo,
  decryptValue,
  encryptValue,
  unwrapKey,
  World,
  wrapKey,
} from "./session/world.ts";

const K = "QndhgiV8AVf86jFRAsOBlPU0eZMWOym5u1xgzjPCFLc=";

for (const factory of engines) {
  describe(`reconnect on ${factory.name}`, () => {
    test("a put with a new shared key, the link cut at every line, before and after it is obeyed", async () => {
      for (const how of ["cut", "answer and cut"] as const) {
        for (let at = 0; at < 5; at++) {
          const { world, device } = await loggedIn(factory);
          let count = 0;
          world.hook = (line) => (/^(from|pkam)/.test(line) || count++ !== at ? undefined : how);
          const event = device.finish(Kind.put, "@bravo:phone.demo@alpha", "once");
          expect(event.status, `${how} at ${at}`).toBe(0);
          const own = unwrapKey(world.records.get("shared_key.bravo@alpha")?.value, alpha);
          expect(unwrapKey(world.records.get("@bravo:shared_key@alpha")?.value, bravo)).toBe(own);
          const item = world.records.get("@bravo:phone.demo@alpha");
          expect(decryptValue(item?.value ?? "", own, item?.meta?.ivNonce)).toBe("once");
          expect(device.of("operation").length).toBe(1);
        }
      }
    });

    test("a key another client made while the link was broken is not replaced", async () => {
      const { world, device } = await loggedIn(factory);
      const theirs = { value: wrapKey(K, alpha) };
      world.hook = (line) => {
        if (!line.includes(":shared_key.bravo@alpha ")) return undefined;
        world.records.set("shared_key.bravo@alpha", theirs);
        world.hook = () => undefined;
        return "cut";
      };
      expect(device.finish(Kind.put, "@bravo:phone.demo@alpha", "x").status).toBe(0);
      expect(world.records.get("shared_key.bravo@alpha")).toBe(theirs);
      expect(unwrapKey(world.records.get("@bravo:shared_key@alpha")?.value, bravo)).toBe(K);
    });

    test("a notify that is sent again is the same, id and IV and all", async () => {
      const { world, device } = await loggedIn(factory);
      world.records.set("shared_key.bravo@alpha", { value: wrapKey(K, alpha) });
      let cuts = 3;
      world.hook = (line) =>
        line.startsWith("notify") && cuts-- > 0 ? "answer and cut" : undefined;
      expect(device.finish(Kind.notify, "@bravo:temp.demo@alpha", "21.5").status).toBe(0);
      const sent = world.lines.filter((l) => l.startsWith("notify"));
      expect(sent.length).toBe(4);
      expect(new Set(sent).size).toBe(1);
    });

    test("a notification lost with the link comes again, once", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      const note = (id: string, sharedKeyEnc: string | null) => ({
        id,
        from: "@bravo",
        key: "@alpha:a.demo@bravo",
        value: encryptValue(id, K),
        operation: "update",
        isEncrypted: true,
        metadata: { sharedKeyEnc },
      });
      world.notify(note("first", wrapKey(K, alpha)));
      device.settle();
      world.records.set("@alpha:shared_key@bravo", {
        value: wrapKey(alpha.apkamSymmetricKeyBase64, alpha),
      });
      device.cut();
      world.notify(note("second", wrapKey(K, alpha)));
      device.until(() => device.state() === State.ready);
      device.settle();
      expect(device.of("notification").map((e) => e.value)).toEqual(["first", "second"]);
    });

    test("a link cut while a notification waits for its key", async () => {
      const { world, device } = await loggedIn(factory, { monitor: true });
      world.notify({
        id: "-1",
        from: "@alpha",
        key: "statsNotification.@alpha",
        value: "1",
        operation: "update",
        isEncrypted: false,
        metadata: null,
      });
      world.records.set("@alpha:shared_key@bravo", { value: wrapKey(K, alpha) });
      let cuts = 1;
      world.hook = (line) =>
        line.startsWith("lookup:shared_key") && cuts-- > 0 ? "cut" : undefined;
      world.notify({
        id: "n",
        from: "@bravo",
        key: "@alpha:a.demo@bravo",
        value: encryptValue("kept", K),
        operation: "update",
        isEncrypted: true,
        metadata: null,
      });
      device.until(() => device.of("notification").length > 0);
      expect(device.of("notification").map((e) => e.value)).toEqual(["kept"]);
      expect(world.lines.filter((l) => l.startsWith("monitor")).length).toBe(2);
    });

    test("a heartbeat after 15 quiet seconds; 40 silent ones are a dead link", async () => {
      const { world, device } = await loggedIn(factory);
      const before = world.lines.length;
      device.advance(14_999);
      expect(world.lines.length).toBe(before);
      device.advance(1);
      expect(world.lines.slice(before)).toEqual(["noop:0"]);
      world.hook = () => "";
      device.advance(15_000);
      expect(world.lines.slice(before)).toEqual(["noop:0", "noop:0"]);
      device.advance(24_999);
      expect(device.state()).toBe(State.ready);
      device.advance(1);
      expect(device.state()).toBe(State.pausing);
      expect(device.of("state").at(-1)).toMatchObject({ status: State.pausing, op: -24 });
      expect(device.connection).toBeUndefined();
      world.hook = () => undefined;
      device.until(() => device.state() === State.ready);
      // The address was good: the directory is not asked again.
      expect(device.opened).toEqual([
        "root.example:64",
        "alpha.example:6464",
        "alpha.example:6464",
      ]);
    });

    test("pauses grow to a minute and are spread; the directory is asked again", async () => {
      const world = new World();
      const device = await imported(factory, world);
      device.offline = true;
      device.start();
      const starts: number[] = [];
      let seen = 0;
      device.until(() => {
        if (device.opened.length > seen && device.state() === State.pausing) {
          starts.push(Number(device.now));
          seen = device.opened.length;
        }
        return starts.length >= 9;
      });
      expect(new Set(device.opened)).toEqual(new Set(["root.example:64"]));
      const gaps = starts.slice(1).map((t, i) => t - (starts[i] ?? 0));
      const limits = [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000];
      gaps.forEach((gap, i) => {
        // Five tries of the directory lie in between.
        expect(gap - 1100).toBeGreaterThanOrEqual((limits[i] ?? 0) / 2);
        expect(gap - 1100).toBeLessThanOrEqual(limits[i] ?? 0);
      });
      device.offline = false;
      device.until(() => device.state() === State.ready);
    });

    test("a refused login ends the session; it is not tried again", async () => {
      const world = new World();
      world.legacyPkam = bravo.pkam.publicKeySpkiBase64;
      const device = await imported(factory, world);
      device.start();
      const op = device.operate(Kind.scan);
      expect(device.finished(op).status).toBe(-26);
      expect(device.of("state").at(-1)).toMatchObject({ status: State.stopped, op: -26 });
      expect(device.of("state").at(-1)?.error).toMatch(/^AT0401/);
      device.advance(300_000);
      expect(world.lines.filter((l) => l.startsWith("pkam")).length).toBe(1);
      expect(device.store.has(1)).toBe(true);
    });

    test("a request that is never answered: the link is given up, then the operation", async () => {
      const { world, device } = await loggedIn(factory);
      world.hook = (line) => (line.startsWith("scan") ? "" : undefined);
      const started = device.now;
      const event = device.finish(Kind.scan);
      expect(event.status).toBe(-24);
      expect(world.lines.filter((l) => l.startsWith("scan")).length).toBe(2);
      expect(Number(device.now - started)).toBeLessThan(70_000);
      expect(device.finish(Kind.put, "a.demo@alpha", "x").status).toBe(0);
    });

    test("nonsense from the directory and the server is survived", async () => {
      const world = new World();
      const device = await imported(factory, world);
      const answers = ["", "nonsense", "host:", "host:port", ":64", "host:123456"];
      world.directoryAnswer = "x y:64";
      world.hook = (line) => {
        if (line === "alpha") world.directoryAnswer = answers.pop() ?? "alpha.example:6464";
        return undefined;
      };
      device.start();
      device.until(() => device.state() === State.ready);
      const other = await loggedIn(factory);
      other.world.connections
        .at(-1)
        ?.out.push("rubbish\n@alpha@", "data:stray\n@", "error:AT0001-x\n", "\n\n\r\n");
      other.device.settle();
      expect(other.device.finish(Kind.scan).status).toBe(0);
    });

    test("a server that closes with an error", async () => {
      const { world, device } = await loggedIn(factory);
      let times = 1;
      world.hook = (line, connection) => {
        if (!line.startsWith("scan") || times-- <= 0) return undefined;
        connection.closed = true;
        return "error:AT0024-Server is paused : try later\n@alpha@";
      };
      expect(device.finish(Kind.scan)).toMatchObject({ status: -33 });
      device.until(() => device.state() === State.ready);
      expect(device.finish(Kind.scan).status).toBe(0);
    });
  });
}
