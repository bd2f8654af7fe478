// SPDX-License-Identifier: BSD-3-Clause
// The simulated device as a process, for tests; from the compiled build that `npm test` makes first.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../build/boards/simulated/main.js", import.meta.url));

export type LifeEvent = Readonly<Record<string, unknown>>;

export class SimulatedProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly events: LifeEvent[] = [];
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  #waiting: (() => void)[] = [];
  #isOver = false;

  constructor(configuration: string, ...more: string[]) {
    this.child = spawn(process.execPath, [PROGRAM, configuration, ...more], { stdio: "pipe" });
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      this.events.push(JSON.parse(line));
      this.#wake();
    });
    this.ended = once(this.child, "close").then(([code, signal]) => {
      this.#isOver = true;
      this.#wake();
      return code ?? signal;
    });
  }

  /** How many events so far have these members; an expression has to match the text. */
  count(wanted: LifeEvent): number {
    const fits = (value: unknown, expected: unknown) =>
      expected instanceof RegExp ? expected.test(String(value)) : value === expected;
    return this.events.filter((event) =>
      Object.entries(wanted).every(([name, expected]) => fits(event[name], expected)),
    ).length;
  }

  /** Waits until so many events have these members. */
  async until(wanted: LifeEvent, times = 1): Promise<void> {
    while (this.count(wanted) < times) {
      if (this.#isOver) throw new Error(`it ended after ${JSON.stringify(this.events)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
