// SPDX-License-Identifier: BSD-3-Clause
// Plays a recording on the emulated interpreter, as replay.c does on this machine.

import type { EmulatedInterpreter, ImportAnswer } from "./emulated.ts";

/** Figures of a phase: cycles spent in the core, most native stack so far in bytes, and the words of InterpreterUsage. */
export interface ChipPhase {
  readonly phase: string;
  readonly cycles: number;
  readonly stackMost: number;
  readonly usage: readonly number[];
}

/** Reads the recording line by line. */
class Lines {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  next(): string | undefined {
    return this.#lines[this.#at++];
  }

  /** What follows the letter of the line that has to come now. */
  expect(letter: string): string {
    const line = this.next() ?? "";
    if (line[0] === letter) return line.slice(2);
    throw new Error(`line ${this.#at}: ${letter} instead of ${line.slice(0, 60)}`);
  }
}

/** A chip whose imports answer from a recording. */
export class ChipReplay {
  readonly #lines: Lines;
  readonly #open: (imports: Readonly<Record<number, ImportAnswer>>) => EmulatedInterpreter;
  readonly #figures: ChipPhase[] = [];
  #chip: EmulatedInterpreter;
  #phase = "";
  #before = 0;

  /** `open` makes a chip with the module opened. */
  constructor(
    lines: readonly string[],
    open: (imports: Readonly<Record<number, ImportAnswer>>) => EmulatedInterpreter,
  ) {
    this.#lines = new Lines(lines);
    this.#open = open;
    this.#chip = this.#start();
  }

  #start(): EmulatedInterpreter {
    const fill = (at: number, hex: string) => this.#chip.write(at, Buffer.from(hex, "hex"));
    return this.#open({
      1: () => BigInt(this.#lines.expect("T")),
      2: ([out = 0]) => {
        fill(out, this.#lines.expect("E"));
        return 0;
      },
      3: ([, out = 0]) => {
        const [result = "", hex = ""] = this.#lines.expect("G").split(" ");
        fill(out, hex);
        return BigInt(result);
      },
      4: () => BigInt(this.#lines.expect("S")),
      5: () => 0,
      6: () => 0,
    });
  }

  /** The figures of every phase. Throws when anything comes out otherwise than recorded. */
  play(): ChipPhase[] {
    for (let line = this.#lines.next(); line !== undefined; line = this.#lines.next()) {
      const [letter, ...words] = line.split(" ");
      if (letter === "P") this.#begin(words.join(" "));
      else if (letter === "X") this.#restart();
      else if (letter === "C") this.#call(words);
      else this.#bytes(letter, words);
    }
    this.#end();
    return this.#figures;
  }

  #begin(phase: string): void {
    this.#end();
    this.#phase = phase;
    this.#before = this.#chip.cycles;
  }

  #end(): void {
    if (!this.#phase) return;
    this.#figures.push({
      phase: this.#phase,
      cycles: this.#chip.cycles - this.#before,
      stackMost: this.#chip.stackMost(),
      usage: this.#chip.usage(),
    });
    this.#phase = "";
  }

  #restart(): void {
    this.#end();
    this.#chip = this.#start();
  }

  #call([name = "", ...args]: readonly string[]): void {
    const end = this.#chip.call(name, args.map(BigInt));
    if ("trap" in end) throw new Error(`${name}: ${end.trap} in function ${end.at}`);
    const wanted = BigInt(this.#lines.expect("="));
    if (end.result !== wanted) throw new Error(`${name} is ${end.result}, not ${wanted}`);
  }

  #bytes(letter: string | undefined, [ptr, hex = ""]: readonly string[]): void {
    const at = this.#chip.memory() + Number(ptr);
    const bytes = Buffer.from(hex, "hex");
    if (letter === "W") this.#chip.write(at, bytes);
    else if (letter !== "R" || !bytes.equals(this.#chip.read(at, bytes.length))) {
      throw new Error(`other bytes at ${ptr}`);
    }
  }
}
