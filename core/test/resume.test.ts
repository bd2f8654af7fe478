// SPDX-License-Identifier: BSD-3-Clause
// From when on a device asks for notifications: an atServer's clock that lies or jumps makes it deaf for no longer than the
// lie lasts, and nothing that comes meanwhile is lost.
import { describe, expect, test } from "vitest";
import type { EngineFactory } from "./engine/engine.ts";
import { engines } from "./engine/engines.ts";
import { Device, State } from "./session/device.ts";
import { imported } from "./session/fixtures.ts";
import { encryptValue, World } from "./session/world.ts";
import { wrapAs } from "./session/wrapping.ts";

const K = "QndhgiV8AVf86jFRAsOBlPU0eZMWOym5u1xgzjPCFLc=";
const NOW = 1_732_000_000_000;
const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;

const sharedKeyEnc = wrapAs(K);

function note(id: string, epochMillis: unknown) {
  return {
    id,
    from: "@bravo",
    key: "@alpha:temp.demo@bravo",
    value: encryptValue(id, K),
    operation: "update",
    isEncrypted: true,
    metadata: { sharedKeyEnc },
    epochMillis,
  };
}

function statistics(epochMillis: unknown) {
  const rest = { from: "@alpha", to: "@alpha", operation: "update", isEncrypted: false };
  return { id: "-1", key: "statsNotification.@alpha", value: "7", epochMillis, ...rest };
}

/** A device that asked for notifications, before an atServer with a clock of its own. */
class Scene {
  readonly world: World;
  device: Device;
  /** The atServer's clock. */
  clock = NOW;
  #count = 0;

  private constructor(world: World, device: Device) {
    this.world = world;
    this.device = device;
  }

  static async open(factory: EngineFactory): Promise<Scene> {
    const world = new World();
    const device = await imported(factory, world);
    const scene = new Scene(world, device);
    scene.#login();
    return scene;
  }

  #login(): void {
    if (this.device.start(true) !== 0) throw new Error("session_start failed");
    this.device.until(() => this.device.state() === State.ready);
    this.device.settle();
  }

  /** The atServer stores a notification and sends it to who listens. */
  notify(epochMillis: unknown = this.clock): string {
    const id = `n${this.#count++}`;
    this.world.notify(note(id, epochMillis));
    this.device.settle();
    this.clock += 10;
    return id;
  }

  /** Something of the moment, which the atServer doesn't keep. */
  say(json: Record<string, unknown>): void {
    this.world.connections.at(-1)?.out.push(`notification: ${JSON.stringify(json)}\n`);
    this.device.settle();
  }

  leave(): void {
    this.device.cut();
  }

  comeBack(): void {
    this.device.until(() => this.device.state() === State.ready);
    this.device.settle();
  }

  /** The power goes and comes back. */
  async restart(factory: EngineFactory): Promise<void> {
    this.device.advance(2500);
    const { events, store } = this.device;
    this.device.cut();
    this.device = await Device.open(factory, this.world, { store });
    this.device.init();
    this.device.configure("");
    this.device.events.push(...events);
  }

  start(): void {
    this.#login();
  }

  get received(): string[] {
    return this.device.of("notification").map((e) => e.id);
  }

  get asked(): string {
    return this.world.lines.filter((line) => line.startsWith("monitor")).at(-1) ?? "";
  }
}

/** Numbers that are no time a notification can have. */
const NO_TIMES: unknown[] = [
  9_999_999_999_999,
  4_102_444_800_000,
  99_999_999_999_999,
  999_999_999_999_999,
  Number.MAX_SAFE_INTEGER,
  1e300,
  -1,
  0,
  1,
  999_999_999_999,
  NOW + 0.5,
  "1732000000000000000000",
  "9223372036854775808",
  "x",
  "",
  null,
  true,
  {},
  [NOW],
];

for (const factory of engines) {
  describe(`the resume point on ${factory.name}`, () => {
    test("is no number that can't be a time", async () => {
      const scene = await Scene.open(factory);
      scene.notify();
      scene.notify();
      const expected = `monitor:multiplexed:${NOW - 1}`;
      const epochs = factory.name === "wasm3" ? NO_TIMES.slice(0, 5) : NO_TIMES;
      for (const epoch of epochs) {
        scene.say(note(`x ${JSON.stringify(epoch)}`, epoch));
        scene.leave();
        scene.comeBack();
        expect(scene.asked, JSON.stringify(epoch)).toBe(expected);
      }
      // What is older than the last sixteen may come twice.
      expect(new Set(scene.received).size).toBe(2 + epochs.length);
    });

    test("is not moved by a single time far ahead, whatever follows", async () => {
      for (const ahead of [2 * MINUTE, YEAR, 70 * YEAR]) {
        const scene = await Scene.open(factory);
        scene.notify();
        scene.notify();
        scene.say(note("ahead", NOW + ahead));
        scene.leave();
        const missed = scene.notify();
        scene.comeBack();
        expect(scene.received).toEqual(["n0", "n1", "ahead", missed]);
      }
    });

    test("is not moved by statistics", async () => {
      const scene = await Scene.open(factory);
      scene.notify();
      scene.notify();
      scene.clock += MINUTE;
      // Stored before the statistics, delivered after them: it is not on this link yet.
      const late = scene.clock;
      for (const epoch of [late + 5, late + MINUTE, late + 50 * YEAR]) scene.say(statistics(epoch));
      scene.leave();
      const missed = scene.notify(late);
      scene.comeBack();
      expect(scene.asked).toBe(`monitor:multiplexed:${NOW - 1}`);
      expect(scene.received).toEqual(["n0", "n1", missed]);
    });

    test("begins, for want of a notification, a minute before the atServer's clock", async () => {
      const scene = await Scene.open(factory);
      scene.say(statistics(NOW));
      scene.leave();
      const missed = scene.notify(NOW - 1000);
      scene.comeBack();
      expect(scene.asked).toBe(`monitor:multiplexed:${NOW - MINUTE - 1}`);
      expect(scene.received).toEqual([missed]);
    });

    for (const restarts of [false, true]) {
      const how = restarts ? "a restart" : "a broken link";
      test(`a clock that was ahead and is set right loses nothing, over ${how}`, async () => {
        for (const ahead of [60 * MINUTE, 50 * YEAR]) {
          const scene = await Scene.open(factory);
          scene.notify();
          scene.clock += ahead;
          for (let i = 0; i < 5; i++) scene.notify();
          scene.say(statistics(scene.clock));
          if (restarts) await scene.restart(factory);
          else scene.leave();
          scene.clock = NOW + MINUTE;
          const missed = [scene.notify(), scene.notify()];
          if (restarts) scene.start();
          else scene.comeBack();
          // The atServer says what time it is every fifteen seconds.
          scene.say(statistics(scene.clock));
          scene.device.advance(1000);
          for (const id of missed) expect(scene.received).toContain(id);
          // It asked once for everything, and goes on from where it is.
          expect(scene.asked).toBe("monitor:multiplexed:1");
          scene.say(statistics(scene.clock));
          const asked = scene.world.lines.length;
          scene.device.advance(5000);
          expect(scene.world.lines.length).toBe(asked);
          const next = [scene.notify(), scene.notify(), scene.notify()];
          scene.leave();
          scene.comeBack();
          expect(scene.received.slice(-3)).toEqual(next);
          expect(Number(scene.asked.split(":").at(-1))).toBeGreaterThan(NOW);
        }
      });
    }

    test("an atServer whose notifications run ahead of its clock is asked for everything once a connection", async () => {
      const scene = await Scene.open(factory);
      const all = /^monitor:multiplexed:1$/;
      const asked = () => scene.world.lines.filter((line) => all.test(line)).length;
      for (let connection = 1; connection <= 2; connection++) {
        scene.clock = NOW + (60 + connection) * MINUTE;
        for (let i = 0; i < 20; i++) {
          scene.notify();
          scene.say(statistics(NOW + connection * MINUTE));
          scene.device.advance(1000);
        }
        expect(asked()).toBe(connection);
        scene.leave();
        scene.comeBack();
      }
      expect(new Set(scene.received).size).toBe(40);
    });

    test("a clock that is set back while the device listens loses nothing", async () => {
      const scene = await Scene.open(factory);
      for (let i = 0; i < 3; i++) scene.notify();
      scene.clock -= 10 * MINUTE;
      scene.notify();
      scene.leave();
      const missed = scene.notify();
      scene.comeBack();
      expect(scene.received).toEqual(["n0", "n1", "n2", "n3", missed]);
    });

    test("a device that was lied to before it had heard anything else is not deaf", async () => {
      const scene = await Scene.open(factory);
      scene.say(note("lie", NOW + 60 * YEAR));
      await scene.restart(factory);
      const missed = scene.notify();
      scene.start();
      scene.say(statistics(scene.clock));
      scene.device.advance(1000);
      expect(scene.received).toContain(missed);
    });
  });
}
