// SPDX-License-Identifier: BSD-3-Clause
// The devices and a peer they were told the fingerprint of: it obeys what that peer itself says, once.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Direction } from "../../core/test/session/sealing.ts";
import { formatAddress } from "../../host/net/address.ts";
import { AuthenticPeer } from "./authenticPeer.ts";
import { buildDevice, POWER_CUT, type PosixDevice } from "./posixDevice.ts";
import { DEVICE, PEER, PosixWorld } from "./posixWorld.ts";
import { SimulatedProcess } from "./simulatedProcess.ts";

const NAMESPACE = "greenhouse";
const VOUCHED_FOR = `a command is authenticated by the provisioned key of ${PEER}`;
/** Longer than it takes, at twenty times its speed, to store the time of its last notification. */
const STORED_MS = 3_000;
const SILENT = { intervalMs: 3_600_000 };

let program = "";
let world: PosixWorld;
let peer: AuthenticPeer;

beforeAll(() => {
  program = buildDevice("plain");
}, 300_000);

beforeEach(async () => {
  world = await PosixWorld.start();
  await world.approveAll();
  peer = await AuthenticPeer.open(world.world, { from: PEER, to: DEVICE, namespace: NAMESPACE });
  // Makes the key of its values.
  await world.peer.notify(`${DEVICE}:nothing.${NAMESPACE}${PEER}`, "nothing");
});

afterEach(async () => {
  peer.close();
  await world.close();
});

const command = (id: number) => JSON.stringify({ id, set: "interval", ms: 1_000_000 + id });

/** A flash of a device that knows the peer by its fingerprint. */
const pinned = (name: string) =>
  world.flash(name, {
    ...SILENT,
    pins: [{ atSign: PEER, fingerprint: peer.fingerprint.replaceAll("-", "") }],
  });

/** Starts a device that has told its peer what to seal commands with. */
async function started(flash: string): Promise<{ device: PosixDevice; direction: Direction }> {
  const device = world.start(program, [flash]);
  await device.until("reading sent");
  const direction = await until(() => peer.direction());
  return { device, direction };
}

/** It has stored what it wanted to store. */
async function quiet(device: PosixDevice): Promise<"quiet"> {
  await device.until("command obeyed").catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, STORED_MS));
  return "quiet";
}

/** What the atServer hasn't got yet is asked for again. */
async function until<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const UNVOUCHED = /^a notification was not delivered, status.* -43$/;

/**
 * A new command is obeyed: everything the device was sent before has been looked at. One that was sealed for an epoch that
 * ended meanwhile is said again.
 */
async function obeys(device: PosixDevice, id: number): Promise<void> {
  const obeyed = device.count("command obeyed") + 1;
  let epoch: Uint8Array = Buffer.alloc(0);
  for (let isObeyed = false; !isObeyed; ) {
    const refused = device.count(UNVOUCHED) + 1;
    const direction = await peer.direction();
    if (!direction.epoch.every((byte, i) => byte === epoch[i])) {
      await peer.send(peer.sealed(direction, "command", command(id)));
      epoch = direction.epoch;
    }
    isObeyed = await Promise.race([
      device.until("command obeyed", obeyed).then(() => true),
      device.until(UNVOUCHED, refused).then(() => false),
    ]);
  }
}

it("obeys what the peer itself says, once, and nothing else", async () => {
  const flash = await pinned("strict");
  const { device, direction } = await started(flash);
  const early = peer.sealed(direction, "command", command(1));
  const line = peer.sealed(direction, "command", command(2));
  await peer.send(line);
  await device.until("command obeyed");
  expect(device.lines).toContain(VOUCHED_FOR);

  // Again under another id, one that was overtaken, for another record, and by a client that can't vouch for it.
  await peer.send(line);
  await peer.send(early);
  await peer.send(peer.sealed(direction, "note", command(3)).replace(":note.", ":command."));
  await world.peer.notify(`${DEVICE}:command.${NAMESPACE}${PEER}`, command(4));
  await obeys(device, 5);
  expect(device.count("command obeyed")).toBe(2);
  expect(device.count(VOUCHED_FOR)).toBe(2);
  // An equal number is dropped without a word.
  expect(device.count(UNVOUCHED)).toBe(3);
  await device.kill();

  const again = world.start(program, [flash]);
  await again.until("reading sent");
  await peer.send(line);
  await peer.send(early);
  await obeys(again, 6);
  expect(again.count("command obeyed")).toBe(1);
  // What it issued is what it was: nobody has to fetch anything.
  expect(await peer.direction()).toEqual(direction);
}, 120_000);

it("ignores in its place what another device of the atSign was told", async () => {
  const first = await started(await pinned("first"));
  const recorded = [1, 2, 3].map((id) => peer.sealed(first.direction, "command", command(id)));
  for (const line of recorded) await peer.send(line);
  await first.device.until("command obeyed", 3);
  await first.device.kill();

  const { device } = await started(await pinned("second"));
  for (const line of recorded) await peer.send(line);
  await obeys(device, 4);
  expect(device.count("command obeyed")).toBe(1);
}, 120_000);

/** One more command, with the power cut at that flash operation; false: it had no more than that. */
async function commandWithCut(flash: string, operation: number, id: number): Promise<boolean> {
  const first = world.start(program, [flash, "--speed", "20", "--cut-at", String(operation)]);
  await first.until("reading sent").catch(() => first.ended);
  const line = peer.sealed(await peer.direction(), "command", command(id));
  await peer.send(line);
  const isCut = await Promise.race([first.ended.then(() => true), quiet(first).then(() => false)]);
  if (isCut) expect(await first.ended).toBe(POWER_CUT);
  else await first.kill();

  const second = world.start(program, [flash, "--speed", "20"]);
  await second.until("reading sent");
  await peer.send(line);
  // The issuer of a new epoch tells it when it is ready.
  await obeys(second, id + 1);
  expect(first.count("command obeyed") + second.count("command obeyed")).toBeLessThanOrEqual(2);
  await second.kill();
  return isCut;
}

it("obeys nothing twice, whenever the power goes, and goes on", async () => {
  const flash = await pinned("cut");
  const { device } = await started(flash);
  await obeys(device, 1);
  await device.kill();
  let cuts = 0;
  while (await commandWithCut(flash, cuts, 2 * cuts + 2)) cuts++;
  expect(cuts).toBeGreaterThan(1);
}, 240_000);

it("obeys a peer who can't be vouched for when it was told to, and says so", async () => {
  const pins = [{ atSign: PEER, acceptUnauthenticated: true }];
  const device = world.start(program, [await world.flash("lenient", { ...SILENT, pins })]);
  await device.until("reading sent");
  await world.peer.notify(`${DEVICE}:command.${NAMESPACE}${PEER}`, command(1));
  await device.until("command obeyed");
  expect(device.lines).toContain(`nobody vouches for a command of ${PEER}`);
}, 120_000);

it("obeys, provisioned before there were pins, a peer until that peer's first word is vouched for", async () => {
  const { device, direction } = await started(await world.flash("earlier", SILENT));
  await world.peer.notify(`${DEVICE}:command.${NAMESPACE}${PEER}`, command(1));
  await device.until("command obeyed");
  await peer.send(peer.sealed(direction, "command", command(2)));
  await device.until("command obeyed", 2);
  expect(device.lines).toContain(`a command is authenticated by the key at first use of ${PEER}`);
  await world.peer.notify(`${DEVICE}:command.${NAMESPACE}${PEER}`, command(3));
  await device.until(UNVOUCHED);
  await obeys(device, 4);
  expect(device.count("command obeyed")).toBe(3);
}, 120_000);

it("says the same of a command as the simulated device", async () => {
  const file = join(world.folder, "simulated.json");
  const configuration = {
    ...{ atSign: DEVICE, directory: formatAddress(world.world.directory), peer: PEER },
    ...{ ca: world.world.authorityFile, store: join(world.folder, "slots") },
    ...{ app: NAMESPACE, device: "simulated", namespaces: { [NAMESPACE]: "rw" }, ...SILENT },
  };
  writeFileSync(file, JSON.stringify(configuration));
  const device = new SimulatedProcess(file, "--fingerprint", `${PEER}=${peer.fingerprint}`);
  device.child.stdin.write(`${await world.owner.otpGet()}\n`);
  await device.until({ event: "reading" });
  await world.peer.notify(`${DEVICE}:command.${NAMESPACE}${PEER}`, command(1));
  await device.until({ event: "error", message: /NotAuthentic/ });
  const line = peer.sealed(await until(() => peer.direction()), "command", command(2));
  await peer.send(line);
  await peer.send(line);
  const verdict = { authenticated: true, fresh: true, pin: "provisioned" };
  await device.until({ event: "command", id: 2, ...verdict });
  await peer.send(peer.sealed(await peer.direction(), "command", command(3)));
  await device.until({ event: "command", id: 3, ...verdict });
  expect(device.count({ event: "command" })).toBe(2);
  await device.kill();
}, 120_000);
