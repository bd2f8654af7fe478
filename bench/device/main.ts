// SPDX-License-Identifier: BSD-3-Clause
// `npm run bench:device`: the core's operations on the emulated chips, with mbedTLS compiled for the same chip beside.
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { EmulatedLine } from "../../boards/emulator/rp2040/emulatedLine.ts";
import { QemuLine } from "../../boards/qemu-rv32/qemuLine.ts";
import { SerialEngine, type SerialLine } from "../../device/probe/serialEngine.ts";
import { writeTables } from "../readme.ts";
import { deviceCases } from "./cases.ts";
import { coldBootToReading } from "./coldBoot.ts";

const fromRoot = (path: string): string =>
  fileURLToPath(new URL(`../../../${path}`, import.meta.url));

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** What `hal.accelerators` answers: modular exponentiation, AES-256, SHA-256. */
const EVERY_ACCELERATOR = 7;

/** core.wasm on a chip with entropy, an empty store and the accelerators given. */
function open(name: string, line: SerialLine, accelerators: number): SerialEngine {
  const engine = new SerialEngine(name, line, (self) => ({
    now_ms: () => 0n,
    entropy(out, len) {
      self.write(out, randomBytes(len));
      return 0;
    },
    store_read: () => 0,
    store_write: () => 0,
    log: () => {},
    accelerators: () => accelerators,
  }));
  engine.call("core_init");
  return engine;
}

interface Chip {
  readonly counts: "cycles" | "instructions";
  start(): SerialLine;
}

const CHIPS: Readonly<Record<"rp2040" | "rv32", Chip>> = {
  rp2040: {
    counts: "cycles",
    start: () =>
      new EmulatedLine(
        readFileSync(fromRoot("build/rp2040/probe.bin")),
        JSON.parse(readFileSync(fromRoot("build/rp2040/probe.symbols.json"), "utf8")),
      ),
  },
  rv32: {
    counts: "instructions",
    start: () => new QemuLine(fromRoot("build/qemu-rv32/probe.elf")),
  },
};

/** Every operation twice: {p256Sign: {cycles, nativeCycles}, …}, or instructions where the chip counts those. */
function measureChip(name: keyof typeof CHIPS): Record<string, Record<string, number>> {
  const { counts, start } = CHIPS[name];
  const key = counts === "cycles" ? "nativeCycles" : "nativeInstructions";
  const rows: Record<string, Record<string, number>> = {};
  const engine = open(name, start(), 0);
  for (const one of deviceCases) {
    say(`${name}: ${one.name} …`);
    rows[one.name] = { [counts]: one.core(engine), [key]: one.native(engine) };
  }
  engine.close();
  const accelerated = open(name, start(), EVERY_ACCELERATOR);
  for (const one of deviceCases.filter(({ accelerator }) => accelerator)) {
    const row = `${one.name}Accelerated`;
    say(`${name}: ${row} …`);
    rows[row] = { [counts]: one.core(accelerated), [key]: rows[one.name]?.[key] ?? 0 };
  }
  accelerated.close();
  return rows;
}

function table(rows: Readonly<Record<string, Readonly<Record<string, number>>>>): string[] {
  return Object.entries(rows).map(([name, row]) => {
    const [core = 0, native = 0] = Object.values(row);
    const cells = [core, native].map((value) => value.toLocaleString("en").padStart(16));
    return `${name.padEnd(28)}${cells.join("")}${(core / native).toFixed(1).padStart(8)}`;
  });
}

async function main(): Promise<void> {
  const rp2040 = measureChip("rp2040");
  const rv32 = measureChip("rv32");
  say("rp2040: cold boot to the first decrypted reading …");
  const coldBootToReadingSeconds = await coldBootToReading();
  const results = {
    state:
      "RP2040 emulated (rp2040js), clock 125 MHz, flash without wait states, which is hot code in RAM; RV32IMC in QEMU, instructions counted",
    command: "npm run bench:device",
    node: process.version,
    native: "mbedTLS 2.28, -O2, the same chip and run",
    rp2040: { ...rp2040, coldBootToReadingSeconds },
    rv32,
  };
  const file = fromRoot("bench/results/device.json");
  mkdirSync(fromRoot("bench/results"), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  const lines = ["RP2040, cycles: core, mbedTLS, ratio", ...table(rp2040)];
  lines.push("", "RV32IMC, instructions: core, mbedTLS, ratio", ...table(rv32));
  lines.push("", `RP2040, cold boot to the first decrypted reading: ${coldBootToReadingSeconds} s`);
  for (const line of lines) process.stdout.write(`${line}\n`);
  writeTables();
  say(`written to ${file} and the READMEs`);
}

await main();
