// SPDX-License-Identifier: BSD-3-Clause
import type { PlainValue } from "../client/cipher.ts";
import type { Io } from "./command.ts";

/** A value from the command line, or all of standard input without its last line end. */
export async function readValue(argument: string | undefined, io: Io): Promise<string> {
  if (argument !== undefined) return argument;
  return Buffer.from(await io.stdin())
    .toString("utf8")
    .replace(/\r?\n$/, "");
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
