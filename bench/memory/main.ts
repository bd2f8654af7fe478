// SPDX-License-Identifier: BSD-3-Clause
// `npm run bench:memory`: RAM and flash of whole devices through their lives, as JSON, a table and a picture.
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { MemoryPhase } from "../../emulate/memory.ts";
import { PicoWorld } from "../../emulate/picoWorld.ts";
import { live } from "../../emulate/story.ts";
import { type BoardFigures, BUDGET_BYTES } from "./figures.ts";
import { picture, table } from "./picture.ts";

const RESULTS = fileURLToPath(new URL("../../../bench/results/", import.meta.url));

const HOUR_MS = 3_600_000;
/** Readings a minute apart, so that an hour is mostly the sleep between them. */
const STEADY_INTERVAL_MS = 60_000;
/** Device milliseconds between two looks at the device. */
const STRIDE_MS = 60_000;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** An hour of the device's own time with a reading a minute. */
async function steadyHour(pico: PicoWorld): Promise<MemoryPhase> {
  await pico.command("hour", STEADY_INTERVAL_MS);
  await pico.untilReceived("reply");
  const end = pico.emulator.deviceMs + HOUR_MS;
  while (pico.emulator.deviceMs < end) {
    const stride = Math.min(end, pico.emulator.deviceMs + STRIDE_MS);
    await pico.until("the end of the hour", () => pico.emulator.deviceMs >= stride);
  }
  await pico.untilReceived("reading");
  return pico.memory("one hour");
}

/** The emulated Pico from its first boot to an hour of service. */
async function measureRp2040(folder: string): Promise<BoardFigures> {
  const pico = await PicoWorld.start({ folder: join(folder, "world"), idleSpeed: 40 });
  try {
    const lived = await live(pico, say);
    say("          an hour of steady state, with a reading a minute …");
    const phases = [...lived, await steadyHour(pico)];
    const peakBytes = Math.max(...phases.map((phase) => phase.peakBytes));
    return { peakBytes, flashBytes: pico.imageBytes, phases };
  } finally {
    await pico.close();
  }
}

function write(name: string, text: string): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, name), text);
}

async function main(folder: string): Promise<void> {
  const boards = { rp2040: await measureRp2040(folder) };
  const head = { command: "npm run bench:memory", node: process.version, state: "emulated" };
  write("memory.json", `${JSON.stringify({ ...head, ...boards }, null, 2)}\n`);
  write("memory.md", table(boards));
  write("memory.svg", picture(boards));
  process.stdout.write(`${table(boards)}\nflash: ${boards.rp2040.flashBytes} bytes\n`);
  say(`written to ${RESULTS}memory.{json,md,svg}`);
  if (boards.rp2040.peakBytes <= BUDGET_BYTES) return;
  say(`atmicro: ${boards.rp2040.peakBytes} bytes of RAM are more than ${BUDGET_BYTES}.`);
  process.exitCode = 1;
}

const folder = await mkdtemp(join(tmpdir(), "atmicro-memory-"));
try {
  await main(folder);
} finally {
  await rm(folder, { recursive: true, force: true });
}
