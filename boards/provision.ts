// SPDX-License-Identifier: BSD-3-Clause
// node build/boards/provision.js <configuration.json> <flash file> [--accept-legacy-answer]: makes the flash of a new posix
// device. The configuration is the simulated device's (boards/simulated/configuration.ts; its store is not used), the one-time
// passcode is the first line of standard input.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { LEGACY_ANSWER_COST, provisionedStore } from "../device/js/provisioning.ts";
import { ConfigurationError, readConfiguration } from "./simulated/configuration.ts";

const FLASH_BYTES = 16 * 4096;

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line.trim();
  return "";
}

const USAGE = "usage: node provision.js <configuration.json> <flash file> [--accept-legacy-answer]";

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new ConfigurationError(USAGE, { cause });
  }
}

function argumentsOf(args: string[]): { file: string; flash: string; acceptLegacyAnswer: boolean } {
  const options = { "accept-legacy-answer": { type: "boolean" } } as const;
  const { values, positionals } = parsed(() =>
    parseArgs({ args, allowPositionals: true, options }),
  );
  const [file, flash, ...more] = positionals;
  if (!file || !flash || more.length > 0) throw new ConfigurationError(USAGE);
  return { file, flash, acceptLegacyAnswer: values["accept-legacy-answer"] ?? false };
}

function flashOf(file: string, passcode: string, acceptLegacyAnswer: boolean): Buffer {
  const { store: _, ca, ...configuration } = readConfiguration(file);
  const authorities = readFileSync(ca, "utf8");
  const flash = Buffer.alloc(FLASH_BYTES, 0xff);
  provisionedStore({ ...configuration, authorities, passcode, acceptLegacyAnswer }).copy(flash);
  return flash;
}

async function main(): Promise<void> {
  const { file, flash, acceptLegacyAnswer } = argumentsOf(process.argv.slice(2));
  const passcode = await firstLine();
  if (passcode === "") throw new ConfigurationError("standard input has no one-time passcode");
  // A flash that is there may hold keys.
  const bytes = flashOf(file, passcode, acceptLegacyAnswer);
  writeFileSync(flash, bytes, { mode: 0o600, flag: "wx" });
  if (acceptLegacyAnswer) process.stderr.write(`atmicro: warning: ${LEGACY_ANSWER_COST}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`atmicro: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigurationError ? 2 : 1;
});
