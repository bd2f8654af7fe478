// SPDX-License-Identifier: BSD-3-Clause
// node build/boards/provision.js <configuration.json> <flash file>: makes the flash of a new posix device. The
// configuration is the simulated device's (boards/sim/configuration.ts; its store is not used), the one-time passcode is
// the first line of standard input.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { provisionedStore } from "./provisioning.ts";
import { ConfigurationError, readConfiguration } from "./sim/configuration.ts";

const FLASH_BYTES = 8 * 4096;

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line.trim();
  return "";
}

function flashOf(file: string, passcode: string): Buffer {
  const { store: _, ca, ...configuration } = readConfiguration(file);
  const authorities = readFileSync(ca, "utf8");
  const flash = Buffer.alloc(FLASH_BYTES, 0xff);
  provisionedStore({ ...configuration, authorities, passcode }).copy(flash);
  return flash;
}

async function main(): Promise<void> {
  const [configuration, flash, ...more] = process.argv.slice(2);
  if (!configuration || !flash || more.length > 0) {
    throw new ConfigurationError("usage: node provision.js <configuration.json> <flash file>");
  }
  const passcode = await firstLine();
  if (passcode === "") throw new ConfigurationError("standard input has no one-time passcode");
  // A flash that is there may hold keys.
  writeFileSync(flash, flashOf(configuration, passcode), { mode: 0o600, flag: "wx" });
}

main().catch((error: unknown) => {
  process.stderr.write(`atmicro: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ConfigurationError ? 2 : 1;
});
