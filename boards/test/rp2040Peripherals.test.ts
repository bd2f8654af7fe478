// SPDX-License-Identifier: BSD-3-Clause
// Pins and buses for applications on the emulated RP2040, by the drivers that are flashed.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { GPIOPinState } from "rp2040js";
import { beforeAll, describe, expect, it } from "vitest";
import { Bme280 } from "../emulator/bme280.ts";
import { Flash } from "../emulator/flash.ts";
import { I2cBus } from "../emulator/i2cBus.ts";
import type { Chip } from "../emulator/rp2040/chip.ts";
import { Rp2040Emulator } from "../emulator/rp2040/rp2040Emulator.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const ADDRESS = 0x76;
/** BME280_NO_SAMPLE; HAL_ABSENT, HAL_BAD_VALUE, HAL_NO_ANSWER, HAL_TIMED_OUT. */
const NO_SAMPLE = -100;
const NO_ANSWER = -3;
const TIMED_OUT = -4;

let image: Buffer;

beforeAll(() => {
  const program = path("boards/test/rp2040/peripherals.c");
  execFileSync(process.execPath, [path("boards/build.mjs"), "rp2040", "--program", program]);
  image = readFileSync(path("build/rp2040/peripherals.bin"));
}, 120_000);

/** Something on SPI 1 that answers a byte with its complement while it is selected. */
class Complement {
  onEvent = () => {};
  #selected = false;

  attach(chip: Chip): void {
    chip.gpio[13]?.addListener((state) => {
      this.#selected = state === GPIOPinState.Low;
    });
    const spi = chip.spi[1];
    if (spi) spi.onTransmit = (byte) => spi.completeTransmit(this.#selected ? byte ^ 0xff : 0);
  }

  powerOff(): void {}
}

/** Runs the program; `onLine` sees its lines as they come. */
async function run(bus: I2cBus, onLine: (line: string) => void = () => {}) {
  const lines: string[] = [];
  const emulator = new Rp2040Emulator({
    flash: new Flash(image),
    attachments: [bus, new Complement()],
    analog: (channel) => ({ 0: 1.234, 1: 0, 3: 5 })[channel],
    idleSpeed: 100,
    onLine: (line) => {
      lines.push(line);
      onLine(line);
    },
  });
  const end = await emulator.run({ deviceMs: 30_000 });
  expect(end).toEqual({ kind: "stopped", code: 250 });
  return lines;
}

const newBus = (devices: ConstructorParameters<typeof I2cBus>[1] = {}) =>
  new I2cBus({ block: 0, data: 4, clock: 5 }, devices);
const sensorLines = (lines: readonly string[]) =>
  lines
    .filter((line) => line.startsWith("sensor "))
    .map((line) => line.split(" ").map(Number).slice(1));

describe("pins and buses of the RP2040 board", () => {
  it("do what hal.h says, and refuse what is not an application's", async () => {
    const sensor = new Bme280({ celsius: 26.4, percent: 41 });
    const lines = await run(newBus({ [ADDRESS]: sensor }));
    expect(lines.slice(0, 9)).toEqual([
      "not for applications -1 -1 -1 -1",
      "pin used wrongly -2 -2 0 -2",
      "pulled 1 0 0",
      "driven 0 1 0 0",
      "millivolts 1234 0 3299 -1",
      "bus used wrongly -1 -2 -2",
      "bus 0 0 96 -3 -2 -2",
      "spi used wrongly -1 -2 -2 -2",
      "spi 0 0 254 235 0",
    ]);
  });

  it("read a BME280, whose first sample takes a while, without waiting for it", async () => {
    const sensor = new Bme280({ celsius: 26.4, percent: 41 });
    const lines = await run(newBus({ [ADDRESS]: sensor }));
    const [first, ...others] = sensorLines(lines);
    expect(first?.[0]).toBe(NO_SAMPLE);
    expect(others).toHaveLength(6);
    for (const [status, celsius = 0, percent = 0] of others) {
      expect(status).toBe(0);
      expect(Math.abs(celsius - 2640)).toBeLessThanOrEqual(1);
      expect(Math.abs(percent - 4100)).toBeLessThanOrEqual(5);
    }
    expect(lines).not.toContain("it waited");
  });

  it("survive a sensor that is unplugged and plugged in again, with other air around it", async () => {
    const bus = newBus({ [ADDRESS]: new Bme280({ celsius: 20, percent: 30 }) });
    let count = 0;
    const lines = await run(bus, (line) => {
      if (!line.startsWith("sensor ")) return;
      count++;
      if (count === 2) bus.unplug(ADDRESS);
      if (count === 3) bus.plug(ADDRESS, new Bme280({ celsius: -12.5, percent: 90 }));
    });
    const statuses = sensorLines(lines).map(([status]) => status);
    expect(statuses).toEqual([NO_SAMPLE, 0, NO_ANSWER, NO_SAMPLE, 0, 0, 0]);
    expect(sensorLines(lines)[5]?.[1]).toBe(-1250);
  });

  it("start a sensor again that lost its power between two readings", async () => {
    const bus = newBus({ [ADDRESS]: new Bme280({ celsius: 20, percent: 30 }) });
    let count = 0;
    const lines = await run(bus, (line) => {
      if (!line.startsWith("sensor ") || ++count !== 2) return;
      bus.unplug(ADDRESS);
      bus.plug(ADDRESS, new Bme280({ celsius: 21, percent: 30 }));
    });
    expect(sensorLines(lines).map(([status]) => status)).toEqual([
      ...[NO_SAMPLE, 0, NO_SAMPLE, 0, 0, 0, 0],
    ]);
  });

  it("free the data line of a device that was cut off in the middle of a byte", async () => {
    const bus = newBus({ [ADDRESS]: new Bme280({ celsius: 20, percent: 30 }) });
    bus.clocksToFree = 8;
    const lines = await run(bus);
    expect(lines).toContain("bus 0 0 96 -3 -2 -2");
    expect(bus.clocksToFree).toBe(0);
  });

  it("give up a clock that is held low, in time, and go on when it is let go", async () => {
    const bus = newBus({ [ADDRESS]: new Bme280({ celsius: 20, percent: 30 }) });
    let count = 0;
    const lines = await run(bus, (line) => {
      if (!line.startsWith("sensor ")) return;
      count++;
      if (count === 2) bus.isClockHeld = true;
      if (count === 4) bus.isClockHeld = false;
    });
    expect(sensorLines(lines).map(([status]) => status)).toEqual([
      ...[NO_SAMPLE, 0, TIMED_OUT, TIMED_OUT, NO_SAMPLE, 0, 0],
    ]);
    expect(lines).not.toContain("it waited");
  });
});
