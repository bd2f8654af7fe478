// SPDX-License-Identifier: BSD-3-Clause
// The effective parameters of an atServer: a flag counts before an environment variable, that before the configuration
// file, that before the default (atProtocol, configuration).
import { formatHost, parseAddress, readAddress } from "../../net/address.ts";
import type { ServerConfig, Tuning } from "../../server/config/config.ts";
import { CliError, EXIT } from "../process/exit.ts";
import {
  expectation,
  type ListParameter,
  type NumberParameter,
  type Parameter,
  type TextParameter,
  type Value,
} from "./parameter.ts";
import { directoryHost, directoryPort, PROXY, serverParameters } from "./serverParameters.ts";
import { readNamedFile } from "./serving.ts";

export type Origin = "flag" | "environment" | "file" | "default";

export interface Setting {
  readonly parameter: Parameter;
  /** Undefined when it is not set and has no default. */
  readonly value: Value | undefined;
  readonly origin: Origin;
  /** The flag, the variable or the place in the file; empty for a default. */
  readonly source: string;
}

/** Where values come from: options of the command line by their names in camel case, and the process's environment. */
export interface SettingSources {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of a YAML file. */
  readonly file?: string;
}

type FileValues = ReadonlyMap<Parameter, { readonly path: string; readonly value: unknown }>;

const MAX_SHOWN = 80;
/** The weaker comes later. */
const strength: readonly Origin[] = ["flag", "environment", "file", "default"];

const byPath = new Map<string, Parameter>(
  serverParameters.flatMap((parameter) =>
    [parameter.path, ...(parameter.otherPaths ?? [])].map((path) => [path, parameter] as const),
  ),
);

/** Every effective parameter of an atServer. */
export class ServerSettings {
  readonly all: readonly Setting[];
  private readonly byParameter: ReadonlyMap<Parameter, Setting>;

  private constructor(all: readonly Setting[]) {
    this.all = all;
    this.byParameter = new Map(all.map((setting) => [setting.parameter, setting]));
  }

  /**
   * Reads flags, environment and file. Throws CliError for a name that is unknown in the file, a value of the wrong type
   * or out of its range, and a file that can't be read.
   */
  static async read({ flags, env, file }: SettingSources): Promise<ServerSettings> {
    const values = file === undefined ? new Map() : await readFileValues(file);
    const all = serverParameters.map((parameter) =>
      readSetting(parameter, { flags, env }, values, file),
    );
    return new ServerSettings(separatePort(all));
  }

  text(parameter: TextParameter): string | undefined {
    return this.byParameter.get(parameter)?.value as string | undefined;
  }

  number(parameter: NumberParameter): number {
    return this.byParameter.get(parameter)?.value as number;
  }

  list(parameter: ListParameter): readonly string[] {
    return this.byParameter.get(parameter)?.value as readonly string[];
  }

  /** The value of a parameter that has no default. Throws CliError that says how it is set. */
  required(parameter: TextParameter): string {
    const value = this.text(parameter);
    if (value !== undefined) return value;
    const { flag, env, path } = parameter;
    const message = `--${flag} is missing: ${parameter.text}. Name it with the flag, in the environment as ${env[0]}, or in the file of --config as ${path}`;
    throw new CliError(message, EXIT.usage);
  }

  /** The address of the atDirectory, with `proxy:` before the host when it was named so. */
  directory(): ServerConfig["directory"] {
    const text = this.text(directoryHost) ?? "";
    const proxy = text.startsWith(PROXY) ? PROXY : "";
    const { host, port } = parseAddress(text.slice(proxy.length), this.number(directoryPort));
    return { host: `${proxy}${host}`, port };
  }

  /** What differs from the server's own defaults, or is the same. */
  tuning(): Partial<Tuning> {
    const entries = this.all.flatMap(({ parameter, value }) => {
      if (!("tuning" in parameter) || parameter.tuning === undefined) return [];
      return [[parameter.tuning, inTuning(parameter, value)]];
    });
    return Object.fromEntries(entries);
  }
}

function inTuning(parameter: Parameter, value: Value | undefined): Value | undefined {
  if (parameter.kind !== "number" || typeof value !== "number") return value;
  return value === parameter.off ? value : value * parameter.factor;
}

function camelCase(flag: string): string {
  return flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** One effective parameter; `values` are those of the file called `file`. Throws CliError for a value it can't have. */
export function readSetting(
  parameter: Parameter,
  { flags, env }: Pick<SettingSources, "flags" | "env">,
  values: FileValues = new Map(),
  file = "",
): Setting {
  const flag = parameter.flag === undefined ? undefined : flags[camelCase(parameter.flag)];
  if (flag !== undefined) {
    const source = `--${parameter.flag}`;
    return { parameter, origin: "flag", source, value: parseText(parameter, String(flag), source) };
  }
  const variable = parameter.env.find((name) => (env[name] ?? "") !== "");
  if (variable !== undefined) {
    const value = parseText(parameter, env[variable] ?? "", variable);
    return { parameter, origin: "environment", source: variable, value };
  }
  const found = values.get(parameter);
  if (found !== undefined) {
    const value = parseFileValue(parameter, found.value, `${file}: ${found.path}`);
    return { parameter, origin: "file", source: found.path, value };
  }
  return { parameter, origin: "default", source: "", value: parameter.initial };
}

/** A port named with the directory's host counts as the directory's port, unless that was set in a stronger place. */
function separatePort(all: readonly Setting[]): readonly Setting[] {
  const [host, port] = [directoryHost, directoryPort].map((parameter) =>
    all.find((setting) => setting.parameter === parameter),
  );
  if (host === undefined || port === undefined) return all;
  const text = String(host.value);
  const proxy = text.startsWith(PROXY) ? PROXY : "";
  const named = readAddress(text.slice(proxy.length));
  if (named?.port === undefined) return all;
  const { origin, source } = host;
  const wins = strength.indexOf(origin) <= strength.indexOf(port.origin);
  return all.map((setting) => {
    if (setting === host) return { ...host, value: `${proxy}${formatHost(named.host)}` };
    if (setting !== port || !wins) return setting;
    return { parameter: directoryPort, value: named.port, origin, source };
  });
}

function describe(given: unknown): string {
  if (Array.isArray(given)) return "a list";
  if (typeof given === "object" && given !== null) return "a section";
  return typeof given === "string"
    ? JSON.stringify(given.slice(0, MAX_SHOWN))
    : String(given ?? "empty");
}

function refuse(parameter: Parameter, shown: unknown, place: string): never {
  const why =
    parameter.kind === "boolean" && parameter.onlyTrue !== undefined
      ? ` (${parameter.onlyTrue})`
      : "";
  throw new CliError(
    `${place} is ${describe(shown)}: ${expectation(parameter)} is needed${why}`,
    EXIT.usage,
  );
}

/** The value of a flag or an environment variable. Throws CliError. */
function parseText(parameter: Parameter, text: string, place: string): Value {
  const value = convertText(parameter, text.trim());
  return value === undefined || !isAllowed(parameter, value)
    ? refuse(parameter, text, place)
    : value;
}

function convertText(parameter: Parameter, text: string): Value | undefined {
  switch (parameter.kind) {
    case "number":
      return /^-?\d+$/.test(text) ? Number(text) : undefined;
    case "boolean":
      return ({ true: true, false: false } as Record<string, boolean>)[text.toLowerCase()];
    case "text":
      return parameter.read(text);
    case "list":
      return separate(text);
  }
}

/** A value as the file has it, of the type YAML gave it. Throws CliError. */
function parseFileValue(parameter: Parameter, given: unknown, place: string): Value {
  const value = convertFileValue(parameter, given);
  return value === undefined || !isAllowed(parameter, value)
    ? refuse(parameter, given, place)
    : value;
}

function convertFileValue(parameter: Parameter, given: unknown): Value | undefined {
  switch (parameter.kind) {
    case "number":
      return Number.isSafeInteger(given) ? (given as number) : undefined;
    case "boolean":
      return typeof given === "boolean" ? given : undefined;
    case "text":
      return typeof given === "string" ? parameter.read(given.trim()) : undefined;
    case "list":
      if (typeof given === "string") return separate(given);
      return Array.isArray(given) && given.every((name) => typeof name === "string")
        ? given
        : undefined;
  }
}

function separate(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function isAllowed(parameter: Parameter, value: Value): boolean {
  if (parameter.kind === "boolean") return value === true || parameter.onlyTrue === undefined;
  if (parameter.kind !== "number") return true;
  const number = Number(value);
  return number === parameter.off || (number >= parameter.min && number <= parameter.max);
}

async function readFileValues(file: string): Promise<FileValues> {
  const values = new Map<Parameter, { path: string; value: unknown }>();
  collect(await parseFile(await readNamedFile("--config", file), file), "", file, values);
  return values;
}

/** Throws CliError for text that is not YAML, or that contains itself. */
async function parseFile(text: string, file: string): Promise<unknown> {
  // Loaded when there is a file: a server does without its megabytes.
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text, { logLevel: "error" });
  try {
    for (const error of document.errors) throw error;
    return document.toJS();
  } catch (cause) {
    const [line] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new CliError(`${file}: ${line}`, EXIT.usage, { cause });
  }
}

/** Finds the parameters in the sections of a file. Throws CliError for any other name. */
function collect(
  section: unknown,
  prefix: string,
  file: string,
  values: Map<Parameter, { path: string; value: unknown }>,
): void {
  // A section whose every line is commented out.
  if (section === null || section === undefined) return;
  if (typeof section !== "object" || Array.isArray(section)) {
    const name = prefix === "" ? "it" : prefix.slice(0, -1);
    throw new CliError(`${file}: ${name} has to hold names and values`, EXIT.usage);
  }
  for (const [name, value] of Object.entries(section)) {
    const path = `${prefix}${name}`;
    const parameter = byPath.get(path);
    if (parameter === undefined) {
      if (!isSection(path)) throw unknownName(path, prefix, file);
      collect(value, `${path}.`, file, values);
      continue;
    }
    const earlier = values.get(parameter);
    if (earlier !== undefined) {
      throw new CliError(`${file}: ${earlier.path} and ${path} are one parameter`, EXIT.usage);
    }
    values.set(parameter, { path, value });
  }
}

function isSection(path: string): boolean {
  return serverParameters.some((parameter) => parameter.path.startsWith(`${path}.`));
}

function unknownName(path: string, prefix: string, file: string): CliError {
  const known = serverParameters
    .filter((parameter) => parameter.path.startsWith(prefix))
    .map((parameter) => parameter.path.slice(prefix.length).replace(/\..*/, ""));
  const place = prefix === "" ? "sections are" : `${prefix.slice(0, -1)} has`;
  const message = `${file}: ${path} is no parameter; ${place} ${[...new Set(known)].join(", ")}`;
  return new CliError(message, EXIT.usage);
}
