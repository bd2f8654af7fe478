// SPDX-License-Identifier: BSD-3-Clause
// Questions to who sits at the terminal, on standard error; without one, the lines of standard input are the answers.
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** Takes what readline would echo, unless the answer may be seen. */
class Echo extends Writable {
  isOn = false;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.isOn) process.stderr.write(chunk);
    done();
  }
}

export class Prompt {
  readonly isTerminal = process.stdin.isTTY === true;
  readonly #echo = new Echo();
  readonly #lines = createInterface({
    input: process.stdin,
    output: this.#echo,
    terminal: this.isTerminal,
  });
  readonly #answers = this.#lines[Symbol.asyncIterator]();

  /** The next line, without the spaces around it; "" when there is none. A secret isn't shown while it is typed. */
  async ask(question: string, { isSecret }: { readonly isSecret: boolean }): Promise<string> {
    this.#echo.isOn = !isSecret;
    if (this.isTerminal) process.stderr.write(`${question}: `);
    const { value, done } = await this.#answers.next();
    if (this.isTerminal && isSecret) process.stderr.write("\n");
    return done ? "" : value.trim();
  }

  close(): void {
    this.#lines.close();
  }
}
