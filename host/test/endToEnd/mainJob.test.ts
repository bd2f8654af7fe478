// SPDX-License-Identifier: BSD-3-Clause
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const built = (path: string) => fileURLToPath(new URL(`../../../build/${path}`, import.meta.url));
const ATMICRO = built("host/cli/main.js");

/** A run of the demonstration with a temporary folder of its own. */
class Run {
  readonly folder = mkdtempSync(join(tmpdir(), "atmicro-main-job-"));
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly exit: Promise<number | null>;
  private heard: () => void = () => undefined;

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [ATMICRO, "demo", ...args], {
      env: { ...process.env, TMPDIR: this.folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (chunk) => {
      this.stdout += chunk;
      this.heard();
    });
    this.child.stderr?.on("data", (chunk) => {
      this.stderr += chunk;
      this.heard();
    });
    this.exit = once(this.child, "close").then(([code]) => code);
  }

  /** Resolves when standard output or error contains the text; rejects when the program ends first. */
  says(text: string): Promise<void> {
    const said = new Promise<void>((resolve) => {
      this.heard = () => {
        if (`${this.stdout}${this.stderr}`.includes(text)) resolve();
      };
      this.heard();
    });
    const ended = this.exit.then((code) => {
      throw new Error(`ended with ${code}: ${this.stdout}${this.stderr}`);
    });
    ended.catch(() => undefined);
    return Promise.race([said, ended]);
  }

  /** Command lines of the programs that still name this run's folder. */
  leftRunning(): string[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => join("/proc", pid, "cmdline"))
      .filter((file) => existsSync(file))
      .map((file) => {
        try {
          return readFileSync(file, "utf8");
        } catch (error) {
          // It ended between the two looks.
          if (error instanceof Error && "code" in error) return "";
          throw error;
        }
      })
      .filter((line) => line.includes(this.folder));
  }
}

describe("the demonstration", () => {
  let run: Run;

  beforeEach(() => {
    expect(existsSync(ATMICRO)).toBe(true);
  });

  afterEach(async () => {
    run.child.kill("SIGKILL");
    await run.exit;
    rmSync(run.folder, { recursive: true, force: true });
  });

  it("does the main job under wasm3 and says what it saw", async () => {
    run = new Run(["--json"]);
    expect(await run.exit, run.stderr).toBe(0);
    const last = run.stdout.trimEnd().split("\n").at(-1) ?? "";
    const result = JSON.parse(last);
    const wasm = readFileSync(built("core.wasm"));
    expect(result).toEqual({
      readings: 5,
      commandsConfirmed: 1,
      coreSha256: createHash("sha256").update(wasm).digest("hex"),
      coreBytes: wasm.length,
      interpreter: "wasm3",
      linearMemoryBytes: 31_232,
      wasm3HeapBytes: expect.any(Number),
      linesSent: expect.any(Number),
      linesReceived: expect.any(Number),
      latencyMsMedian: expect.any(Number),
    });
    expect(result.wasm3HeapBytes).toBeGreaterThan(31_232);
    expect(result.linesSent).toBeGreaterThanOrEqual(5);
    expect(result.latencyMsMedian).toBeGreaterThanOrEqual(0);
    expect(run.stderr).toContain("interval 500 ms");
    expect(run.leftRunning()).toEqual([]);
    expect(readdirSync(run.folder)).toEqual([]);
  });

  it("keeps its world with --keep until it is told to end, and then leaves nothing", async () => {
    run = new Run(["--keep", "--readings", "1", "--json"]);
    await run.says("Keeping");
    expect(run.leftRunning().length).toBeGreaterThanOrEqual(4);
    run.child.kill("SIGTERM");
    expect(await run.exit, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout).commandsConfirmed).toBe(1);
    expect(run.leftRunning()).toEqual([]);
    expect(readdirSync(run.folder)).toEqual([]);
  });

  it("leaves nothing when it is interrupted, and says so with a failing exit code", async () => {
    run = new Run(["--readings", "1000"]);
    await run.says("Readings");
    run.child.kill("SIGINT");
    expect(await run.exit).not.toBe(0);
    expect(run.stderr).toContain("interrupted");
    expect(run.stderr).not.toContain("    at ");
    expect(run.leftRunning()).toEqual([]);
    expect(readdirSync(run.folder)).toEqual([]);
  });

  it("names what died when a server is killed, and ends everything else", async () => {
    run = new Run(["--readings", "1000"]);
    await run.says("Readings");
    const server = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .find((pid) => {
        const file = join("/proc", pid, "cmdline");
        if (!existsSync(file)) return false;
        const line = readFileSync(file, "utf8");
        return line.includes(run.folder) && line.includes("\0server\0@alice\0");
      });
    expect(server).toBeDefined();
    process.kill(Number(server), "SIGKILL");
    expect(await run.exit).not.toBe(0);
    expect(run.stderr).toContain("the atServer of @alice ended early (signal SIGKILL)");
    expect(run.leftRunning()).toEqual([]);
    expect(readdirSync(run.folder)).toEqual([]);
  });
});
