// SPDX-License-Identifier: BSD-3-Clause
import type { Duplex } from "node:stream";
import { type Address, formatAddress } from "../net/address.ts";
import type { Transport } from "../net/findAtServer.ts";
import { AtError } from "../wire/errors.ts";
import { type Reply, ResponseReader } from "../wire/response.ts";

/** Where to connect, and who gets what arrives unasked. */
export type ConnectionOptions = {
  readonly address: Address;
  readonly transport: Transport;
  /** For the connection to open, and then for each reply, in ms. */
  readonly timeoutMillis: number;
  /** Gets the JSON text of each notification that a monitoring connection receives. */
  readonly onNotification?: (text: string) => void;
  /** Called at every arrival of bytes. */
  readonly onHeard?: () => void;
};

type Waiting = {
  readonly line: string;
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
};

/**
 * One connection to an atServer: a line out, a reply in, one at a time and in order. A time-out or
 * a reply that isn't understood closes it, since later replies could no longer be told apart.
 */
export class AtConnection {
  /** Settles, never rejects, when the connection is gone; with the reason if it wasn't `close()`. */
  readonly closed: Promise<AtError | undefined>;
  private readonly stream: Duplex;
  private readonly options: ConnectionOptions;
  private readonly reader = new ResponseReader();
  private readonly queue: Waiting[] = [];
  private timer: NodeJS.Timeout | undefined;
  private failure: AtError | undefined;
  private greeted = false;
  private markClosed: (reason: AtError | undefined) => void = () => undefined;
  private markGreeted: () => void = () => undefined;

  private constructor(stream: Duplex, options: ConnectionOptions) {
    this.stream = stream;
    this.options = options;
    this.closed = new Promise((resolve) => {
      this.markClosed = resolve;
    });
    stream.on("data", (chunk: Uint8Array) => this.receive(chunk));
    stream.on("error", (cause) =>
      this.end(new AtError("AT0021", `the connection to ${this.place} broke`, { cause })),
    );
    stream.on("close", () => this.end(this.hungUp()));
    stream.on("end", () => this.end(this.hungUp()));
  }

  /**
   * Opens the stream and waits for the server's `@`. Rejects with AT0021 when it can't be reached or is no atServer,
   * AT0023 when it is silent, or the error the server greets with.
   */
  static async open(options: ConnectionOptions): Promise<AtConnection> {
    const stream = await options.transport(options.address, options.timeoutMillis);
    const connection = new AtConnection(stream, options);
    const greeting = new Promise<void>((resolve) => {
      connection.markGreeted = resolve;
    });
    connection.startTimer("its greeting");
    const reason = await Promise.race([greeting, connection.closed]);
    if (!connection.greeted) throw reason ?? connection.hungUp();
    return connection;
  }

  get isOpen(): boolean {
    return this.failure === undefined;
  }

  /** Sends a command and resolves to the text after `data:`; rejects with the AtError of the reply. */
  request(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) {
        reject(this.failure);
      } else if (/[\r\n]/.test(line)) {
        reject(new AtError("AT0022", "a command can't contain a line end"));
      } else {
        this.queue.push({ line, resolve, reject });
        if (this.queue.length === 1) this.sendNext();
      }
    });
  }

  /** Sends a command that has no reply of its own (monitor). Throws AT0022 for a line end in it. */
  send(line: string): void {
    if (/[\r\n]/.test(line)) throw new AtError("AT0022", "a command can't contain a line end");
    this.stream.write(`${line}\n`);
  }

  /** Reads nothing more for now; the server has to wait. */
  pause(): void {
    this.stream.pause();
  }

  /** Reads on after pause. */
  resume(): void {
    this.stream.resume();
  }

  /** Hangs up; requests still waiting are rejected. */
  close(): void {
    this.end(undefined);
  }

  private get place(): string {
    return formatAddress(this.options.address);
  }

  private hungUp(): AtError {
    return new AtError("AT0021", `${this.place} closed the connection`);
  }

  private receive(chunk: Uint8Array): void {
    this.options.onHeard?.();
    const replies = this.reader.push(chunk);
    if (this.reader.greeted === false && !this.greeted) {
      this.end(new AtError("AT0021", `${this.place} is not an atServer`));
      return;
    }
    if (!this.greeted) {
      this.greeted = true;
      this.stopTimer();
      this.markGreeted();
    }
    for (const reply of replies) this.take(reply);
    if (this.reader.overflowed) {
      this.end(new AtError("AT0005", `${this.place} sent a reply that is too long`));
    }
  }

  private take(reply: Reply): void {
    if (reply.kind === "notification") {
      this.options.onNotification?.(reply.text);
      return;
    }
    if (reply.kind === "unknown") {
      this.end(new AtError("AT0021", `${this.place} sent something that is no reply`));
      return;
    }
    const waiting = this.queue.shift();
    if (waiting === undefined) {
      // A server says why it hangs up (AT0012, AT0013) without being asked.
      const unasked = new AtError("AT0021", `${this.place} sent a reply nobody asked for`);
      this.end(reply.kind === "error" ? reply.error : unasked);
      return;
    }
    this.stopTimer();
    if (reply.kind === "data") waiting.resolve(reply.text);
    else waiting.reject(reply.error);
    this.sendNext();
  }

  private sendNext(): void {
    const next = this.queue[0];
    if (next === undefined || this.failure !== undefined) return;
    this.startTimer(`the reply to ${next.line.split(":", 1)[0]}`);
    this.stream.write(`${next.line}\n`);
  }

  private startTimer(awaited: string): void {
    const { timeoutMillis } = this.options;
    this.timer = setTimeout(() => {
      const message = `no answer within ${timeoutMillis} ms from ${this.place}: ${awaited}`;
      this.end(new AtError("AT0023", message));
    }, timeoutMillis);
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private end(reason: AtError | undefined): void {
    if (this.failure !== undefined) return;
    this.failure = reason ?? new AtError("AT0021", `the connection to ${this.place} is closed`);
    this.stopTimer();
    this.stream.destroy();
    for (const waiting of this.queue.splice(0)) waiting.reject(this.failure);
    this.markClosed(reason);
  }
}
