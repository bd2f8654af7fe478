// SPDX-License-Identifier: BSD-3-Clause
import type { TLSSocket } from "node:tls";
import type { Address } from "../../net/address.ts";
import type { TlsIdentity } from "../config/config.ts";
import { openTls } from "./tlsClient.ts";

const MAX_ANSWER = 1_024;
/** What it says first, and to a question; the prompt for the next one behind it. */
const GREETING = /^()@$/;
const ANSWER = /^(.*?)\r?\n@$/s;

export interface DirectoryConnectionOptions {
  readonly address: Address;
  readonly tls: TlsIdentity;
  /** ms to connect, and for one answer. */
  readonly timeoutMillis: number;
  /** ms without a question after which it hangs up. */
  readonly idleMillis: number;
}

interface Waiting {
  readonly shape: RegExp;
  resolve(answer: string): void;
  reject(error: Error): void;
}

/** A connection to an atDirectory, which is asked one thing after the other (atProtocol, atDirectory). */
export class DirectoryConnection {
  private readonly socket: TLSSocket;
  private readonly options: DirectoryConnectionOptions;
  private timer: NodeJS.Timeout;
  private text = "";
  private greeted = false;
  private waiting: Waiting | undefined;
  private over: Error | undefined;

  private constructor(options: DirectoryConnectionOptions) {
    this.options = options;
    this.socket = openTls(options.address, options.tls, false);
    this.timer = this.deadline();
    this.socket.setEncoding("utf8");
    this.socket.on("data", (chunk: string) => this.receive(chunk));
    this.socket.on("error", (error) => this.end(error));
    this.socket.on("close", () => this.end(new Error("the directory hung up")));
  }

  /** Resolves when it may be asked. Rejects when there is no connection, or nobody who speaks as a directory does. */
  static async open(options: DirectoryConnectionOptions): Promise<DirectoryConnection> {
    const connection = new DirectoryConnection(options);
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
    this.socket.write(`${name}\n`);
    return await this.answer(ANSWER);
  }

  /** Says goodbye and hangs up; who waits is told so. */
  close(): void {
    if (this.over === undefined && this.greeted) this.socket.end("@exit\n");
    this.end(new Error("closed"));
  }

  private answer(shape: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      this.waiting = { shape, resolve, reject };
    });
  }

  private deadline(): NodeJS.Timeout {
    return setTimeout(() => this.end(new Error("no answer")), this.options.timeoutMillis);
  }

  private receive(chunk: string): void {
    this.text += chunk;
    const { waiting } = this;
    const answer = waiting?.shape.exec(this.text)?.[1];
    if (waiting === undefined) this.end(new Error("the directory speaks without being asked"));
    else if (answer !== undefined) this.settle(answer, waiting);
    else if (this.text.length > MAX_ANSWER) this.end(new Error("the answer is too long"));
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
    this.socket.destroySoon();
    this.waiting?.reject(error);
    this.waiting = undefined;
  }
}
