// SPDX-License-Identifier: BSD-3-Clause
// Pins and buses of the process, as a text file says, compiled with sanitizers.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TESTED } from "../../device/compilerFlags.mjs";
import { calibrationRegisters, TYPICAL } from "../emulator/bme280.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
/** HAL_ABSENT, HAL_BAD_VALUE, HAL_NO_ANSWER. */
const [ABSENT, BAD, NO_ANSWER] = ["-1", "-2", "-3"];
/** Modes of hal_gpio_open. */
const MODE = { input: 0, up: 1, down: 2, low: 3, high: 4 } as const;

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-peripherals-"));
  const sources = [
    "posix/peripherals.c",
    "posix/peripheralFile.c",
    "app/sensors/bme280.c",
    "test/peripherals/harness.c",
  ];
  execFileSync(process.env.CC ?? "cc", [
    ...[...TESTED, "-D_GNU_SOURCE", `-I${path("")}`],
    ...sources.map((name) => path(`boards/${name}`)),
    ...["-o", join(folder, "harness")],
  ]);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** Answers to questions, and the log, with a file of these lines; null: without a file. */
function ask(lines: readonly string[] | null, questions: readonly string[]) {
  const file = join(folder, "pins.txt");
  if (lines) writeFileSync(file, lines.join("\n"));
  const input = `${questions.join("\n")}\n`;
  const args = lines ? [file] : [];
  const { stdout, stderr, status } = spawnSync(join(folder, "harness"), args, {
    input,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return { answers: stdout.split("\n").slice(0, -1), log: stderr.split("\n").slice(0, -1) };
}

describe("pins of the process", () => {
  it("are not there without a file", () => {
    const questions = [
      "open 1 0",
      "read 1",
      "write 1 1",
      "adc 0",
      "i2cOpen 0 100000",
      "i2c 0 118 d0 1",
      "spiOpen 1 1000 0",
      "spi 1 ff",
    ];
    expect(ask(null, questions).answers.map((answer) => answer.split(" ")[0])).toEqual(
      questions.map(() => ABSENT),
    );
  });

  it("read what the file says, else their pull, and outputs themselves", () => {
    const questions = [
      ...[
        `open 1 ${MODE.input}`,
        "read 1",
        `open 2 ${MODE.up}`,
        "read 2",
        `open 3 ${MODE.down}`,
        "read 3",
      ],
      ...[`open 4 ${MODE.up}`, "read 4", `open 5 ${MODE.high}`, "read 5", "write 5 0", "read 5"],
    ];
    const { answers, log } = ask(["gpio 1 1", "gpio 4 0", "gpio 5 1"], questions);
    expect(answers).toEqual(["0", "1", "0", "1", "0", "0", "0", "0", "0", "1", "0", "0"]);
    expect(log).toEqual(["3 gpio 5 = 1", "3 gpio 5 = 0"]);
  });

  it("refuse what hal.h refuses", () => {
    const questions = ["read 1", "open 1 5", "open 64 0", "open 1 0", "write 1 1", "adc 7"];
    expect(ask([], questions).answers).toEqual([BAD, BAD, ABSENT, "0", BAD, ABSENT]);
  });

  it("measure millivolts", () => {
    expect(
      ask(["adc 0 1234", "adc 1 0", "adc 2 100001"], ["adc 0", "adc 1", "adc 2"]).answers,
    ).toEqual(["1234", "0", ABSENT]);
  });
});

describe("buses of the process", () => {
  const LINES = [
    "# an identification, and a command without a register",
    "i2c 0 76 d0 : 60",
    "i2c 0 44 2400 :",
    "i2c 0 44 : be ef 92",
    "  spi 1 9f 00 00 : ff ef 40",
  ];

  it("answer to what was written, and ones to what nobody said", () => {
    const questions = [
      "i2cOpen 0 100000",
      "i2c 0 118 d0 2",
      "i2c 0 118 d1 1",
      "i2c 0 68 2400 0",
      "i2c 0 68 - 3",
      "i2c 0 69 d0 1",
      "i2c 1 118 d0 1",
    ];
    const { answers, log } = ask(LINES, questions);
    expect(answers.slice(0, 5)).toEqual(["0", "0 60ff", "0 ff", "0", "0 beef92"]);
    expect(answers.slice(5).map((answer) => answer.split(" ")[0])).toEqual([NO_ANSWER, BAD]);
    expect(log).toEqual(["3 i2c 0 44 = 24 00"]);
  });

  it("refuse what hal.h refuses", () => {
    const first = (questions: readonly string[]) =>
      ask(LINES, ["i2cOpen 0 100000", ...questions])
        .answers.slice(1)
        .map((answer) => answer.split(" ")[0]);
    expect(first(["i2cOpen 2 100000", "i2cOpen 0 9999", "i2cOpen 0 1000001"])).toEqual([
      ABSENT,
      BAD,
      BAD,
    ]);
    expect(
      first([
        "i2c 0 7 d0 1",
        "i2c 0 120 d0 1",
        "i2c 0 118 - 0",
        `i2c 0 118 ${"00".repeat(33)} 0`,
        "i2c 0 118 d0 33",
      ]),
    ).toEqual([BAD, BAD, BAD, BAD, BAD]);
    expect(first(["spi 1 9f", "spiOpen 1 0 0", "spiOpen 1 1000 4", "spiOpen 2 1000 0"])).toEqual([
      BAD,
      BAD,
      BAD,
      ABSENT,
    ]);
  });

  it("exchange bytes by SPI, and tell those nobody answers to", () => {
    const { answers, log } = ask(LINES, ["spiOpen 1 1000000 0", "spi 1 9f0000", "spi 1 a5"]);
    expect(answers).toEqual(["0", "0 ffef40", "0 ff"]);
    expect(log).toEqual(["3 spi 1 = a5"]);
  });

  it("play a BME280 for its driver", () => {
    const registers = calibrationRegisters(TYPICAL);
    const bytes = (first: number, count: number) =>
      Array.from({ length: count }, (_, i) =>
        (registers.get(first + i) ?? 0).toString(16).padStart(2, "0"),
      ).join("");
    const lines = [
      "i2c 0 76 d0 : 60",
      `i2c 0 76 88 : ${bytes(0x88, 26)}`,
      `i2c 0 76 e1 : ${bytes(0xe1, 7)}`,
      "i2c 0 76 fa : 7eed00 6d00",
    ];
    const { answers, log } = ask(lines, ["bme280"]);
    expect(answers[0]).toMatch(/^0 0 2508 \d{4}$/);
    expect(log).toEqual(["f4 00", "f5 40", "f2 01", "f4 23"].map((pair) => `3 i2c 0 76 = ${pair}`));
  });
});

describe("the file of the peripherals", () => {
  it("is read again at every use", () => {
    const file = join(folder, "changing.txt");
    const adc = () => {
      const { stdout } = spawnSync(join(folder, "harness"), [file], {
        input: "adc 0\n",
        encoding: "utf8",
      });
      return stdout.trim();
    };
    expect(adc()).toBe(ABSENT);
    writeFileSync(file, "adc 0 1");
    expect(adc()).toBe("1");
  });

  it.each([
    "nonsense",
    "gpio 1",
    "gpio one 1",
    "gpio 1 1 1",
    "adc 0 1.5",
    "i2c 0 76 d0",
    "i2c 0 76 d0 : xx",
    "i2c 0 76 zz : 00",
    "spi 1 9f",
    `spi 1 ${"00".repeat(65)} : 00`,
    `spi 1 00 : ${"00".repeat(257)}`,
  ])("has a line that can't be read told and left out: %s", (line) => {
    const { answers, log } = ask(["", "# fine", line, "adc 0 5"], ["adc 0"]);
    expect(answers).toEqual(["5"]);
    expect(log).toEqual(["1 line 3 of the peripherals can't be read"]);
  });

  it("counts the last of several lines", () => {
    expect(ask(["adc 0 1", "adc 0 2"], ["adc 0"]).answers).toEqual(["2"]);
  });
});
