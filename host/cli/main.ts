#!/usr/bin/env -S node --max-semi-space-size=2 --heap-growing-percent=20 --v8-pool-size=1
// SPDX-License-Identifier: BSD-3-Clause
import "./optimizeLate.ts";
import { askSecret } from "./askSecret.ts";
import { run } from "./atmicro.ts";
import type { Io } from "./command.ts";
import { describeFailure } from "./failure.ts";

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // Once: a second signal ends the program at once, and its children with it.
  process.once(signal, () => stopping.abort());
}

// The reader of a pipe has gone (`| head`): nothing more can be said, so end in order.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", () => stopping.abort());
}

process.on("uncaughtException", (error) => {
  const { message, exitCode } = describeFailure(error);
  process.stderr.write(`atmicro: ${message}\n`);
  if (process.argv.includes("--debug")) process.stderr.write(`${error.stack}\n`);
  process.exit(exitCode);
});

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

const io: Io = {
  stdout: (line) => process.stdout.write(`${line}\n`),
  stderr: (line) => process.stderr.write(`${line}\n`),
  stdin: standardInput,
  ...(process.stdin.isTTY && {
    askSecret: (question: string) => askSecret(question, process.stdin, process.stderr),
  }),
  ...(process.stderr.isTTY && {
    progress: (line: string) => {
      process.stderr.cursorTo(0);
      process.stderr.clearLine(0);
      process.stderr.write(line);
    },
  }),
  env: process.env,
  signal: stopping.signal,
};

process.exitCode = await run(process.argv.slice(2), io);
