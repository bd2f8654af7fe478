// SPDX-License-Identifier: BSD-3-Clause
// Everything a command prints goes through here: what comes from a server, a peer or a file must not act on the terminal.
import { replaceHiddenCharacters } from "../../wire/printable.ts";
import { CliError, EXIT } from "../process/exit.ts";
import type { Io } from "./command.ts";

/** Line ends that are no control characters (Unicode, UAX 14). */
const SEPARATORS = /[\u2028\u2029]/g;

/** The text with each character that acts on a terminal, line ends too, replaced by what `written` makes of it. */
function replaceActing(text: string, written: (character: string) => string): string {
  return replaceHiddenCharacters(text.replace(SEPARATORS, written), written);
}

const hex = (character: string): string => character.charCodeAt(0).toString(16);

/**
 * A text as it may be shown: control characters (escape sequences, line ends), those that turn the direction of text, and
 * halves of pairs are written `\u{1b}`; everything else stays.
 */
export function shown(text: string): string {
  return replaceActing(text, (character) => `\\u{${hex(character)}}`);
}

/** One line of JSON, with its line end or without, in which such characters are written `\u001b`: it means the same. */
export function shownJson(line: string): string {
  return replaceActing(line, (character) =>
    character === "\n" ? character : `\\u${hex(character).padStart(4, "0")}`,
  );
}

/** Prints lines for people, each escaped: a line end in one of them makes no second line. */
export function printLines(io: Io, ...lines: readonly string[]): void {
  io.stdout(lines.map(shown).join("\n"));
}

/** Prints one line of JSON: exact, whatever is in it. */
export function printJson(io: Io, value: unknown): void {
  io.stdout(JSON.stringify(value));
}

/** Says something beside the result, on standard error. */
export function printNotice(io: Io, ...lines: readonly string[]): void {
  io.stderr(lines.map(shown).join("\n"));
}

/** Prints a result: one JSON line for machines, or lines for people, nothing for an empty text. */
export function printResult(
  io: Io,
  json: boolean | undefined,
  value: unknown,
  text: string | readonly string[],
): void {
  if (json === true) printJson(io, value);
  else printText(io, text);
}

/** Prints lines for people, nothing for an empty text. */
export function printText(io: Io, text: string | readonly string[]): void {
  const lines = typeof text === "string" ? [text] : text;
  if (lines.join("") !== "") printLines(io, ...lines);
}

/** Prints a value as it is: bytes, or a text in UTF-8. Throws CliError on a terminal, on which it might act. */
export function printBytes(io: Io, value: string | Uint8Array): void {
  if (io.stdoutBytes === undefined) {
    throw new CliError("the value as it is goes to a file or pipe, not to a terminal", EXIT.usage);
  }
  io.stdoutBytes(Buffer.from(value));
}

/** Prints text of our own that has several lines, such as a help. */
export function printHelp(print: (line: string) => void, text: string): void {
  print(text.replace(/\n$/, "").split("\n").map(shown).join("\n"));
}

/** Where an error came from: what it says on a line, below it the places, then the same of its cause. */
export function stackOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const places = (error.stack ?? "").split("\n").filter((line) => /^ {4}at /.test(line));
  const [first = "", ...rest] = error.cause === undefined ? [] : stackOf(error.cause);
  const cause = first === "" ? [] : [`caused by ${first}`, ...rest];
  return [`${error.name}: ${error.message}`, ...places, ...cause];
}

/** Resolves when the user asks the program to end. */
export function interruption({ signal }: Io): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
