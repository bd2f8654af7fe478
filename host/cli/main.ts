#!/usr/bin/env -S node --max-semi-space-size=2 --heap-growing-percent=20 --v8-pool-size=1
// SPDX-License-Identifier: BSD-3-Clause
import "./process/optimizeLate.ts";
import { reportFailure, run } from "./atmicro.ts";
import { askSecret } from "./terminal/askSecret.ts";
import type { Io } from "./terminal/command.ts";

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // Once: a second signal ends the program at once, and its children with it.
  process.once(signal, () => stopping.abort());
}

// The reader of a pipe has gone (`| head`): nothing more can be said, so end in order.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", () => stopping.abort());
}

async function standardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

let takeUncaught: (error: unknown) => void = (error) => {
  process.exit(reportFailure(error, process.argv, io));
};
// Rejections that nobody handles come here too.
process.on("uncaughtException", (error) => takeUncaught(error));

const io: Io = {
  stdout: (line) => process.stdout.write(`${line}\n`),
  stderr: (line) => process.stderr.write(`${line}\n`),
  ...(!process.stdout.isTTY && {
    stdoutBytes: (bytes: Uint8Array) => process.stdout.write(bytes),
  }),
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
  onUncaught(take) {
    const before = takeUncaught;
    takeUncaught = take;
    return () => {
      takeUncaught = before;
    };
  },
  env: process.env,
  signal: stopping.signal,
};

process.exitCode = await run(process.argv.slice(2), io);
