// SPDX-License-Identifier: BSD-3-Clause
import type { Duplex } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** Longest answer, in characters, greeting and prompt included. */
const MAX_ANSWER = 1_024;
const PROMPT = "@";
/** What it says first, and to a question; the prompt for the next one comes with it or later. */
const GREETING = /^()@$/;
const ANSWER = /^@?(.*?)\r?\n@?$/s;

export interface DirectoryConnectionOptions {
  /** To connect, and for one answer, ms. */
  readonly timeoutMillis: number;
  /** Without a question, after which it hangs up, ms. */
  readonly idleMillis: number;
}

/** An atDirectory didn't answer in time. */
export class DirectorySilent extends Error {
  override readonly name = "DirectorySilent";
}

interface Waiting {
  readonly shape: RegExp;
  resolve(answer: string): void;
  reject(error: Error): void;
}

/** A connection to an atDirectory, which is asked one thing after the other (atProtocol, atDirectory). */
export class DirectoryConnection {
  private readonly stream: Duplex;
  private readonly options: DirectoryConnectionOptions;
  private timer: NodeJS.Timeout;
  private text = "";
  private greeted = false;
  private waiting: Waiting | undefined;
  private over: Error | undefined;

  private constructor(stream: Duplex, options: DirectoryConnectionOptions) {
    this.options = options;
    this.stream = stream;
    this.timer = this.deadline();
    const decoder = new StringDecoder("utf8");
    stream.on("data", (chunk: Buffer) => this.receive(decoder.write(chunk)));
    stream.on("error", (error) => this.end(error));
    stream.on("close", () => this.end(new Error("it closed the connection without an answer")));
  }

  /** Resolves when it may be asked. Rejects when there is no connection, or nobody who speaks as a directory does. */
  static async open(
    stream: Duplex,
    options: DirectoryConnectionOptions,
  ): Promise<DirectoryConnection> {
    const connection = new DirectoryConnection(stream, options);
    await connection.answer(GREETING);
    connection.greeted = true;
    return connection;
  }

  get closed(): boolean {
    return this.over !== undefined;
  }

  /** What the directory says to a name, without its line end. Rejects when it doesn't answer. */
  async ask(name: string): Promise<string> {
    if (this.over !== undefined) throw this.over;
    clearTimeout(this.timer);
    this.timer = this.deadline();
    this.stream.write(`${name}\n`);
    return await this.answer(ANSWER);
  }

  /** Says goodbye and hangs up; pending questions reject. */
  close(): void {
    if (this.over === undefined && this.greeted) this.stream.end("@exit\n");
    this.end(new Error("closed"));
  }

  private answer(shape: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      this.waiting = { shape, resolve, reject };
    });
  }

  private deadline(): NodeJS.Timeout {
    return setTimeout(
      () => this.end(new DirectorySilent("it didn't answer in time")),
      this.options.timeoutMillis,
    );
  }

  private receive(chunk: string): void {
    this.text += chunk;
    const { waiting } = this;
    if (waiting === undefined) {
      if (this.text !== PROMPT) this.end(new Error("it speaks without being asked"));
      this.text = "";
      return;
    }
    const answer = waiting.shape.exec(this.text)?.[1];
    if (answer !== undefined) this.settle(answer, waiting);
    else if (waiting.shape === GREETING || this.text.length > MAX_ANSWER) {
      this.end(new Error("it doesn't speak as an atDirectory does"));
    }
  }

  private settle(answer: string, waiting: Waiting): void {
    this.text = "";
    this.waiting = undefined;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.close(), this.options.idleMillis);
    this.timer.unref();
    waiting.resolve(answer);
  }

  private end(error: Error): void {
    if (this.over !== undefined) return;
    this.over = error;
    clearTimeout(this.timer);
    // What is on its way still leaves.
    if (this.stream.writableFinished) this.stream.destroy();
    else this.stream.once("finish", () => this.stream.destroy());
    if (!this.stream.writableEnded) this.stream.end();
    this.waiting?.reject(error);
    this.waiting = undefined;
  }
}
