// SPDX-License-Identifier: BSD-3-Clause
import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { PlainValue } from "../../client/cipher.ts";
import { CliError, EXIT } from "../process/exit.ts";
import type { Io } from "./command.ts";

/** What Node makes of an argument's bytes that are no UTF-8. */
const REPLACED = "\ufffd";

export type ValueFlags = { readonly file?: string; readonly binary?: boolean };

/** Options of a command that sends a value. */
export function addValueOptions(command: Command): Command {
  return command
    .option("--file <file>", "the value is the file's contents, as they are")
    .option("--binary", "send bytes also when they could be read as text");
}

/**
 * A value from the command line, a file as it is, or all of standard input, as text without its last line end. What is no
 * UTF-8 stays bytes. Throws CliError for two values, and for an argument whose bytes were lost before it came here.
 */
export async function readValue(
  argument: string | undefined,
  { file, binary }: ValueFlags,
  io: Io,
): Promise<PlainValue> {
  if (argument !== undefined && file !== undefined) {
    throw new CliError("give the value or --file, not both", EXIT.usage);
  }
  if (argument?.includes(REPLACED)) {
    const message = "the value has a character that stands for bytes which are no UTF-8";
    throw new CliError(`${message}: give it by standard input or --file`, EXIT.usage);
  }
  const given = argument ?? (file === undefined ? await io.stdin() : await readFile(file));
  const bytes = Buffer.from(given);
  if (binary === true || !isUtf8(bytes)) return bytes;
  const text = typeof given === "string" ? given : bytes.toString("utf8");
  return argument === undefined && file === undefined ? text.replace(/\r?\n$/, "") : text;
}

/** A value for JSON output: text as it is, bytes as base64 under a name of their own. */
export function valueToJson(value: PlainValue | undefined): Record<string, string | null> {
  if (value === undefined) return { value: null };
  if (typeof value === "string") return { value };
  return { base64: Buffer.from(value).toString("base64") };
}

/** A value for people: text as it is, bytes as base64. */
export function valueToText(value: PlainValue | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : Buffer.from(value).toString("base64");
}
