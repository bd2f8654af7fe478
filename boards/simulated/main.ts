// SPDX-License-Identifier: BSD-3-Clause
// The device program: node main.js <configuration.json> [--interpreter wasm3|v8] [--accelerators] [--accept-legacy-answer]
// and the options of pinOptions.ts that say how the peer's key is known; without them, by its first look-up.
// Standard input: the one-time passcode, one line, when the device is not enrolled; closing it stops the device.
// Standard output: its life, one JSON object a line. Standard error: the log.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Core } from "../../device/js/core.ts";
import { SimulatedDevice } from "../../device/js/device.ts";
import { boardHal } from "../../device/js/hal.ts";
import {
  type Interpreter,
  type InterpreterName,
  openInterpreter,
} from "../../device/js/interpreter.ts";
import { openLink } from "../../device/js/link.ts";
import { PIN_OPTIONS, PIN_USAGE, type PinValues, readPins } from "../../device/js/pinOptions.ts";
import type { Pin } from "../../device/js/pins.ts";
import { shown, shownJson } from "../../device/js/printable.ts";
import { LEGACY_ANSWER_COST } from "../../device/js/provisioning.ts";
import { FileStore } from "../../device/js/store.ts";
import { Greenhouse } from "../app/greenhouse/greenhouse.ts";
import { type Configuration, ConfigurationError, readConfiguration } from "./configuration.ts";

const USAGE = `usage: node main.js <configuration.json> [--interpreter wasm3|v8] [--accelerators] ${PIN_USAGE} [--accept-legacy-answer]`;

const EXIT = { done: 0, failed: 1, usage: 2 } as const;

class UsageError extends Error {}

/** A file of the project, from the compiled program and from the sources. */
function projectFile(fromBuild: string, fromSource: string): Buffer {
  const places = [fromBuild, fromSource].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const place = places.find((candidate) => existsSync(candidate));
  if (!place) throw new Error(`${fromSource} is missing; run npm run build`);
  return readFileSync(place);
}

function report(event: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${shownJson(JSON.stringify(event))}\n`);
}

interface Arguments {
  readonly file: string;
  readonly interpreter?: InterpreterName;
  readonly accelerate: boolean;
  readonly acceptLegacyAnswer: boolean;
  readonly pins: PinValues;
}

function arguments_(): Arguments {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...PIN_OPTIONS,
      interpreter: { type: "string" },
      accelerators: { type: "boolean" },
      "accept-legacy-answer": { type: "boolean" },
    },
  });
  const [file, ...more] = positionals;
  const { interpreter } = values;
  if (!file || more.length > 0) throw new UsageError(USAGE);
  const accelerate = values.accelerators ?? false;
  const acceptLegacyAnswer = values["accept-legacy-answer"] ?? false;
  if (interpreter === undefined) return { file, accelerate, acceptLegacyAnswer, pins: values };
  if (interpreter !== "wasm3" && interpreter !== "v8") throw new UsageError(USAGE);
  return { file, interpreter, accelerate, acceptLegacyAnswer, pins: values };
}

/** Whose values the device believes; nothing when the options say nothing. */
function pinsOf(values: PinValues, peer: string): { readonly pins?: readonly Pin[] } {
  const pins = readPins(values, peer);
  if (pins.length === 0) return {};
  if (pins.some(({ atSign }) => atSign === peer)) return { pins };
  throw new UsageError(`say how the key of ${peer} is known: ${PIN_USAGE}`);
}

/** The first line of standard input, null when it ends without one; and the moment it ends. */
function standardInput(): { firstLine: Promise<string | null>; ended: Promise<void> } {
  const lines = createInterface({ input: process.stdin });
  const firstLine = new Promise<string | null>((resolve) => {
    lines.once("line", (line) => resolve(line.trim()));
    lines.once("close", () => resolve(null));
  });
  const ended = new Promise<void>((resolve) => lines.once("close", resolve));
  return { firstLine, ended };
}

interface BoardDescription {
  readonly linearMemoryLimit: number;
  readonly wasm3StackBytes: number;
}

function boardDescription(): BoardDescription {
  const text = projectFile("../../../boards/simulated/board.json", "./board.json").toString("utf8");
  return JSON.parse(text) as BoardDescription;
}

function greenhouse({ namespaces, peer, intervalMs }: Configuration): Greenhouse {
  const namespace = Object.keys(namespaces).find((name) => namespaces[name] === "rw") ?? "";
  return new Greenhouse({ peer, namespace, intervalMs });
}

function figuresOf(wasm: Uint8Array, interpreter: Interpreter) {
  const coreSha256 = createHash("sha256").update(wasm).digest("hex");
  return () => ({
    coreSha256,
    coreBytes: wasm.length,
    interpreter: interpreter.name,
    ...interpreter.usage(),
  });
}

async function main(): Promise<void> {
  const chosen = arguments_();
  const configuration = readConfiguration(chosen.file);
  const ca = readFileSync(configuration.ca);
  const store = new FileStore(configuration.store);
  const wasm = projectFile("../../core.wasm", "../../build/core.wasm");
  const board = boardDescription();
  const log = (line: string) => process.stderr.write(`${shown(line)}\n`);
  const { acceptLegacyAnswer } = chosen;
  if (acceptLegacyAnswer) log(`warning: ${LEGACY_ANSWER_COST}`);
  const interpreter = await openInterpreter(
    {
      wasm,
      hal: (memory) => boardHal(memory, { store, accelerate: chosen.accelerate, log }),
      memoryLimit: board.linearMemoryLimit,
      stackBytes: board.wasm3StackBytes,
    },
    chosen.interpreter,
  );
  const input = standardInput();
  const device = new SimulatedDevice({
    core: new Core(interpreter),
    identity: { ...configuration, ...pinsOf(chosen.pins, configuration.peer), acceptLegacyAnswer },
    app: greenhouse(configuration),
    openLink: (address, events) => openLink(address, { ca }, events),
    report,
    figures: figuresOf(wasm, interpreter),
    passcode: () => input.firstLine,
    onFailed: () => stop(EXIT.failed),
  });
  let stopping = false;
  function stop(code: number): void {
    if (stopping) return;
    stopping = true;
    process.exitCode = code;
    // After the call of the core that may have led here.
    setImmediate(() => {
      device.stop();
      process.stdin.destroy();
    });
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop(EXIT.done));
  // Later than the device's own reaction to a passcode that never comes.
  input.ended.then(() => setImmediate(() => stop(EXIT.done)));
  // The parent is gone: nobody reads, so nothing more is done.
  process.stdout.on("error", () => process.exit(EXIT.failed));
  await device.run();
}

main().catch((error: unknown) => {
  const usage =
    error instanceof UsageError ||
    error instanceof ConfigurationError ||
    error instanceof RangeError;
  report({ event: "error", message: error instanceof Error ? error.message : String(error) });
  process.exit(usage ? EXIT.usage : EXIT.failed);
});
