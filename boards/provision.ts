// SPDX-License-Identifier: BSD-3-Clause
// node build/boards/provision.js <configuration.json> <flash file> [options]: makes the flash of a new posix device. The
// configuration is the simulated device's (boards/simulated/configuration.ts; its store is not used). The one-time passcode,
// with its pairing code where there is one, is asked for, or the first line of standard input.
//   --fingerprint @alice=5m63-60tn-…   the key of the peer, or of another atSign, as it came another way than by a server
//   --first-use                        what the first look-up says is the peer's key
//   --accept-unauthenticated @alice    also obeys values that nobody vouches for: the peer's software doesn't know AT-AUTH-1
//   --accept-legacy-answer             the enrolment's answer may come without IVs
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { PasscodeError, readPasscode } from "../device/js/passcode.ts";
import {
  PIN_OPTIONS,
  PIN_USAGE,
  type PinValues,
  readFingerprint,
  readPins,
} from "../device/js/pinOptions.ts";
import type { Pin } from "../device/js/pins.ts";
import { shown } from "../device/js/printable.ts";
import { LEGACY_ANSWER_COST, provisionedStore } from "../device/js/provisioning.ts";
import { Prompt } from "./prompt.ts";
import {
  type Configuration,
  ConfigurationError,
  readConfiguration,
} from "./simulated/configuration.ts";

const FLASH_BYTES = 16 * 4096;

const USAGE = `usage: node provision.js <configuration.json> <flash file> ${PIN_USAGE} [--accept-legacy-answer]`;

const UNAUTHENTICATED_COST =
  "whoever holds an atServer on the way can write what this device takes for a command of";

interface Arguments {
  readonly file: string;
  readonly flash: string;
  readonly acceptLegacyAnswer: boolean;
  readonly pins: PinValues;
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new ConfigurationError(USAGE, { cause });
  }
}

function argumentsOf(args: string[]): Arguments {
  const options = { ...PIN_OPTIONS, "accept-legacy-answer": { type: "boolean" } } as const;
  const { values, positionals } = parsed(() =>
    parseArgs({ args, allowPositionals: true, options }),
  );
  const [file, flash, ...more] = positionals;
  if (!file || !flash || more.length > 0) throw new ConfigurationError(USAGE);
  return { file, flash, acceptLegacyAnswer: values["accept-legacy-answer"] ?? false, pins: values };
}

/** How the peer's key is known: nobody but who provisions can say. */
async function askForPin(peer: string, prompt: Prompt): Promise<Pin> {
  if (!prompt.isTerminal) {
    throw new ConfigurationError(
      `say how the key of ${peer} is known: --fingerprint ${peer}=…, --first-use, or --accept-unauthenticated ${peer}`,
    );
  }
  const question = `fingerprint of ${shown(peer)} (20 digits; nothing: the first look-up is believed)`;
  const fingerprint = await prompt.ask(question, { isSecret: false });
  return fingerprint === ""
    ? { atSign: peer }
    : { atSign: peer, fingerprint: readFingerprint(fingerprint) };
}

async function pinsOf(values: PinValues, peer: string, prompt: Prompt): Promise<Pin[]> {
  const pins = readPins(values, peer);
  if (pins.some(({ atSign }) => atSign === peer)) return pins;
  return [await askForPin(peer, prompt), ...pins];
}

/** What only who provisions knows. */
async function asked(values: PinValues, peer: string) {
  const prompt = new Prompt();
  try {
    const pins = await pinsOf(values, peer, prompt);
    const text = await prompt.ask("one-time passcode, with its pairing code", { isSecret: true });
    if (text === "") throw new ConfigurationError("standard input has no one-time passcode");
    return { pins, passcode: readPasscode(text) };
  } finally {
    prompt.close();
  }
}

function warn(text: string): void {
  process.stderr.write(`atmicro: warning: ${shown(text)}\n`);
}

/** Says what each option that gives something up costs. */
function warnOf(pins: readonly Pin[], acceptLegacyAnswer: boolean): void {
  for (const { atSign, acceptUnauthenticated } of pins) {
    if (acceptUnauthenticated) warn(`${UNAUTHENTICATED_COST} ${atSign}`);
  }
  if (acceptLegacyAnswer) warn(LEGACY_ANSWER_COST);
}

function flashOf(
  { store: _, ca, ...configuration }: Configuration,
  told: { readonly passcode: string; readonly pins: readonly Pin[] },
  acceptLegacyAnswer: boolean,
): Buffer {
  const authorities = readFileSync(ca, "utf8");
  const flash = Buffer.alloc(FLASH_BYTES, 0xff);
  provisionedStore({ ...configuration, ...told, authorities, acceptLegacyAnswer }).copy(flash);
  return flash;
}

async function main(): Promise<void> {
  const { file, flash, acceptLegacyAnswer, pins } = argumentsOf(process.argv.slice(2));
  const configuration = readConfiguration(file);
  const told = await asked(pins, configuration.peer);
  const bytes = flashOf(configuration, told, acceptLegacyAnswer);
  // A flash that is there may hold keys.
  writeFileSync(flash, bytes, { mode: 0o600, flag: "wx" });
  warnOf(told.pins, acceptLegacyAnswer);
}

main().catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`atmicro: ${shown(text)}\n`);
  const isUsage =
    error instanceof ConfigurationError ||
    error instanceof PasscodeError ||
    error instanceof RangeError;
  process.exitCode = isUsage ? 2 : 1;
});
