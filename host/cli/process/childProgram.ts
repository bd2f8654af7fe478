// SPDX-License-Identifier: BSD-3-Clause
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { JsonError, jsonLimits, parseJson } from "../../wire/json.ts";
import { CliError, EXIT } from "./exit.ts";

/** One line of a program's life on its standard output. */
export type LifeEvent = Readonly<Record<string, unknown>> & { readonly event: string };

export type ChildProgramOptions = {
  /** What messages call it, for example "the atServer of @alice". */
  readonly name: string;
  /** Arguments for Node: the program and its own. No secrets. */
  readonly args: readonly string[];
  readonly onEvent?: (event: LifeEvent) => void;
};

const LOG_LINES_KEPT = 20;
const KILL_AFTER_MILLIS = 5_000;

/**
 * A program of ours run by this one: it tells its life as JSON lines on standard output, logs to standard error, and
 * ends when its standard input closes, so that it cannot outlive its parent.
 */
export class ChildProgram {
  readonly name: string;
  /** Settles, never rejects, when the program has ended: undefined if it was asked to, otherwise why. */
  readonly ended: Promise<CliError | undefined>;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly log: string[] = [];
  private readonly waiting = new Map<string, (event: LifeEvent) => void>();
  private stopping = false;

  constructor(options: ChildProgramOptions) {
    this.name = options.name;
    // A group of its own: Ctrl-C reaches this program, which then ends its children in order.
    this.child = spawn(process.execPath, [...options.args], { stdio: "pipe", detached: true });
    this.child.stdin.on("error", () => this.child.stdin.destroy());
    createInterface({ input: this.child.stderr }).on("line", (line) => this.keep(line));
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      const event = this.parse(line);
      if (event === undefined) return;
      this.waiting.get(event.event)?.(event);
      this.waiting.delete(event.event);
      options.onEvent?.(event);
    });
    this.ended = new Promise((resolve) => {
      this.child.once("error", (cause) => resolve(this.death(cause.message, cause)));
      this.child.once("close", (code, signal) => {
        if (this.stopping) resolve(undefined);
        else resolve(this.death(signal === null ? `exit code ${code}` : `signal ${signal}`));
      });
    });
  }

  /** The process; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Waits for a life event; rejects when the program ends first, or after `timeoutMillis`. */
  async event(name: string, timeoutMillis: number): Promise<LifeEvent> {
    let timer: NodeJS.Timeout | undefined;
    const arrived = new Promise<LifeEvent>((resolve) => this.waiting.set(name, resolve));
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new CliError(`${this.name} is not ready after ${timeoutMillis} ms`, EXIT.timeout));
      }, timeoutMillis);
    });
    const dead = this.ended.then((reason) => {
      throw reason ?? new CliError(`${this.name} was stopped`, EXIT.internal);
    });
    try {
      return await Promise.race([arrived, late, dead]);
    } finally {
      clearTimeout(timer);
      this.waiting.delete(name);
    }
  }

  /** Writes one line to the program's standard input. */
  writeLine(text: string): void {
    this.child.stdin.write(`${text}\n`);
  }

  /** Asks the program to end, and ends it after five seconds. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), KILL_AFTER_MILLIS);
    await this.ended;
    clearTimeout(timer);
  }

  private parse(line: string): LifeEvent | undefined {
    try {
      const value = parseJson(line, jsonLimits.answer);
      if (typeof value === "object" && value !== null && "event" in value) {
        if (typeof value.event === "string") return { ...value, event: value.event };
      }
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
    }
    this.keep(line);
    return undefined;
  }

  private keep(line: string): void {
    this.log.push(line);
    if (this.log.length > LOG_LINES_KEPT) this.log.shift();
  }

  private death(how: string, cause?: unknown): CliError {
    const end = this.log.length === 0 ? "" : "; its last lines were:";
    const details = this.log.map((line) => `  ${line}`);
    return new CliError(`${this.name} ended early (${how})${end}`, EXIT.internal, {
      cause,
      details,
    });
  }
}
