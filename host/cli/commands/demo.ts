// SPDX-License-Identifier: BSD-3-Clause
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CliError, EXIT } from "../process/exit.ts";
import type { CommandDefinition, Io } from "../terminal/command.ts";
import { printJson, printLines, printNotice } from "../terminal/output.ts";
import { Demonstration, type DemonstrationResult, type Narrator } from "../world/demonstration.ts";

type DemoOptions = { readonly readings: number; readonly keep: boolean; readonly json: boolean };

const MAX_READINGS = 100_000;
const TITLE_WIDTH = 11;

function parseReadings(text: string): number {
  const readings = Number(text);
  if (/^\d+$/.test(text) && readings >= 1 && readings <= MAX_READINGS) return readings;
  throw new CliError(`--readings ${text} is not a number from 1 to ${MAX_READINGS}`, EXIT.usage);
}

/** Numbered steps, and what belongs to them indented below. */
function narrator(print: (line: string) => void): Narrator {
  let steps = 0;
  return {
    step(title, text) {
      steps += 1;
      print(` ${steps}  ${title.padEnd(TITLE_WIDTH)}${text}`);
    },
    more(text) {
      print(`    ${" ".repeat(TITLE_WIDTH)}${text}`);
    },
  };
}

const grouped = (value: number): string => value.toLocaleString("en").replaceAll(",", " ");

function summary(result: DemonstrationResult): string[] {
  const heap = result.wasm3HeapBytes;
  return [
    "",
    `core.wasm     ${grouped(result.coreBytes)} bytes, SHA-256 ${result.coreSha256}`,
    `interpreter   ${result.interpreter}, ${grouped(result.linearMemoryBytes)} bytes of linear memory` +
      (heap === null ? "" : `, ${grouped(heap)} bytes of wasm3 heap in all`),
    `device lines  ${result.linesSent} sent, ${result.linesReceived} received`,
    `seen          ${result.readings} readings, ${result.commandsConfirmed} command confirmed`,
    `latency       ${grouped(result.latencyMsMedian)} ms median, device encrypt to @alice decrypt`,
  ];
}

/** Rejects when the user asks the program to end. */
function interrupted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new CliError("interrupted", EXIT.internal));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
}

async function keepRunning(demonstration: Demonstration, io: Io, print: Narrator): Promise<void> {
  print.step("Keeping", `the world runs on in ${demonstration.folder}; Ctrl-C ends and removes it`);
  const ended = new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve();
    io.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([ended, demonstration.failure()]);
}

async function demonstrate(options: DemoOptions, io: Io): Promise<void> {
  const print = (line: string): void => (options.json ? printNotice : printLines)(io, line);
  const folder = await mkdtemp(join(tmpdir(), "atmicro-demo-"));
  const narrate = narrator(print);
  const demonstration = new Demonstration(folder, options.readings, narrate);
  const stopped = interrupted(io.signal);
  // A signal after the end is no failure.
  stopped.catch(() => undefined);
  try {
    print("atmicro: a device sends end-to-end encrypted readings to @alice, and obeys her");
    const result = await Promise.race([demonstration.run(), stopped]);
    for (const line of summary(result)) print(line);
    if (options.json) printJson(io, result);
    if (options.keep) await keepRunning(demonstration, io, narrate);
  } finally {
    await demonstration.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** `atmicro demo`: what `npm start` runs. */
export const demo: CommandDefinition = (program, io) => {
  program
    .command("demo")
    .description("the whole thing on this machine: servers, a device, readings, a command")
    .option("--readings <number>", "end after so many readings", parseReadings, 5)
    .option("--keep", "stay afterwards until Ctrl-C", false)
    .option("--json", "print one JSON object as the last line of standard output", false)
    .addHelpText("after", "\nExample:\n  atmicro demo --readings 10 --json")
    .action((options: DemoOptions) => demonstrate(options, io));
};
