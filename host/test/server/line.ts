// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { connect, type SecureVersion, type TLSSocket } from "node:tls";

interface Waiting {
  matches: (text: string) => number;
  resolve: (text: string) => void;
  reject: (error: Error) => void;
}

const LONG_LINE = 65_536;
const RECEIVED_KEPT = 1_000;

/** A raw TLS client: writes bytes, waits for exact shapes of what comes back. */
export class Line {
  readonly socket: TLSSocket;
  /** Sizes of the pieces in which bytes arrived. */
  readonly chunks: string[] = [];
  /** The latest of what arrived, taken or not. */
  received = "";
  private text = "";
  private waiting: Waiting | undefined;
  private ended = false;
  private readonly end: Promise<void>;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      this.chunks.push(chunk);
      this.text += chunk;
      this.received = (this.received + chunk).slice(-RECEIVED_KEPT);
      // Looking at all of a long line for every chunk of it would take the square of its length.
      if (this.text.length < LONG_LINE || chunk.includes("\n")) this.settle();
    });
    socket.on("error", () => this.finish());
    this.end = new Promise((resolve) => {
      socket.on("close", () => {
        this.finish();
        resolve();
      });
    });
  }

  /** Connects, from another loopback address if one is named, and takes the greeting. */
  static async open(
    port: number,
    authority: string,
    identity?: { certificate: string; privateKey: string },
    from?: string,
  ): Promise<Line> {
    const line = Line.connect(port, authority, identity, undefined, from);
    const greeting = await line.take(1);
    if (greeting !== "@") throw new Error(`greeted with ${greeting}`);
    return line;
  }

  /** Connects and takes nothing. */
  static connect(
    port: number,
    authority: string,
    identity?: { certificate: string; privateKey: string },
    version?: SecureVersion,
    from?: string,
  ): Line {
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca: authority,
      ...(from !== undefined && { localAddress: from }),
      ...(version !== undefined && { minVersion: version, maxVersion: version }),
      ...(identity !== undefined && { cert: identity.certificate, key: identity.privateKey }),
    });
    return new Line(socket);
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** Sends a line and gives the reply up to and with its prompt. */
  async ask(command: string): Promise<string> {
    this.send(`${command}\n`);
    return this.reply();
  }

  /** The next reply: up to a line feed and the prompt behind it. */
  reply(): Promise<string> {
    return this.until((text) => /^[^\n]*\n(?:@[^@:\n]+)?@/.exec(text)?.[0].length ?? 0);
  }

  /** The next line, without its line feed. */
  async line(): Promise<string> {
    return (await this.until((text) => text.indexOf("\n") + 1)).slice(0, -1);
  }

  take(length: number): Promise<string> {
    return this.until((text) => (text.length >= length ? length : 0));
  }

  /** Waits for the other side to hang up; gives what came before. */
  async closed(): Promise<string> {
    await this.end;
    return this.text;
  }

  /** Bytes received and not taken. */
  get rest(): string {
    return this.text;
  }

  close(): void {
    this.socket.destroy();
  }

  private until(matches: (text: string) => number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.waiting = { matches, resolve, reject };
      this.settle();
      if (this.ended) this.finish();
    });
  }

  private settle(): void {
    const length = this.waiting?.matches(this.text) ?? 0;
    if (length <= 0) return;
    const { waiting } = this;
    this.waiting = undefined;
    const taken = this.text.slice(0, length);
    this.text = this.text.slice(length);
    waiting?.resolve(taken);
  }

  private finish(): void {
    this.ended = true;
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reject(new Error(`hung up, after ${JSON.stringify(this.text.slice(0, 300))}`));
  }
}

export const bytes = (...values: number[]): Buffer => Buffer.from(values);
