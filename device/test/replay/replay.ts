// SPDX-License-Identifier: BSD-3-Clause
// Builds replay.c with the interpreter of the boards for this machine, as a 32-bit program where the compiler can, and
// plays recordings with it.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ownFlags } from "../../node/build.mjs";
import { prepareWasm3 } from "../../wasm3/prepare.mjs";

/** The interpreter's settings in bytes; interpreter.h describes them. */
export interface InterpreterSettings {
  readonly heap: number;
  readonly memoryLimit: number;
  readonly stack: number;
  readonly codeLimit: number;
}

/** The figures of InterpreterUsage at the end of a phase, in bytes and counts. */
export interface PhaseUsage {
  readonly phase: string;
  readonly linear: number;
  readonly code: number;
  readonly codeMost: number;
  readonly functions: number;
  readonly stack: number;
  readonly stackMost: number;
  readonly heap: number;
  readonly heapMost: number;
  readonly compiled: number;
  readonly evicted: number;
}

const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const CORE_WASM = source("../../../build/core.wasm");

function run(command: string, args: readonly string[], cwd: string): string {
  const done = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 1 << 26 });
  if (done.status === 0) return done.stdout;
  throw new Error(`${command} ended with ${done.status}: ${done.stdout}${done.stderr}`);
}

/** True when the C compiler makes 32-bit programs (Debian: gcc-multilib). */
export function makes32Bit(): boolean {
  const input = "#include <stdio.h>\nint main(void) { return 0; }\n";
  const args = ["-m32", "-x", "c", "-o", "/dev/null", "-"];
  return spawnSync(process.env.CC ?? "cc", args, { input, stdio: "pipe" }).status === 0;
}

/** Replays recordings; the interpreter is compiled once, the settings with each player. */
export class Replay {
  readonly #folder: string;
  readonly #machine: readonly string[];
  readonly #wasm3: string;

  /** `flags` are given to the compiler everywhere, for example ["-m32"]. */
  constructor(flags: readonly string[]) {
    this.#machine = flags;
    this.#folder = mkdtempSync(join(tmpdir(), "atmicro-replay-"));
    const wasm3 = prepareWasm3(join(this.#folder, "wasm3"));
    this.#wasm3 = wasm3.folder;
    const objects = join(this.#folder, "objects");
    mkdirSync(objects);
    const args = ["-c", "-O2", "-std=gnu99", ...flags, ...wasm3.flags, ...wasm3.units];
    run(process.env.CC ?? "cc", args, objects);
  }

  /** Plays the lines of recording.ts, of core.wasm or another module; throws when anything comes out otherwise. */
  play(
    lines: readonly string[],
    settings: InterpreterSettings,
    module: Uint8Array = readFileSync(CORE_WASM),
  ): PhaseUsage[] {
    const own = ["../../interpreter.c", "../../interpreterHeap.c", "replay.c"].map(source);
    const objects = readdirSync(join(this.#folder, "objects"));
    const define = [
      `-DINTERPRETER_HEAP=${settings.heap}`,
      `-DINTERPRETER_MEMORY_LIMIT=${settings.memoryLimit}`,
      `-DINTERPRETER_STACK=${settings.stack}`,
      `-DINTERPRETER_CODE_LIMIT=${settings.codeLimit}`,
    ];
    run(
      process.env.CC ?? "cc",
      [
        ...["-O2", "-std=c99", "-D_POSIX_C_SOURCE=200809L", ...this.#machine],
        ...ownFlags(this.#wasm3),
        ...["-I", source("../.."), ...define, "-o", "replay", ...own],
        ...objects.map((name) => join("objects", name)),
      ],
      this.#folder,
    );
    writeFileSync(join(this.#folder, "recording"), `${lines.join("\n")}\n`);
    writeFileSync(join(this.#folder, "module.wasm"), module);
    const out = run("./replay", ["module.wasm", "recording"], this.#folder);
    return out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as PhaseUsage);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
