// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import type { TLSSocket } from "node:tls";
import type { Departures } from "../../net/departures.ts";
import { MAX_RECORD_BYTES } from "./answer.ts";
import type { OutputBudget, OutputHolder } from "./outputBudget.ts";
import { PushQueue } from "./pushQueue.ts";

/** Silence after which the operating system asks whether the other side is still there. */
const KEEP_ALIVE_MILLIS = 60_000;
/** Memory that an unread byte costs: itself and its encrypted copy. */
const COPIES = 2;

/** Who speaks over a connection. */
export interface Speaker {
  readonly standing: OutputHolder["standing"];
  /** Whether a line for a monitor may be begun now: no request is in its way. */
  readonly mayPush: boolean;
  received(chunk: Buffer): void;
  /** The other side has taken what was written: more may be. */
  flowed(): void;
  /** The other side sends no more. */
  ended(): void;
  failed(error: Error): void;
  /** The socket is gone. */
  closed(): void;
  /** The other side doesn't read; the socket is destroyed behind this. */
  unread(what: "answers" | "notifications"): void;
}

/** One inbound socket: bytes in, bytes out, no faster than the other side reads (atProtocol, transport and framing). */
export class Connection {
  /** ms since the epoch of the last write. */
  lastWrite: number;
  readonly socket: TLSSocket;
  private readonly speaker: Speaker;
  private readonly output: OutputBudget;
  private readonly now: () => number;
  private readonly pushes: PushQueue;
  private readonly holder: OutputHolder;
  private corked = false;

  constructor(socket: TLSSocket, speaker: Speaker, output: OutputBudget, now: () => number) {
    this.socket = socket;
    this.speaker = speaker;
    this.output = output;
    this.now = now;
    this.lastWrite = now();
    this.holder = this.outputHolder();
    this.pushes = this.pushQueue();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MILLIS);
    socket.setMaxSendFragment(MAX_RECORD_BYTES);
    socket.on("data", (chunk) => speaker.received(chunk));
    socket.on("drain", () => {
      this.weigh();
      this.pushes.flow();
      speaker.flowed();
    });
    socket.on("end", () => speaker.ended());
    socket.on("error", (error) => speaker.failed(error));
    socket.on("close", () => {
      this.pushes.clear();
      speaker.closed();
    });
  }

  /** Who answers for what the other side hasn't taken, in the budget of output. */
  get outputOf(): OutputHolder {
    return this.holder;
  }

  /** Whether the other side has taken what was written, whole lines for monitors too. */
  get isTaken(): boolean {
    return !this.socket.writableNeedDrain && !this.pushes.inLine;
  }

  /** Writes bytes, after a monitor's line that is half written. */
  write(bytes: string | Uint8Array): void {
    if (this.pushes.inLine) this.pushes.follow(Buffer.from(bytes));
    else this.writeNow(bytes);
  }

  /** What is written meanwhile leaves in one go. */
  together(write: () => void): void {
    this.socket.cork();
    write();
    this.socket.uncork();
  }

  /** Writes a line for a monitor when it is its turn. What is pushed in one turn of the loop leaves together. */
  push(line: Buffer): void {
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      process.nextTick(() => {
        this.corked = false;
        this.socket.uncork();
      });
    }
    this.pushes.push(line);
  }

  /** Writes lines for a monitor as fast as they are read, before any pushed later. */
  replay(lines: Iterable<Buffer>): void {
    this.pushes.replay(lines);
  }

  /** Goes on with what is pushed. */
  flow(): void {
    this.pushes.flow();
  }

  /** Resolves once the other side has taken what was written, or the socket is gone. */
  drained(): Promise<void> {
    const isOver = (): boolean => this.isTaken || this.socket.destroyed;
    if (isOver()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isOver()) return;
        this.socket.off("drain", look);
        this.socket.off("close", look);
        resolve();
      };
      this.socket.on("drain", look);
      this.socket.on("close", look);
    });
  }

  /** Hangs up, after a last line if there is one. */
  depart(departures: Departures, last?: string): void {
    departures.add(this.socket, last);
  }

  /** Hangs up at once. */
  destroy(): void {
    this.socket.destroy();
  }

  private pushQueue(): PushQueue {
    const { socket, speaker } = this;
    const isTaken = (): boolean => !socket.writableNeedDrain && !socket.destroyed;
    const target = {
      get ready() {
        return speaker.mayPush && isTaken();
      },
      get taken() {
        return isTaken();
      },
      write: (bytes: Buffer) => this.writeNow(bytes),
      overflow: () => {
        speaker.unread("notifications");
        socket.destroy();
      },
    };
    return new PushQueue(target, this.output, this.holder);
  }

  private outputHolder(): OutputHolder {
    const { speaker } = this;
    return {
      get standing() {
        return speaker.standing;
      },
      giveUp: () => {
        speaker.unread("answers");
        this.pushes.clear();
        this.socket.destroy();
      },
    };
  }

  private writeNow(text: string | Uint8Array): void {
    if (this.socket.destroyed || this.socket.writableEnded) return;
    this.lastWrite = this.now();
    // The socket frees its copy of a text once it is written, a buffer waits for the garbage collector.
    if (typeof text === "string") this.socket.write(text, isAscii(text) ? "latin1" : "utf8");
    else this.socket.write(text);
    this.weigh();
  }

  /** Reports the bytes that the other side hasn't read to the budget of output. */
  private weigh(): void {
    const { writableLength, writableNeedDrain, destroyed } = this.socket;
    const waits = writableNeedDrain && !destroyed;
    this.output.set(this.holder, waits ? writableLength * COPIES : 0);
  }
}

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;
