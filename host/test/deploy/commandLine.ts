// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../cli/atmicro.ts";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
export const DEPLOY = join(ROOT, "host", "deploy");

/** Text of a file of host/deploy/, lines that end with a backslash joined with the next. */
export function deployed(path: string): string {
  return readFileSync(join(DEPLOY, path), "utf8").replace(/\\\n\s*/g, "");
}

const helps = new Map<string, Promise<string>>();

function helpOf(command: readonly string[]): Promise<string> {
  const name = command.join(" ");
  const known = helps.get(name);
  if (known !== undefined) return known;
  const lines: string[] = [];
  const said = run([...command, "--help"], {
    stdout: (line) => lines.push(line),
    stderr: (line) => lines.push(line),
    stdin: async () => "",
    env: {},
    signal: new AbortController().signal,
  }).then(() => lines.join("\n"));
  helps.set(name, said);
  return said;
}

/** The words behind `atmicro` that name a command, such as `server backup`. */
async function commandOf(words: readonly string[]): Promise<string[]> {
  const command: string[] = [];
  for (const word of words) {
    const help = await helpOf(command);
    if (!new RegExp(`^  ${word} `, "m").test(help.split("Commands:")[1] ?? "")) break;
    command.push(word);
  }
  return command;
}

/** What is wrong with a command line of `atmicro`, the program's name left out: unknown flags, unknown commands. */
export async function mistakes(words: readonly string[]): Promise<string[]> {
  const command = await commandOf(words);
  if (command.length === 0) return [`${words[0]} is no command`];
  const help = await helpOf(command);
  const flags = words.flatMap((word) => /^--[a-z-]+/.exec(word)?.[0] ?? []);
  return flags
    .filter((flag) => !new RegExp(`^ +(?:-\\w, )?${flag}\\b(?!-)`, "m").test(help))
    .map((flag) => `${command.join(" ")} has no ${flag}`);
}
