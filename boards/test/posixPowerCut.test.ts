// SPDX-License-Identifier: BSD-3-Clause
// The power goes in the middle of every flash operation of an enrolment: the device enrols all the same.
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildDevice, POWER_CUT } from "./posixDevice.ts";
import { PosixWorld } from "./posixWorld.ts";

let program = "";
let world: PosixWorld;

beforeAll(async () => {
  program = buildDevice("plain");
  world = await PosixWorld.start();
}, 300_000);

afterAll(() => world.close());

const SPEED = ["--speed", "20"];

/** Runs the device until it has sent a reading, and whether it had to enrol for that. */
async function serve(flash: string): Promise<boolean> {
  const device = world.start(program, [flash, ...SPEED]);
  await device.until("reading sent");
  await device.kill();
  return device.count("not enrolled yet") > 0;
}

/** Enrols a new device that loses power at that operation; false when it had no more operations than that. */
async function enrolWithCut(at: number): Promise<boolean> {
  const settings = { intervalMs: 3_600_000 };
  const flash = await world.flash(`cut${at}`, settings);
  const first = world.start(program, [flash, ...SPEED, "--cut-at", String(at)]);
  await first.until("reading sent").catch(() => first.ended);
  if (first.count("reading sent") > 0) {
    await first.kill();
    return false;
  }
  expect(await first.ended).toBe(POWER_CUT);
  if (first.count("state: enrolling") > 0 && first.count("state: waiting for approval") === 0) {
    // Cut between the atServer's answer and its place in the store: the passcode is used up, the device is as new.
    const second = world.start(program, [flash, ...SPEED]);
    await second.until(/^(not )?enrolled/);
    await second.kill();
    if (second.count("not enrolled yet") > 0) {
      expect(await serve(await world.flash(`cut${at}again`, settings))).toBe(true);
      return true;
    }
  }
  await serve(flash);
  expect(await serve(flash)).toBe(false);
  return true;
}

it("keeps old or new keys, never none, at every flash operation of an enrolment", async () => {
  await world.approveAll();
  let cuts = 0;
  const worker = async () => {
    for (let at = cuts++; await enrolWithCut(at); at = cuts++);
  };
  await Promise.all([worker(), worker()]);
  // The keyring alone is more than ten pages.
  expect(cuts).toBeGreaterThan(12);
}, 240_000);
