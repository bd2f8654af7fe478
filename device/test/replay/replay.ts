// SPDX-License-Identifier: BSD-3-Clause
// Builds replay.c with the interpreter of the boards for a machine, and plays recordings with it.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WASM3 } from "../../compilerFlags.mjs";
import { ownFlags } from "../../node/build.mjs";
import { prepareWasm3 } from "../../wasm3/prepare.mjs";
import type { Machine } from "./machine.ts";

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

/** Replays recordings; the interpreter is compiled once, the player for the settings it is given. */
export class Replay {
  readonly #folder: string;
  readonly #machine: Machine;
  readonly #wasm3: string;
  /** The settings the program was compiled with. */
  #compiled = "";

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#folder = mkdtempSync(join(tmpdir(), "atmicro-replay-"));
    const wasm3 = prepareWasm3(join(this.#folder, "wasm3"));
    this.#wasm3 = wasm3.folder;
    const objects = join(this.#folder, "objects");
    mkdirSync(objects);
    const args = ["-c", "-O2", ...WASM3, ...machine.flags, ...wasm3.flags, ...wasm3.units];
    run(machine.cc, args, objects);
  }

  /** Plays the lines of recording.ts, of core.wasm or another module; throws when anything comes out otherwise. */
  play(
    lines: readonly string[],
    settings: InterpreterSettings,
    module: Uint8Array = readFileSync(CORE_WASM),
  ): PhaseUsage[] {
    const printed = this.#run(lines, settings, module);
    return printed.map((line) => JSON.parse(line) as PhaseUsage);
  }

  /** The same; what came out where a line is "?": "= " and the result, or "! " and the trap. */
  ask(lines: readonly string[], settings: InterpreterSettings, module: Uint8Array): string[] {
    return this.#run(["P all", ...lines], settings, module).slice(0, -1);
  }

  #run(
    lines: readonly string[],
    settings: InterpreterSettings,
    module: Uint8Array,
  ): readonly string[] {
    this.#compile(settings);
    writeFileSync(join(this.#folder, "recording"), `${lines.join("\n")}\n`);
    writeFileSync(join(this.#folder, "module.wasm"), module);
    const [command = "", ...args] = this.#machine.command("./replay", ["module.wasm", "recording"]);
    return run(command, args, this.#folder).trimEnd().split("\n");
  }

  #compile(settings: InterpreterSettings): void {
    const wanted = JSON.stringify(settings);
    if (this.#compiled === wanted) return;
    const own = ["../../interpreter.c", "../../interpreterHeap.c", "replay.c"].map(source);
    const objects = readdirSync(join(this.#folder, "objects"));
    const define = [
      `-DINTERPRETER_HEAP=${settings.heap}`,
      `-DINTERPRETER_MEMORY_LIMIT=${settings.memoryLimit}`,
      `-DINTERPRETER_STACK=${settings.stack}`,
      `-DINTERPRETER_CODE_LIMIT=${settings.codeLimit}`,
    ];
    const { cc, flags, linkFlags } = this.#machine;
    run(
      cc,
      [
        ...["-O2", "-D_POSIX_C_SOURCE=200809L", ...flags, ...linkFlags],
        ...ownFlags(this.#wasm3),
        ...["-I", source("../.."), ...define, "-o", "replay", ...own],
        ...objects.map((name) => join("objects", name)),
      ],
      this.#folder,
    );
    this.#compiled = wanted;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
