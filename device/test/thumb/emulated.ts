// SPDX-License-Identifier: BSD-3-Clause
// The boards' interpreter, compiled for Thumb-1, on an emulated RP2040 whose functions are called from here: no board,
// no start-up code. Cycles are those of rp2040js.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RP2040 } from "rp2040js";
import { SECTIONS, WASM3 } from "../../compilerFlags.mjs";
import { ownFlags } from "../../node/build.mjs";
import { prepareThumbWasm3 } from "../../wasm3/prepare.mjs";
import type { InterpreterSettings } from "../replay/replay.ts";

const CC = "arm-none-eabi-gcc";
const MACHINE = ["-mcpu=cortex-m0plus", "-mthumb"];
const SRAM = 0x2000_0000;
const FLASH = 0x1000_0000;
/** Where modules are put, and where the stack begins: the end of the last bank. */
const MODULE = 0x1010_0000;
const SCRATCH = 0x2003_f000;
const STACK_TOP = 0x2004_2000;
const STACK_BYTES = 8192;
const STACK_PAINT = 0xa5;

const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));

function run(command: string, args: readonly string[], cwd: string): string {
  const done = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 1 << 26 });
  if (done.status === 0) return done.stdout;
  throw new Error(`${command} ended with ${done.status}: ${done.stdout}${done.stderr}`);
}

/** True when the cross compiler is there (Debian: gcc-arm-none-eabi, libnewlib-arm-none-eabi). */
export function hasThumbCompiler(): boolean {
  return spawnSync(CC, ["--version"], { stdio: "ignore" }).status === 0;
}

/** The interpreter's program, compiled and linked: its image and the addresses of its symbols. */
export interface ThumbProgram {
  readonly image: Uint8Array;
  readonly symbols: ReadonlyMap<string, number>;
}

/** Builds it with these settings. */
export function buildThumbProgram(settings: InterpreterSettings): ThumbProgram {
  const folder = mkdtempSync(join(tmpdir(), "atmicro-thumb-"));
  try {
    const wasm3 = prepareThumbWasm3(join(folder, "wasm3"), { cc: CC, machine: MACHINE });
    const objects = join(folder, "objects");
    mkdirSync(objects);
    run(
      CC,
      [...MACHINE, ...SECTIONS, "-Os", ...WASM3, ...wasm3.flags, "-c", ...wasm3.units],
      objects,
    );
    const define = [
      `-DINTERPRETER_HEAP=${settings.heap}`,
      `-DINTERPRETER_MEMORY_LIMIT=${settings.memoryLimit}`,
      `-DINTERPRETER_STACK=${settings.stack}`,
      `-DINTERPRETER_CODE_LIMIT=${settings.codeLimit}`,
    ];
    const own = ["../../interpreter.c", "../../interpreterHeap.c"].map(source);
    const strict = ownFlags(wasm3.folder);
    run(
      CC,
      [...MACHINE, ...SECTIONS, "-Os", ...strict, ...define, "-I", source("../.."), "-c", ...own],
      objects,
    );
    run(CC, [...MACHINE, "-c", source("imports.S")], objects);
    const files = readdirSync(objects).map((name) => join("objects", name));
    const link = ["--specs=nano.specs", "-nostartfiles", "-T", source("link.ld")];
    const keep = [
      "open",
      "call",
      "find",
      "trap",
      "trap_function",
      "memory",
      "drop_code",
      "usage",
      "close",
    ];
    const roots = keep.map((name) => `-Wl,--undefined=interpreter_${name}`);
    run(
      CC,
      [...MACHINE, ...link, "-Wl,--gc-sections", ...roots, "-o", "program.elf", ...files],
      folder,
    );
    run("arm-none-eabi-objcopy", ["-O", "binary", "program.elf", "program.bin"], folder);
    const symbols = new Map<string, number>();
    for (const line of run("arm-none-eabi-nm", ["program.elf"], folder).split("\n")) {
      const [address, , name] = line.split(" ");
      if (address && name) symbols.set(name, Number.parseInt(address, 16));
    }
    return { image: readFileSync(join(folder, "program.bin")), symbols };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What an import does: arguments r0 to r3, the result r0 (and r1 of an i64). */
export type ImportAnswer = (registers: readonly number[]) => bigint | number;

export type CallEnd = { readonly result: bigint } | { readonly trap: string; readonly at: number };

/** One chip with the program. */
export class EmulatedInterpreter {
  readonly #chip = new RP2040();
  readonly #symbols: ReadonlyMap<string, number>;
  readonly #imports: Readonly<Record<number, ImportAnswer>>;
  readonly #handles = new Map<string, number>();
  #returned = false;
  #fault = "";

  /** `imports` by the number of their BKPT in imports.S. */
  constructor(program: ThumbProgram, imports: Readonly<Record<number, ImportAnswer>> = {}) {
    this.#symbols = program.symbols;
    this.#imports = imports;
    const fault = (_: string, message: string) => {
      this.#fault ||= message;
    };
    this.#chip.logger = { debug: () => {}, info: () => {}, warn: fault, error: fault };
    this.#chip.flash.set(program.image);
    const [from, to] = [this.#address("data_start"), this.#address("data_end")];
    const at = this.#address("data_load") - FLASH;
    this.#chip.sram.set(program.image.subarray(at, at + to - from), from - SRAM);
    this.#chip.sram.fill(STACK_PAINT, STACK_TOP - STACK_BYTES - SRAM, STACK_TOP - SRAM);
    this.#chip.onBreak = (code) => this.#stop(code);
  }

  #address(symbol: string): number {
    const address = this.#symbols.get(symbol);
    if (address === undefined) throw new Error(`the program has no ${symbol}`);
    return address;
  }

  #stop(code: number): void {
    const { registers } = this.#chip.core;
    if (code === 0) {
      this.#returned = true;
      return;
    }
    const answer = this.#imports[code];
    if (!answer) {
      this.#fault ||= `stopped by ${code}`;
      return;
    }
    const result = BigInt.asUintN(64, BigInt(answer([...registers.subarray(0, 4)])));
    registers[0] = Number(result & 0xffff_ffffn);
    if (code === 1) registers[1] = Number(result >> 32n);
  }

  /** Cycles since the chip was made. */
  get cycles(): number {
    return this.#chip.core.cycles;
  }

  /** Calls a C function; r0. Throws on a fault, an access that is not aligned included. */
  run(symbol: string, ...args: readonly number[]): number {
    const { core } = this.#chip;
    args.forEach((arg, i) => {
      core.registers[i] = arg;
    });
    core.registers[13] = STACK_TOP - 64;
    core.registers[14] = this.#address("returned") | 1;
    core.registers[15] = this.#address(symbol) & ~1;
    this.#returned = false;
    while (!this.#returned) {
      core.executeInstruction();
      if (this.#fault) throw new Error(`the chip: ${this.#fault}, at 0x${core.PC.toString(16)}`);
    }
    return core.registers[0] ?? 0;
  }

  /** Most bytes of native stack ever used. */
  stackMost(): number {
    const stack = this.read(STACK_TOP - STACK_BYTES, STACK_BYTES);
    const deepest = stack.findIndex((byte) => byte !== STACK_PAINT);
    return STACK_BYTES - (deepest < 0 ? STACK_BYTES : deepest);
  }

  /** Bytes of the chip's SRAM or flash. */
  read(address: number, len: number): Uint8Array {
    const from = address < SRAM ? this.#chip.flash : this.#chip.sram;
    const at = address - (address < SRAM ? FLASH : SRAM);
    return from.slice(at, at + len);
  }

  write(address: number, bytes: Uint8Array): void {
    this.#chip.sram.set(bytes, address - SRAM);
  }

  #text(address: number): string {
    const bytes = this.read(address, 200);
    return Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString();
  }

  #word(address: number): number {
    return Buffer.from(this.read(address, 4)).readUInt32LE();
  }

  /** Puts the module into flash and opens it. */
  open(module: Uint8Array): void {
    this.#handles.clear();
    this.#chip.flash.fill(0xff, MODULE - FLASH, MODULE - FLASH + 65_536);
    this.#chip.flash.set(module, MODULE - FLASH);
    if (this.run("interpreter_open", MODULE, module.length) !== 0) {
      throw new Error(this.#text(this.run("interpreter_trap")));
    }
  }

  /** Address of linear memory. */
  memory(): number {
    return this.run("interpreter_memory", SCRATCH);
  }

  #handle(name: string): number {
    const known = this.#handles.get(name);
    if (known !== undefined) return known;
    this.write(SCRATCH, Buffer.from(`${name}\0`));
    const handle = this.run("interpreter_find", SCRATCH);
    if (handle > 0x7fff_ffff) throw new Error(`no export ${name}`);
    this.#handles.set(name, handle);
    return handle;
  }

  /** Calls an export of the module. */
  call(name: string, args: readonly (number | bigint)[]): CallEnd {
    const [argsAt, resultAt] = [SCRATCH, SCRATCH + 0x80];
    const handle = this.#handle(name);
    const raw = BigUint64Array.from(args, (arg) => BigInt.asUintN(64, BigInt(arg)));
    this.write(argsAt, new Uint8Array(raw.buffer));
    if (this.run("interpreter_call", handle, argsAt, args.length, resultAt) === 0) {
      return { result: Buffer.from(this.read(resultAt, 8)).readBigInt64LE() };
    }
    return {
      trap: this.#text(this.run("interpreter_trap")),
      at: this.run("interpreter_trap_function") | 0,
    };
  }

  /** The words of InterpreterUsage, in its order. */
  usage(): number[] {
    this.run("interpreter_usage", SCRATCH);
    return Array.from({ length: 11 }, (_, i) => this.#word(SCRATCH + 4 * i));
  }
}
