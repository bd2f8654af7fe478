// SPDX-License-Identifier: BSD-3-Clause
// A device whose store had eight sectors goes on with this version, keys and all, whenever the power goes meanwhile.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eightSectors, storeOfEight, valuesOf } from "../../device/test/eightSectors.ts";
import { buildDevice, FLASH_BYTES, POWER_CUT, PosixDevice } from "./posixDevice.ts";
import { PosixWorld } from "./posixWorld.ts";

let program = "";
let folder = "";

beforeAll(() => {
  program = buildDevice("plain");
  folder = mkdtempSync(join(tmpdir(), "atmicro-upgrade-"));
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = () => join(folder, "flash");

function write(flash: Uint8Array): void {
  writeFileSync(file(), flash, { mode: 0o600 });
}

/** Starts the device and waits until it knows whether it is enrolled; whether it is. */
async function isEnrolled(): Promise<boolean> {
  const device = new PosixDevice(program, [file()]);
  await device.until(/^(not )?enrolled/);
  await device.kill();
  return device.count("enrolled") > 0;
}

/** Lets the power go at that flash operation of a start; false when it had no more than that. */
async function cutAt(operation: number): Promise<boolean> {
  const device = new PosixDevice(program, [file(), "--cut-at", String(operation)]);
  await device.until(/^(not )?enrolled/).catch(() => device.ended);
  if (device.count(/^(not )?enrolled/) > 0) {
    await device.kill();
    return false;
  }
  expect(await device.ended).toBe(POWER_CUT);
  return true;
}

describe("a flash of eight sectors", () => {
  it.each(["firstHalf", "secondHalf", "enrolled"] as const)(
    "is taken over with its keys: %s",
    async (name) => {
      let cuts = 0;
      for (write(eightSectors(name)); await cutAt(cuts); write(eightSectors(name))) {
        expect(await isEnrolled()).toBe(true);
        expect(await isEnrolled()).toBe(true);
        cuts++;
      }
      expect(cuts).toBeGreaterThan(18);
      expect(statSync(file()).size).toBe(FLASH_BYTES);
      expect(statSync(file()).mode & 0o777).toBe(0o600);
    },
    120_000,
  );

  it("is lengthened again when it was interrupted", async () => {
    write(eightSectors("enrolled"));
    writeFileSync(`${file()}.tmp`, "half", { mode: 0o644 });
    expect(await isEnrolled()).toBe(true);
    expect(readdirSync(folder)).toEqual(["flash"]);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it("is left as it is when another version wrote it", async () => {
    const flash = Buffer.alloc(FLASH_BYTES, 0xff);
    flash.set(eightSectors("enrolled").subarray(0, 4 * 4096), 0);
    write(flash);
    const device = new PosixDevice(program, [file()]);
    expect(await device.ended).toBe(1);
    expect(device.lines).toContain("another version wrote the store: nothing was changed");
    expect(readFileSync(file())).toEqual(flash);
  });

  it("is refused when it has another length", async () => {
    write(Buffer.alloc(7 * 4096, 0xff));
    const device = new PosixDevice(program, [file()]);
    expect(await device.ended).toBe(1);
    expect(statSync(file()).size).toBe(7 * 4096);
  });
});

describe("a device of eight sectors in its world", () => {
  let world: PosixWorld;

  beforeAll(async () => {
    world = await PosixWorld.start();
    await world.approveAll();
  });

  afterAll(() => world.close());

  async function serve(flash: string): Promise<PosixDevice> {
    const device = world.start(program, [flash, "--speed", "20"]);
    await device.until("reading sent");
    await device.kill();
    return device;
  }

  it("enrols with what it was provisioned with, and goes on without enrolling again", async () => {
    const flash = await world.flash("old");
    const told = valuesOf(readFileSync(flash));
    writeFileSync(flash, storeOfEight(told, 0));
    expect((await serve(flash)).count("not enrolled yet")).toBe(1);
    const kept = valuesOf(readFileSync(flash));
    expect([...kept.keys()]).toEqual(expect.arrayContaining([1, 16, 17]));
    for (const half of [0, 1] as const) {
      writeFileSync(flash, storeOfEight(kept, half));
      expect((await serve(flash)).count("enrolled")).toBe(1);
    }
  }, 120_000);
});
