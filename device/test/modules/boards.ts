// SPDX-License-Identifier: BSD-3-Clause
// The boards' interpreter as one to be checked: as a program of a machine, and on an emulated chip.

import type { InterpreterSettings, Replay } from "../replay/replay.ts";
import type { EmulatedInterpreter } from "../thumb/emulated.ts";
import { type Check, checkOf } from "./comparison.ts";
import { callsOf, type Outcome, trapOf } from "./outcome.ts";
import { moduleBytes, type TreeModule } from "./tree.ts";

/** Room for a whole page of memory and all code. */
export const SETTINGS: InterpreterSettings = {
  heap: 131_072,
  memoryLimit: 65_536,
  stack: 8192,
  codeLimit: 0,
};
/** Bytes of memory a line of a recording holds. */
const PART = 4096;

function trapped(text: string): string {
  const trap = trapOf(text);
  if (trap === undefined) throw new Error(text);
  return trap;
}

function readLines(memory: Uint8Array): string[] {
  const starts = Array.from({ length: memory.length / PART }, (_, i) => i * PART);
  return starts.map(
    (at) => `R ${at} ${Buffer.from(memory.subarray(at, at + PART)).toString("hex")}`,
  );
}

/** replay.c: it prints what the calls give, and compares memory itself. */
export const checkReplay =
  (replay: Replay): Check =>
  (module, wanted) => {
    const lines = callsOf(module).flatMap(({ name, args }) => [
      ["C", name, ...args].join(" "),
      "?",
    ]);
    const play = (): Outcome => {
      const recording = [...lines, ...readLines(wanted.memory)];
      const printed = replay.ask(recording, SETTINGS, moduleBytes(module));
      const calls = printed.map((line) =>
        line.startsWith("=") ? BigInt(line.slice(2)) : trapped(line),
      );
      return { calls, memory: wanted.memory };
    };
    return checkOf(play)(module, wanted);
  };

/** The chip: every module is opened on it anew. */
export const checkOnChip = (chip: EmulatedInterpreter): Check =>
  checkOf((module: TreeModule) => {
    chip.open(moduleBytes(module));
    const calls = callsOf(module).map(({ name, args }) => {
      const end = chip.call(name, args);
      return "trap" in end ? trapped(end.trap) : end.result;
    });
    return { calls, memory: chip.read(chip.memory(), Number(calls.at(-1)) * SETTINGS.memoryLimit) };
  });
