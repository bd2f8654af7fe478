// SPDX-License-Identifier: BSD-3-Clause
import { setTimeout as delay } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { Logger } from "pino";
import { AtError } from "../wire/errors.ts";
import { LineReader } from "../wire/line.ts";
import { traceOf } from "../wire/trace.ts";
import type { DirectoryCounters } from "./counters.ts";
import {
  type DirectoryEntry,
  type DirectoryStore,
  DirectoryStoreAway,
  formatEntry,
} from "./directoryStore.ts";
import type { SlowReaders } from "./slowReaders.ts";

/** Most bytes of one request, LF included. */
export const MAX_REQUEST_BYTES = 255;
/** Pause before the answer to the second miss of a connection, ms; the third is answered by hanging up. */
export const MISS_DELAY_MILLIS = 3_000;
const MAX_MISSES = 3;
const KEEP_ALIVE_MILLIS = 60_000;
/** Requests taken from a connection but not answered yet, above which it isn't read from. */
const MAX_WAITING = 64;
/** Bytes that are cut into requests at once: they may be as many as there are bytes. */
const CUT_BYTES = 1_024;

/** What the connections of one atDirectory share. */
export interface LookupContext {
  readonly store: DirectoryStore;
  readonly log: Logger;
  readonly counters: DirectoryCounters;
  readonly missDelayMillis?: number | undefined;
  /** Waits for `millis` ms; rejects with AbortError when the signal comes first. */
  readonly pause?: ((millis: number, signal: AbortSignal) => Promise<void>) | undefined;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly slowReaders: SlowReaders;
  /** Ends a connection without losing its last answer. */
  readonly end: (socket: TLSSocket) => void;
}

const defaultPause = (millis: number, signal: AbortSignal): Promise<void> =>
  delay(millis, undefined, { signal });

function find(
  name: string,
  store: DirectoryStore,
): DirectoryEntry | undefined | Promise<DirectoryEntry | undefined> {
  const ignore = (error: unknown): undefined => {
    // Text that can't be an atSign is in no directory.
    if (!(error instanceof AtError)) throw error;
  };
  try {
    const found = store.get(name);
    return found instanceof Promise ? found.catch(ignore) : found;
  } catch (error) {
    return ignore(error);
  }
}

/** Answers the requests of one connection in order (atProtocol, atDirectory). */
export class Lookups {
  /** What its address counts as for limits (`addressBlock`). */
  readonly block: string;
  /** ms since the epoch of the last answer; counts as idle since then. */
  lastAnswer: number;
  private readonly socket: TLSSocket;
  private readonly context: LookupContext;
  private readonly end = new AbortController();
  private readonly reader = new LineReader(MAX_REQUEST_BYTES);
  private readonly waiting: string[] = [];
  /** What came and isn't cut into requests yet. */
  private uncut: Buffer[] = [];
  private running = false;
  private misses = 0;
  private tail = "";

  constructor(socket: TLSSocket, block: string, context: LookupContext) {
    this.socket = socket;
    this.block = block;
    this.context = context;
    this.lastAnswer = context.now();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MILLIS);
    socket.on("data", (chunk) => this.receive(chunk));
    socket.on("error", (error) => context.log.debug({ err: error }, "connection failed"));
    socket.on("close", () => this.end.abort());
    socket.write("@");
  }

  /** Aborted when the connection ends. */
  get ended(): AbortSignal {
    return this.end.signal;
  }

  /** Hangs up. */
  close(): void {
    this.end.abort();
    this.context.end(this.socket);
  }

  /** Ends the connection at once. */
  giveUp(): void {
    this.end.abort();
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    if (this.end.signal.aborted) return;
    this.uncut.push(chunk);
    this.cut();
    if (this.running) return;
    this.running = true;
    this.work().catch((error: unknown) => this.fail(error));
  }

  /** Cuts off as many requests as may wait; reads on when nothing else is left. */
  private cut(): void {
    while (this.waiting.length <= MAX_WAITING && !this.end.signal.aborted) {
      const chunk = this.uncut.shift();
      if (chunk === undefined) {
        this.socket.resume();
        return;
      }
      if (chunk.length > CUT_BYTES) this.uncut.unshift(chunk.subarray(CUT_BYTES));
      this.take(chunk.subarray(0, CUT_BYTES));
    }
    this.socket.pause();
  }

  private take(bytes: Buffer): void {
    for (const line of this.reader.push(bytes)) {
      if (line === null) this.socket.destroy();
      else this.waiting.push(line.trim());
    }
    if (this.reader.overflowed) this.socket.destroy();
    if (this.uncut.length > 0) return;
    // A client may leave without a line feed.
    this.tail = (this.tail + bytes.toString("latin1")).slice(-"@exit".length);
    if (this.tail === "@exit" && this.reader.pending === this.tail.length) this.close();
  }

  private fail(error: unknown): void {
    const { counters, log } = this.context;
    counters.failed += 1;
    // "null" would say that nobody has this name; hung up on, the client tries again.
    if (error instanceof DirectoryStoreAway) log.debug(error.message);
    else log.error({ trace: traceOf(error) }, "lookup failed");
    this.socket.destroy();
  }

  private async work(): Promise<void> {
    for (;;) {
      const name = this.waiting.shift();
      if (name === undefined || this.socket.destroyed) break;
      if (name === "@exit") {
        this.close();
        break;
      }
      await this.answer(name);
      await this.drained();
      this.cut();
    }
    this.running = false;
  }

  private async answer(name: string): Promise<void> {
    const found = find(name, this.context.store);
    const entry = found instanceof Promise ? await found : found;
    if (entry !== undefined) this.context.counters.found += 1;
    else if (name !== "" && !(await this.miss())) return;
    if (!this.socket.writable) return;
    this.lastAnswer = this.context.now();
    this.socket.write(`${entry === undefined ? "null" : formatEntry(entry)}\r\n@`);
  }

  /** Counts a miss and waits as long as it costs; false when it gets no answer. An empty line is no miss. */
  private async miss(): Promise<boolean> {
    this.context.counters.missing += 1;
    this.misses += 1;
    if (this.misses > 1 && !(await this.pause())) return false;
    if (this.misses < MAX_MISSES) return true;
    this.socket.destroy();
    return false;
  }

  /** Waits until a client that doesn't read has taken what was written. */
  private async drained(): Promise<void> {
    if (!this.socket.writableNeedDrain || this.socket.destroyed) return;
    this.context.slowReaders.add(this);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.socket.off("drain", done);
        this.socket.off("close", done);
        resolve();
      };
      this.socket.on("drain", done);
      this.socket.on("close", done);
    });
    this.context.slowReaders.remove(this);
  }

  /** False when the connection ended meanwhile. */
  private async pause(): Promise<boolean> {
    const { missDelayMillis = MISS_DELAY_MILLIS, pause = defaultPause } = this.context;
    try {
      await pause(missDelayMillis, this.end.signal);
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === "AbortError") return false;
      throw error;
    }
  }
}
