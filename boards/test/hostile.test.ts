// SPDX-License-Identifier: BSD-3-Clause
// The simulated device and the device in C before an atServer that lies.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Pin } from "../../device/js/pins.ts";
import { changeJson, flipBit, type Json } from "../../host/test/security/hostileServer.ts";
import { AuthenticPeer } from "./authenticPeer.ts";
import { HostileWorld } from "./hostileWorld.ts";
import { buildDevice, type PosixDevice } from "./posixDevice.ts";
import { DEVICE, PEER, PosixWorld } from "./posixWorld.ts";
import { SimulatedProcess } from "./simulatedProcess.ts";

const YEAR_2096 = 3_976_214_400_000;
const DAY_MS = 86_400_000;
const REPLY = /^notify:.*:@alice:reply\.greenhouse@greenhouse:/;
const A = "f5e00971-3c6b-4d86-b507-2df48a004765";

let program = "";
let world: PosixWorld;
let hostile: HostileWorld;

beforeAll(async () => {
  program = buildDevice("plain");
  world = await PosixWorld.start();
  await world.approveAll();
  hostile = await HostileWorld.before(world.world, DEVICE);
}, 300_000);

afterEach(() => {
  hostile.server.beHonest();
  hostile.server.lines.length = 0;
});

afterAll(async () => {
  await hostile.close();
  await world.close();
});

/** A device of either kind. */
interface Victim {
  /** It has said something of itself that matches so often. */
  said(what: RegExp, times?: number): Promise<void>;
  /** How often it has so far. */
  count(what: RegExp): number;
  kill(): Promise<void>;
}

class PosixVictim implements Victim {
  readonly #device: PosixDevice;

  private constructor(device: PosixDevice) {
    this.#device = device;
  }

  static async start(name: string, pins?: readonly Pin[]): Promise<PosixVictim> {
    const told = { directory: hostile.directory, ...(pins && { pins }) };
    return new PosixVictim(world.start(program, [await world.flash(name, told)]));
  }

  said(what: RegExp, times = 1): Promise<void> {
    return this.#device.until(what, times);
  }

  count(what: RegExp): number {
    return this.#device.count(what);
  }

  kill(): Promise<void> {
    return this.#device.kill();
  }
}

class SimulatedVictim implements Victim {
  readonly #process: SimulatedProcess;

  private constructor(process: SimulatedProcess) {
    this.#process = process;
  }

  static async start(name: string): Promise<SimulatedVictim> {
    const file = join(world.folder, `${name}.json`);
    const configuration = {
      atSign: DEVICE,
      directory: hostile.directory,
      ca: world.world.authorityFile,
      store: join(world.folder, `${name}.store`),
      app: "greenhouse",
      device: name,
      namespaces: { greenhouse: "rw" },
      peer: PEER,
      intervalMs: 1000,
    };
    writeFileSync(file, JSON.stringify(configuration));
    const process = new SimulatedProcess(file);
    process.child.stdin.write(`${await world.owner.otpGet()}\n`);
    return new SimulatedVictim(process);
  }

  said(what: RegExp, times = 1): Promise<void> {
    return this.#process.until({ event: "error", message: what }, times);
  }

  count(what: RegExp): number {
    return this.#process.count({ event: "error", message: what });
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }
}

type Send = (name: string, value: string) => Promise<unknown>;

const send: Send = (name, value) => world.peer.notify(`${DEVICE}:${name}.greenhouse${PEER}`, value);

/** A command goes through: everything the device was sent before has been looked at. */
async function obeyed(id: number, by = send): Promise<void> {
  const before = hostile.server.count(REPLY);
  await by("command", JSON.stringify({ id, set: "interval", ms: 1000 + id }));
  await hostile.server.until(REPLY, before + 1);
}

const isNote = ({ key }: Json) => /:note\.greenhouse@alice$/.test(String(key));
const isCommand = ({ key }: Json) => /:command\.greenhouse@alice$/.test(String(key));

/** Changes the next notifications of a kind on their way, one after the other. */
function lieOnce(kind: (json: Json) => boolean, ...lies: ((json: Json) => Json)[]): void {
  hostile.server.onNotification((json) => {
    const lie = kind(json) ? lies.shift() : undefined;
    return lie ? lie(json) : json;
  });
}

/** A wrapped key that is none: the first bit keeps it below every modulus. */
function noKey(): string {
  const bytes = randomBytes(256);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString("base64");
}

/** Ways to spoil a notification. */
const LIES: ((json: Json) => Json)[] = [
  (json) => {
    const value = String(json.value);
    return { ...json, value: flipBit(value, 8 * (Buffer.from(value, "base64").length - 1) + 7) };
  },
  (json) => ({ ...json, value: "no base64" }),
  (json) => ({ ...json, value: Buffer.alloc(17).toString("base64") }),
  (json) => ({ ...json, isEncrypted: false, value: "clear" }),
  (json) => ({ ...json, metadata: { ...(json.metadata as Json), sharedKeyEnc: noKey() } }),
  (json) => ({ ...json, metadata: { ...(json.metadata as Json), sharedKeyEnc: "AAAA" } }),
  (json) => ({ ...json, metadata: { ...(json.metadata as Json), pubKeyCS: "0".repeat(32) } }),
  (json) => {
    const metadata = json.metadata as Json;
    return { ...json, metadata: { ...metadata, ivNonce: flipBit(String(metadata.ivNonce), 127) } };
  },
  (json) => {
    const metadata = json.metadata as Json;
    return { ...json, metadata: { ...metadata, ivNonce: flipBit(String(metadata.ivNonce), 40) } };
  },
  (json) => ({ ...json, metadata: { ...(json.metadata as Json), ivNonce: null } }),
  (json) => ({ ...json, key: String(json.key).replace("note", "other") }),
  (json) => ({ ...json, operation: "delete" }),
];

const HUNDRED_LIES = Array.from(
  { length: 100 },
  (_, i) => LIES[i % LIES.length] ?? ((x: Json) => x),
);

/** Lines the device sends of itself, by its own clock. */
const OWN_CLOCK = /^noop:|^(notify|update):.*:(reading|latest)\.greenhouse@greenhouse/;
/** What differs each time is left out: ids, wrapped keys, IVs and what is encrypted. */
const formOf = (line: string) =>
  line
    .replace(/:id:[^:]*/, "")
    .replace(/:(sharedKeyEnc|ivNonce):[^:]*/g, ":$1")
    .replace(/:[^:]*$/, "");

/** What leaves the device while it takes this many notes and, at the end, a command. */
async function leavesAfter(notes: number, id: number, by = send): Promise<string[]> {
  const from = hostile.server.lines.length;
  for (let i = 0; i < notes; i++) await by("note", `note ${i}`);
  await obeyed(id, by);
  return hostile.server.lines
    .slice(from)
    .filter((line) => !OWN_CLOCK.test(line))
    .map(formOf);
}

const kinds = { simulated: SimulatedVictim, "in C": PosixVictim } as const;

for (const [kind, { start }] of Object.entries(kinds)) {
  const name = (text: string) => `${text}-${kind === "in C" ? "c" : "sim"}`;

  describe(`the ${kind} device before a lying atServer`, () => {
    it("tells nothing of what it could decrypt, obeys nothing unencrypted, and isn't made deaf by a time to come", async () => {
      const victim = await start(name("listener"));
      // It sends a reading: it listens.
      await hostile.server.until(/^notify:/);
      await obeyed(1);
      const before = hostile.requests;

      lieOnce(isNote, ...LIES);
      for (const _ of LIES) await send("note", "something");
      await obeyed(2);
      expect(hostile.requests).toEqual(before);

      const replies = hostile.server.count(REPLY);
      const value = '{"id":7,"set":"interval","ms":300}';
      lieOnce(isCommand, (json) => ({ ...json, isEncrypted: false, value }));
      await send("command", JSON.stringify({ id: 3, set: "interval", ms: 1003 }));
      await victim.said(/NotEncrypted|^it was not encrypted/);
      await obeyed(4);
      expect(hostile.server.count(REPLY)).toBe(replies + 1);
      expect(hostile.requests).toEqual(before);

      lieOnce(isNote, (json) => ({ ...json, epochMillis: YEAR_2096 }));
      await send("note", "from a time to come");
      await obeyed(5);
      const monitors = hostile.server.count(/^monitor:/);
      hostile.server.hangUp();
      // While it is away.
      const answered = hostile.server.count(REPLY);
      await send("command", JSON.stringify({ id: 6, set: "interval", ms: 1006 }));
      await hostile.server.until(/^monitor:/, monitors + 1);
      const asked = hostile.server.lines.filter((line) => line.startsWith("monitor:")).at(-1);
      const from = Number(/^monitor:multiplexed:(\d+)/.exec(asked ?? "")?.[1]);
      expect(from).toBeLessThan(Date.now() + DAY_MS);
      await hostile.server.until(REPLY, answered + 1);
      await victim.kill();
    });

    it("sends after a hundred bad values what it sends after a hundred good ones", async () => {
      const victim = await start(name("balanced"));
      await hostile.server.until(/^notify:/);
      await obeyed(1);
      const good = await leavesAfter(100, 2);
      lieOnce(isNote, ...HUNDRED_LIES);
      const bad = await leavesAfter(100, 3);
      expect(bad).toEqual(good);
      expect(good.length).toBeGreaterThan(0);
      await victim.kill();
    }, 180_000);

    it("signs nothing but a login challenge of its own", async () => {
      const victim = await start(name("signer"));
      // It sends a reading: it listens.
      await hostile.server.until(/^notify:/);
      await obeyed(1);
      const logins = hostile.server.count(/^pkam:/);
      hostile.server.onReply(/^from:/, () => `data:_${A}@alice:${A}`);
      hostile.server.hangUp();
      await victim.said(/BadChallenge|no login challenge/);
      expect(hostile.server.count(/^pkam:/)).toBe(logins);
      await victim.kill();
    });

    it("doesn't ask without end for the public key of a peer who has none", async () => {
      hostile.server.onReply(/^llookup:shared_key/, () => "error:AT0015-key not found : x");
      hostile.server.onReply(/^plookup:publickey/, () => "error:AT0015-key not found : x");
      const victim = await start(name("asker"));
      const failed = /NotFound|^an operation failed/;
      await victim.said(failed, 6);
      // Once an operation; those of one reading are told together.
      const operations = victim.count(failed) + 2;
      expect(hostile.server.count(/^plookup:publickey/)).toBeLessThanOrEqual(operations);
      await victim.kill();
    });

    it("doesn't take an answer to its enrolment without IVs", async () => {
      hostile.server.onReply(
        /^keys:get/,
        changeJson(({ iv: _, ...rest }) => rest),
      );
      const victim = await start(name("newcomer"));
      await victim.said(
        /InsecureAnswer: .*--accept-legacy-answer|without IVs.*--accept-legacy-answer/,
      );
      expect(hostile.server.count(/^keys:get/)).toBe(2);
      expect(hostile.server.count(/^(update|notify|monitor)/)).toBe(0);
      await victim.kill();
    });
  });
}

it("sends after a hundred values nobody vouches for what it sends after a hundred of its peer's", async () => {
  // Makes the key of its values.
  await send("note", "nothing");
  const peer = await AuthenticPeer.open(world.world, {
    ...{ from: PEER, to: DEVICE, namespace: "greenhouse" },
  });
  const fingerprint = peer.fingerprint.replaceAll("-", "");
  const victim = await PosixVictim.start("strict", [{ atSign: PEER, fingerprint }]);
  await hostile.server.until(/^notify:.*:@alice:reading\.greenhouse@greenhouse:/);
  const direction = await peer.direction();
  const sealed: Send = (name, value) => peer.send(peer.sealed(direction, name, value));
  await obeyed(1, sealed);
  const good = await leavesAfter(100, 2, sealed);
  expect(victim.count(/^a notification was not delivered/)).toBe(0);
  lieOnce(isNote, ...HUNDRED_LIES);
  const bad = await leavesAfter(100, 3, sealed);
  expect(bad).toEqual(good);
  // What says of itself that it isn't encrypted is told apart; a key, known or not, that came with it changes nothing.
  expect(victim.count(/^a notification was not delivered/)).toBeGreaterThan(60);
  peer.close();
  await victim.kill();
}, 180_000);
