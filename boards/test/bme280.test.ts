// SPDX-License-Identifier: BSD-3-Clause
// The BME280: its driver in whole numbers, compiled with sanitizers, against the data sheet's formulas in floating point.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TESTED } from "../../device/compilerFlags.mjs";
import {
  Bme280,
  type Calibration,
  calibrationRegisters,
  fineTemperature,
  humidity,
  SKIPPED,
  TYPICAL,
} from "../emulator/bme280.ts";
import { DeviceClock } from "../emulator/clock.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const RUNS = 5_000;
const ID = 0xd0;
const DATA = 0xfa;

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-bme280-"));
  execFileSync(process.env.CC ?? "cc", [
    ...[...TESTED, `-I${path("")}`],
    ...["boards/app/sensors/bme280.c", "boards/test/bme280/harness.c"].map(path),
    ...["-o", join(folder, "bme280")],
  ]);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** Registers of a sensor that has measured. */
function registers(calibration: Calibration, temperature: number, damp: number): string {
  const bytes = Buffer.alloc(256);
  for (const [at, value] of calibrationRegisters(calibration)) bytes[at] = value;
  bytes[ID] = 0x60;
  bytes.set([temperature >> 12, (temperature >> 4) & 0xff, (temperature & 15) << 4], DATA);
  bytes.set([damp >> 8, damp & 0xff], DATA + 3);
  return bytes.toString("hex");
}

/** What the driver says: what starting answered, what reading answered, hundredths of a degree and of a percent. */
function read(lines: readonly string[]): number[][] {
  const { stdout, status, stderr } = spawnSync(join(folder, "bme280"), {
    input: `${lines.join("\n")}\n`,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number));
}

/** A sensor's answers in this air, `nanos` after these registers were written. */
function modelled(pairs: readonly number[], nanos: number) {
  const clock = new DeviceClock();
  const sensor = new Bme280({ celsius: 21.5, percent: 55 });
  sensor.powerOn(clock);
  clock.tick(2e6);
  expect(sensor.start(false)).toBe(true);
  for (const byte of pairs) expect(sensor.write(byte)).toBe(true);
  sensor.stop();
  clock.tick(nanos);
  return (first: number, count: number) => {
    sensor.start(false);
    sensor.write(first);
    sensor.start(true);
    return Array.from({ length: count }, () => sensor.read());
  };
}

const signed = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const unsigned = (bits: number) => fc.nat({ max: 2 ** bits - 1 });

describe("the formulas in floating point", () => {
  // Bosch, BMP280 data sheet BST-BMP280-DS001, 3.12: its temperature is the BME280's.
  it("give the data sheet's example", () => {
    const fine = fineTemperature(TYPICAL, 519_888);
    expect(fine).toBeCloseTo(128_422.3, 1);
    expect(fine / 5120).toBeCloseTo(25.08, 2);
  });
});

describe("the driver", () => {
  it("gives the data sheet's example", () => {
    expect(read([registers(TYPICAL, 519_888, 27_000)])[0]?.slice(0, 3)).toEqual([0, 0, 2508]);
  });

  it("agrees with floating point for parts of every kind in any air", () => {
    const part = fc.record({
      t1: fc.integer({ min: 26_000, max: 29_000 }),
      t2: fc.integer({ min: 25_000, max: 28_000 }),
      t3: fc.integer({ min: -2_000, max: 200 }),
      h1: unsigned(7),
      h2: fc.integer({ min: 300, max: 420 }),
      h3: unsigned(4),
      h4: fc.integer({ min: 250, max: 380 }),
      h5: fc.integer({ min: -60, max: 60 }),
      h6: fc.integer({ min: 0, max: 40 }),
    });
    const cases = fc.sample(fc.tuple(part, fc.nat({ max: 2 ** 20 - 1 }), unsigned(16)), RUNS);
    const found = read(cases.map(([calibration, raw, damp]) => registers(calibration, raw, damp)));
    cases.forEach(([calibration, raw, damp], i) => {
      if (raw === SKIPPED.temperature || damp === SKIPPED.humidity) return;
      const [, status, celsius = 0, percent = 0] = found[i] ?? [];
      const fine = Math.min(85, Math.max(-40, fineTemperature(calibration, raw) / 5120)) * 5120;
      expect(status).toBe(0);
      expect(Math.abs(celsius - (fine / 5120) * 100)).toBeLessThanOrEqual(1);
      expect(Math.abs(percent - humidity(calibration, damp, fine) * 100)).toBeLessThanOrEqual(2);
    });
  });

  it("stays within a sensor's range, whatever a broken one holds", () => {
    const wild = fc.record({
      ...{ t1: unsigned(16), t2: signed(16), t3: signed(16), h1: unsigned(8), h2: signed(16) },
      ...{ h3: unsigned(8), h4: signed(12), h5: signed(12), h6: signed(8) },
    });
    const cases = fc.sample(fc.tuple(wild, fc.nat({ max: 2 ** 20 - 1 }), unsigned(16)), RUNS);
    for (const [, , celsius = -1, percent = -1] of read(
      cases.map(([calibration, raw, damp]) => registers(calibration, raw, damp)),
    )) {
      expect(celsius >= -4_000 && celsius <= 8_500).toBe(true);
      expect(percent >= 0 && percent <= 10_000).toBe(true);
    }
  });

  it.each([
    ["nobody answers", "-", [-3, -3, 0, 0]],
    [
      "another chip answers",
      registers(TYPICAL, 519_888, 27_000).replace(/^(.{416})60/, "$158"),
      [-101, -101, 0, 0],
    ],
    [
      "there is no temperature yet",
      registers(TYPICAL, SKIPPED.temperature, 27_000),
      [0, -100, 0, 0],
    ],
    ["there is no humidity yet", registers(TYPICAL, 519_888, SKIPPED.humidity), [0, -100, 0, 0]],
  ])("says so when %s", (_, line, expected) => {
    expect(read([line])).toEqual([expected]);
  });

  it("sets the sensor up asleep, and then lets it measure", () => {
    const input = `${registers(TYPICAL, 519_888, 27_000)}\n`;
    const { stderr } = spawnSync(join(folder, "bme280"), { input, encoding: "utf8" });
    expect(stderr.trim().split("\n")).toEqual(["f4 00", "f5 40", "f2 01", "f4 23"]);
  });
});

describe("the model", () => {
  const NORMAL = [0xf2, 0x01, 0xf4, 0x23];

  it("does not answer before its start-up time is over", () => {
    const clock = new DeviceClock();
    const sensor = new Bme280({ celsius: 21.5, percent: 55 });
    sensor.powerOn(clock);
    expect(sensor.start(true)).toBe(false);
  });

  it("has no sample, and says that it measures, until it has measured", () => {
    const early = modelled(NORMAL, 1e6);
    expect(early(0xf3, 1)).toEqual([8]);
    expect(early(0xf7, 8)).toEqual([0x80, 0, 0, 0x80, 0, 0, 0x80, 0]);
    const later = modelled(NORMAL, 10e6);
    expect(later(0xf3, 1)).toEqual([0]);
    expect(later(0xfa, 3)).not.toEqual([0x80, 0, 0]);
  });

  it("takes the setting of the humidity with the next one of the measurement only", () => {
    const swapped = modelled([0xf4, 0x23, 0xf2, 0x01], 20e6);
    expect(swapped(0xfd, 2)).toEqual([0x80, 0]);
  });

  it("sleeps after one measurement in forced mode", () => {
    const forced = modelled([0xf2, 0x01, 0xf4, 0x21], 20e6);
    expect(forced(0xf4, 1)).toEqual([0x20]);
    expect(forced(0xfa, 3)).not.toEqual([0x80, 0, 0]);
  });

  it("measures with 16 bits once, and with 20 bits sixteen times", () => {
    const once = modelled(NORMAL, 20e6)(0xfa, 3);
    expect((once[2] ?? -1) & 0xf0).toBe(0);
    const often = modelled([0xf2, 0x01, 0xf4, 0xa3], 100e6)(0xfa, 3);
    expect((often[0] ?? 0) * 16 + ((often[1] ?? 0) >> 4)).toBe(
      (once[0] ?? 1) * 16 + ((once[1] ?? 1) >> 4),
    );
  });

  it("forgets everything at a reset", () => {
    const reset = modelled([...NORMAL, 0xe0, 0xb6], 20e6);
    expect(reset(0xf2, 4)).toEqual([0, 0, 0, 0]);
    expect(reset(0xfa, 3)).toEqual([0x80, 0, 0]);
  });
});
