// SPDX-License-Identifier: BSD-3-Clause
// A day of the device in C on a link that is cut, silent, slow and moved, its time passing faster: no leak, and every
// reading arrives once. ATMICRO_HOURS makes the day shorter or longer.
import { afterAll, beforeAll, expect, it } from "vitest";
import { FaultyProxy } from "./faultyProxy.ts";
import { buildDevice } from "./posixDevice.ts";
import { DEVICE, PosixWorld, type Reading } from "./posixWorld.ts";

const HOURS = Number(process.env.ATMICRO_HOURS ?? 24);
const SPEED = 150;
const HOUR_MS = 3_600_000;
const INTERVAL_MS = 120_000;
/** Readings between two faults. */
const CALM = 4;

let world: PosixWorld;
let proxy: FaultyProxy;

beforeAll(async () => {
  world = await PosixWorld.start();
  await world.approveAll();
  proxy = await FaultyProxy.listen(world.world.server(DEVICE).port);
  await world.world.register(DEVICE, proxy.port);
});

afterAll(async () => {
  await proxy.close();
  await world.close();
});

it(
  "lives through a day of faults",
  async () => {
    const arrived: number[] = [];
    let wake: () => void = () => undefined;
    await world.readings(({ n }: Reading) => {
      arrived.push(n);
      wake();
    });
    const reached = async (n: number) => {
      while ((arrived.at(-1) ?? 0) < n) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    const flash = await world.flash("day", { intervalMs: INTERVAL_MS });
    const device = world.start(buildDevice("plain"), [flash, "--speed", String(SPEED)]);
    const faults = [
      async () => proxy.cut(),
      async () => {
        const pauses = device.count("state: pausing");
        proxy.fault = "silence";
        await device.until("state: pausing", pauses + 1);
        proxy.fault = "pass";
      },
      async () => {
        proxy.fault = "bytes";
        proxy.cut();
      },
      async () => {
        const moved = await FaultyProxy.listen(world.world.server(DEVICE).port);
        await world.world.register(DEVICE, moved.port);
        await proxy.close();
        proxy = moved;
      },
    ];
    await reached(CALM);
    let early = 0;
    for (let round = 0; device.deviceMs < HOURS * HOUR_MS; round++) {
      await faults[round % faults.length]?.();
      await reached((arrived.at(-1) ?? 0) + CALM);
      proxy.fault = "pass";
      if (round === 2 * faults.length) early = device.residentBytes;
    }
    const last = arrived.at(-1) ?? 0;
    expect(arrived).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    // Nothing of ours is allocated after start: what differs is the C library's.
    expect(device.residentBytes - early).toBeLessThan(256 * 1024);
    expect(device.count("start after power")).toBe(1);
    expect(device.count(/^start after (reboot|watchdog)/)).toBe(0);
    console.log(`${last} readings, ${device.count("state: ready")} logins in ${HOURS} hours`);
    await device.kill();
  },
  HOURS * 240_000,
);
