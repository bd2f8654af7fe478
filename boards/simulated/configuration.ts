// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseAddress } from "../../device/js/address.ts";
import { INTERVAL_MAX_MS, INTERVAL_MIN_MS } from "../app/greenhouse/command.ts";

/** Configuration of the device program; the file holds no secret. Paths are relative to the file. */
export interface Configuration {
  /** "@greenhouse" */
  readonly atSign: string;
  /** The atDirectory, "host:port". */
  readonly directory: string;
  /** PEM file of the certificates to trust. */
  readonly ca: string;
  /** Folder of the key store. */
  readonly store: string;
  /** Names of application and device in the enrolment. */
  readonly app: string;
  readonly device: string;
  /** Namespaces asked for; the first one with "rw" is used. */
  readonly namespaces: Readonly<Record<string, "r" | "rw">>;
  /** The atSign that receives readings and sends commands. */
  readonly peer: string;
  readonly intervalMs: number;
}

/** The configuration is not usable; the message names the field and what it has to be. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(json: Record<string, unknown>, field: string): string {
  const value = json[field];
  if (typeof value === "string" && value !== "") return value;
  throw new ConfigurationError(`${field} must be a text`);
}

function atSignOf(json: Record<string, unknown>, field: string): string {
  const value = textOf(json, field);
  if (/^@[^@\s:]+$/u.test(value)) return value;
  throw new ConfigurationError(`${field} must be an atSign such as @greenhouse`);
}

function namespacesOf(json: Record<string, unknown>): Record<string, "r" | "rw"> {
  const namespaces = isRecord(json.namespaces) ? Object.entries(json.namespaces) : [];
  const known = namespaces.filter(
    (entry): entry is [string, "r" | "rw"] =>
      /^[^\s:@"\\]+$/u.test(entry[0]) && (entry[1] === "r" || entry[1] === "rw"),
  );
  if (known.length !== namespaces.length || !known.some(([, access]) => access === "rw")) {
    throw new ConfigurationError(
      'namespaces must be an object such as {"greenhouse":"rw"}, with at least one "rw"',
    );
  }
  return Object.fromEntries(known);
}

function intervalOf(json: Record<string, unknown>): number {
  const ms = json.intervalMs;
  const whole = typeof ms === "number" && Number.isInteger(ms);
  if (whole && ms >= INTERVAL_MIN_MS && ms <= INTERVAL_MAX_MS) return ms;
  throw new ConfigurationError(
    `intervalMs must be a whole number from ${INTERVAL_MIN_MS} to ${INTERVAL_MAX_MS}`,
  );
}

/** Checks a configuration; relative paths are taken from `folder`. Throws ConfigurationError. */
export function parseConfiguration(text: string, folder: string): Configuration {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError("the configuration is not JSON", { cause });
  }
  if (!isRecord(json)) throw new ConfigurationError("the configuration must be a JSON object");
  const directory = textOf(json, "directory");
  if (!parseAddress(directory)) {
    throw new ConfigurationError("directory must be host:port, an IPv6 address in brackets");
  }
  return {
    atSign: atSignOf(json, "atSign"),
    directory,
    ca: resolve(folder, textOf(json, "ca")),
    store: resolve(folder, textOf(json, "store")),
    app: textOf(json, "app"),
    device: textOf(json, "device"),
    namespaces: namespacesOf(json),
    peer: atSignOf(json, "peer"),
    intervalMs: intervalOf(json),
  };
}

export function readConfiguration(file: string): Configuration {
  return parseConfiguration(readFileSync(file, "utf8"), dirname(resolve(file)));
}
