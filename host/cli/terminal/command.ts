// SPDX-License-Identifier: BSD-3-Clause
import type { Command } from "commander";

/** What a command has of the outside; a test gives its own. */
export interface Io {
  /** One line to standard output. */
  stdout(line: string): void;
  /** One line to standard error. */
  stderr(line: string): void;
  /** Bytes to standard output, as they are, when it is no terminal. */
  stdoutBytes?(bytes: Uint8Array): void;
  /** All of standard input. */
  stdin(): Promise<string | Uint8Array>;
  /** Asks on the terminal for one line, without echo; absent when standard input is no terminal. */
  askSecret?(question: string): Promise<string>;
  /** Replaces the line that says how far long work is, "" to take it away; absent when standard error is no terminal. */
  progress?(line: string): void;
  /** Hands errors that nothing caught to a server, in place of ending the program; answers how to stop that. */
  onUncaught?(take: (error: unknown) => void): () => void;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted when the user asks the program to end (Ctrl-C, SIGTERM). */
  readonly signal: AbortSignal;
}

/** Adds one command, with its options and its help, to the program. */
export type CommandDefinition = (program: Command, io: Io) => void;
