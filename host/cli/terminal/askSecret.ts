// SPDX-License-Identifier: BSD-3-Clause
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { CliError, EXIT } from "../process/exit.ts";

/** Asks on a terminal for one line, which is not shown. Rejects when the user presses Ctrl-C. */
export function askSecret(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<string> {
  output.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal: true });
  return new Promise((resolve, reject) => {
    lines.once("line", (line) => {
      resolve(line);
      lines.close();
    });
    lines.once("SIGINT", () => {
      reject(new CliError("interrupted", EXIT.internal));
      lines.close();
    });
    lines.once("close", () => {
      output.write("\n");
      resolve("");
    });
  });
}
