// SPDX-License-Identifier: BSD-3-Clause
// The posix board as a process with a flash file, for tests.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Provisioning, provisionedStore } from "../../device/js/provisioning.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

export const FLASH_BYTES = 16 * 4096;
/** The process' exit code after a power cut. */
export const POWER_CUT = 99;

export type Variant = "plain" | "sanitized" | "narrow" | "shallow";

/** Builds the device; the path of the program. */
export function buildDevice(variant: Variant): string {
  execFileSync(process.execPath, [path("boards/build.mjs"), "posix", "--variant", variant], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return path(`build/posix${variant === "plain" ? "" : `-${variant}`}/atmicro-device`);
}

/** Writes a flash that holds this and nothing else. */
export function writeFlash(file: string, provisioning: Provisioning): void {
  const flash = Buffer.alloc(FLASH_BYTES, 0xff);
  provisionedStore(provisioning).copy(flash);
  writeFileSync(file, flash, { mode: 0o600 });
}

export class PosixDevice {
  /** What it logged, without level and time. */
  readonly lines: string[] = [];
  /** Its own time in its last line. */
  deviceMs = 0;
  readonly ended: Promise<number | string | null>;
  readonly #child: ChildProcess;
  #waiting: (() => void)[] = [];
  #isOver = false;

  constructor(program: string, args: readonly string[]) {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.deviceMs = Number(/^[EWID] \((\d+)\)/.exec(line)?.[1] ?? this.deviceMs);
        this.lines.push(line.replace(/^[EWID] \(\d+\) /, ""));
        this.#wake();
      });
    }
    this.ended = once(child, "close").then(([code, signal]) => {
      this.#isOver = true;
      this.#wake();
      return code ?? signal;
    });
  }

  /** How many lines so far are, or match, this. */
  count(wanted: string | RegExp): number {
    return this.lines.filter((line) =>
      typeof wanted === "string" ? line === wanted : wanted.test(line),
    ).length;
  }

  /** Waits until it has logged this so many times. */
  async until(wanted: string | RegExp, times = 1): Promise<void> {
    while (this.count(wanted) < times) {
      if (this.#isOver) throw new Error(`it ended after:\n${this.lines.join("\n")}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Bytes of RAM the process takes now. */
  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
