// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { StoreError } from "../../store/store.ts";
import { AtError, formatError } from "../../wire/errors.ts";
import { traceOf } from "../../wire/trace.ts";
import {
  type LoginChallenge,
  type MonitorFilter,
  type Session,
  standing,
} from "../access/session.ts";
import { execute, mayBeLong } from "../verbs/index.ts";
import type { Services } from "../verbs/services.ts";
import type { Changed, Reply } from "../verbs/verb.ts";
import { CommandQueue, type CommandTarget, type WriteReply } from "./commandQueue.ts";
import type { Inbound } from "./inbound.ts";
import { Intake } from "./intake.ts";
import { madeText, type Pieces, SLICE_BYTES, slicesOf, wholeText } from "./longReply.ts";
import type { OutputHolder } from "./outputBudget.ts";
import { PushQueue, type PushTarget } from "./pushQueue.ts";

/** Silence after which the operating system asks whether the other side is still there. */
const KEEP_ALIVE_MILLIS = 60_000;
/**
 * Largest TLS record sent: what a device with a 4 kB receive buffer can take. It costs 22 bytes (TLS 1.3) for every 4 096
 * instead of every 16 384.
 */
const MAX_RECORD_BYTES = 4_096;

const OVERFLOW =
  "InboundBuffer overflow: server received request which exceeded the buffer size limit. Terminating the connection.";

/** Memory that an unread byte costs: itself and its encrypted copy. */
const COPIES = 2;

const PAUSED = "Server is temporarily paused and should be available again shortly";

/** One inbound socket: lines in, replies out, strictly in order (atProtocol, transport and framing). */
export class Connection implements Session {
  readonly id: string;
  readonly remoteAddress: string;
  /** What its address counts as for limits (`addressBlock`). */
  readonly block: string;
  readonly openedAt: number;
  fromAtSign?: string;
  challenge?: LoginChallenge;
  owner = false;
  authType?: "cram" | "pkam" | "apkam";
  enrollmentId?: string;
  peer?: string;
  jsonErrors = false;
  enrollRequests: number[] = [];
  monitor?: MonitorFilter;
  /** ms since the epoch of the last write; counts as idle since then. */
  lastWrite: number;
  closed = false;
  private readonly socket: TLSSocket;
  private readonly services: Services;
  private readonly inbound: Inbound<Connection>;
  private readonly commands: CommandQueue;
  private readonly intake: Intake;
  private readonly pushes: PushQueue;
  private readonly output: OutputHolder;
  private corked = false;
  private relay: Session | undefined;
  private relayWaits = false;
  /** A reply of which the beginning is written. */
  private streams = false;
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(socket: TLSSocket, block: string, services: Services, inbound: Inbound<Connection>) {
    this.socket = socket;
    this.block = block;
    this.inbound = inbound;
    this.services = services;
    this.id = `_${services.newId()}`;
    this.remoteAddress = (socket.remoteAddress ?? "").replace(/^::ffff:(?=[\d.]+$)/, "");
    this.openedAt = services.now();
    this.lastWrite = this.openedAt;
    this.commands = new CommandQueue(this.commandTarget());
    this.output = this.outputHolder();
    this.pushes = new PushQueue(this.pushTarget(), inbound.output, this.output);
    this.intake = this.newIntake();
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MILLIS);
    socket.setMaxSendFragment(MAX_RECORD_BYTES);
    socket.on("data", (chunk) => this.receive(chunk));
    socket.on("drain", () => {
      this.weigh();
      this.pushes.flow();
      this.commands.go();
      this.intake.regulate();
    });
    socket.on("end", () => this.close());
    socket.on("error", (error) => {
      services.log.debug({ err: error, session: this.id }, "connection failed");
    });
    socket.on("close", () => {
      this.closed = true;
      for (const timer of this.timers) clearTimeout(timer);
      this.pushes.clear();
      this.leave();
    });
    this.write("@");
  }

  peerCertificate(): PeerCertificate | undefined {
    const judgement = this.services.peerCertificates.judge(this.socket);
    if ("certificate" in judgement) return judgement.certificate;
    this.services.log.info({ session: this.id, reason: judgement.reason }, "no peer certificate");
    return undefined;
  }

  closeAfter(delayMillis: number): void {
    const timer = setTimeout(() => this.close(), delayMillis);
    timer.unref();
    this.timers.add(timer);
  }

  /** What is pushed in one turn leaves together. */
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

  replay(lines: Iterable<Buffer>): void {
    this.pushes.replay(lines);
  }

  /** Resolves once no command runs. */
  settled(): Promise<void> {
    return this.commands.settled();
  }

  /** Takes no further command, and closes when what runs is answered. */
  async drain(): Promise<void> {
    this.intake.hold(true);
    this.commands.drop();
    await this.settled();
    this.close();
  }

  /** Hangs up, after a last line if there is one. */
  close(last?: string): void {
    if (this.closed) return;
    this.closed = true;
    this.leave();
    this.inbound.departures.add(this.socket, last);
  }

  send(bytes: string | Uint8Array): void {
    this.write(bytes);
  }

  relayTo(receiver: Session): void {
    this.relay = receiver;
  }

  private receive(chunk: Buffer): void {
    if (this.closed) return;
    if (this.relay !== undefined) {
      this.passOn(chunk, this.relay);
      return;
    }
    this.intake.push(chunk);
  }

  /** Forgets the connection wherever it is known. */
  private leave(): void {
    const { services, inbound } = this;
    services.monitors.remove(this);
    services.streams.remove(this);
    inbound.remove(this);
    inbound.output.forget(this.output);
    this.intake.close();
  }

  private newIntake(): Intake {
    const { block } = this;
    const who = (): ReturnType<typeof standing> => standing(this);
    const isClosed = (): boolean => this.closed;
    return new Intake(this.socket, this.commands, this.inbound, {
      block,
      get standing() {
        return who();
      },
      get closed() {
        return isClosed();
      },
      overflow: () => this.fail(new AtError("AT0005", OVERFLOW)),
    });
  }

  /** Passes bytes of a stream on, and reads no faster than the receiver does. */
  private passOn(chunk: Buffer, receiver: Session): void {
    this.lastWrite = this.services.now();
    receiver.send(chunk);
    if (this.relayWaits) return;
    this.relayWaits = true;
    this.intake.hold(true);
    receiver.drained().then(
      () => {
        this.relayWaits = false;
        this.intake.hold(false);
      },
      (error: unknown) => this.giveUp(error),
    );
  }

  private commandTarget(): CommandTarget {
    const mayStart = (): boolean =>
      !this.closed && !this.socket.writableNeedDrain && !this.pushes.inLine;
    return {
      get ready() {
        return mayStart();
      },
      mayRun: (line) => this.mayRun(line),
      start: (command) => this.start(command),
      reply: (replies) => this.writeReplies(replies),
      refuse: () => this.close(),
      emptied: () => this.intake.emptied(),
    };
  }

  private pushTarget(): PushTarget {
    const isTaken = (): boolean => !this.socket.writableNeedDrain && !this.socket.destroyed;
    const mayBegin = (): boolean =>
      !(this.monitor?.multiplexed === true && this.commands.busy) && !this.streams && isTaken();
    return {
      get ready() {
        return mayBegin();
      },
      get taken() {
        return isTaken();
      },
      write: (bytes) => this.writeNow(bytes),
      overflow: () => {
        this.services.log.warn({ session: this.id }, "the monitor doesn't read, giving it up");
        this.socket.destroy();
      },
    };
  }

  private outputHolder(): OutputHolder {
    const who = (): ReturnType<typeof standing> => standing(this);
    return {
      get standing() {
        return who();
      },
      giveUp: () => {
        const level = standing(this) === "anonymous" ? "debug" : "warn";
        this.services.log[level]({ session: this.id }, "the other side doesn't read, giving it up");
        this.pushes.clear();
        this.socket.destroy();
      },
    };
  }

  private writeReplies(replies: readonly WriteReply[]): void {
    try {
      // Several replies leave in one write; a single one chooses its records itself.
      if (replies.length > 1) this.socket.cork();
      for (const reply of replies) if (!this.closed) reply();
      if (replies.length > 1) this.socket.uncork();
    } catch (error) {
      this.giveUp(error);
    }
    this.pushes.flow();
    this.intake.regulate();
  }

  private giveUp(error: unknown): void {
    this.services.log.error({ trace: traceOf(error), session: this.id }, "connection given up");
    this.socket.destroy();
  }

  private mayRun(line: string): boolean {
    return line.trim() !== "@exit" && !this.inbound.isOverdue(this) && this.mayGoOn();
  }

  /** Runs a command; resolves to what writes its reply. */
  private async start(command: string): Promise<WriteReply> {
    try {
      if (this.services.pause.on) throw new AtError("AT0024", PAUSED);
      if (mayBeLong(command)) await this.inbound.longTurns.take(this.owner);
      const reply = await execute(command, this, this.services);
      if (standing(this) !== "anonymous") this.inbound.loggedIn(this);
      if ("pieces" in reply) return await this.streamPieces(reply);
      return isLong(reply) ? await this.streamLong(reply) : () => this.reply(reply);
    } catch (error) {
      return () => this.fail(error);
    }
  }

  private async streamPieces(reply: Made): Promise<WriteReply> {
    const { output } = this.inbound;
    const write = await this.stream(madeText(reply.pieces, output, this.output), startOf(reply));
    return () => {
      write();
      this.tellChanged(reply.changed?.());
    };
  }

  private async streamLong(reply: Payload): Promise<WriteReply> {
    const take = (): string => {
      const text = reply.data ?? "";
      reply.data = null;
      return text;
    };
    const text = wholeText(take, this.inbound.output, this.output);
    const write = await this.stream(text, startOf(reply));
    return () => {
      write();
      this.tellChanged(reply.changed);
    };
  }

  /** Writes a long payload as fast as the other side reads it, all but its end; gives what writes that. */
  private async stream(pieces: Pieces, start: string): Promise<WriteReply> {
    let last: string | undefined;
    try {
      for await (const slice of slicesOf(start, pieces)) {
        if (last !== undefined) {
          this.streams = true;
          this.write(last);
          await this.drained();
        }
        if (this.closed) break;
        last = slice;
      }
    } catch (error) {
      if (!this.streams) throw error;
      // What was sent can't be taken back.
      this.unexpected(error);
      this.socket.destroy();
    }
    return () => {
      this.writeReply(last ?? "data:null", this.prompt());
      this.streams = false;
    };
  }

  /** An enrollment that expired or vanished ends the connection that is logged in with it. */
  private mayGoOn(): boolean {
    if (this.authType !== "apkam" || this.enrollmentId === undefined) return true;
    const found = this.services.enrollments.get(this.enrollmentId);
    return found !== undefined && found.state === "approved" ? true : this.isRevokedSelf();
  }

  /** A client that revoked its own enrollment keeps the connection for the seconds the protocol grants. */
  private isRevokedSelf(): boolean {
    return this.timers.size > 0;
  }

  private reply(reply: Exclude<Reply, Made>): void {
    if ("silent" in reply) return;
    if ("raw" in reply) {
      this.write(reply.raw);
      return;
    }
    this.writeReply(`${startOf(reply)}${reply.data}`, this.prompt());
    this.tellChanged(reply.changed);
  }

  private tellChanged(changed: Changed | undefined): void {
    if (changed !== undefined) {
      this.services.monitors.pushStats(changed.commitId, changed.operation);
    }
  }

  private fail(error: unknown): void {
    const known = error instanceof AtError ? error : this.unexpected(error);
    const text = formatError(known, { json: this.jsonErrors, owner: this.owner });
    this.writeReply(text, this.owner ? `${this.services.atSign}@` : "@");
    if (known.closes) this.close();
  }

  private unexpected(cause: unknown): AtError {
    this.services.log.error({ trace: traceOf(cause), session: this.id }, "unexpected error");
    const text =
      cause instanceof StoreError ? "The store can't be written" : "Internal server error";
    return new AtError("AT0010", text, { cause });
  }

  private prompt(): string {
    switch (standing(this)) {
      case "owner":
        return `${this.services.atSign}@`;
      case "peer":
        return `${this.peer}@`;
      case "anonymous":
        return "@";
    }
  }

  /**
   * Clients take a line feed as the end of what they read and expect the prompt in the same TLS record; a reply whose
   * prompt would begin a record of its own is written in two parts instead.
   */
  private writeReply(text: string, prompt: string): void {
    const bytes = Buffer.from(`${text}\n${prompt}`, "utf8");
    const lineFeed = bytes.length - Buffer.byteLength(prompt) - 1;
    const record = (index: number): number => Math.floor(index / MAX_RECORD_BYTES);
    if (record(lineFeed) === record(bytes.length - 1)) {
      this.write(bytes);
      return;
    }
    this.write(bytes.subarray(0, lineFeed - 1));
    this.write(bytes.subarray(lineFeed - 1));
  }

  /** Output that arises while a monitor's line is half written is written after it. */
  private write(text: string | Uint8Array): void {
    if (this.pushes.inLine) this.pushes.follow(Buffer.from(text));
    else this.writeNow(text);
  }

  private writeNow(text: string | Uint8Array): void {
    if (this.socket.destroyed || this.socket.writableEnded) return;
    this.lastWrite = this.services.now();
    // The socket frees its copy of a text once it is written, a buffer waits for the garbage collector.
    if (typeof text === "string") this.socket.write(text, isAscii(text) ? "latin1" : "utf8");
    else this.socket.write(text);
    this.weigh();
  }

  /** Reports the bytes that the other side hasn't read to the budget of output. */
  private weigh(): void {
    const { writableLength, writableNeedDrain, destroyed } = this.socket;
    const waits = writableNeedDrain && !destroyed;
    this.inbound.output.set(this.output, waits ? writableLength * COPIES : 0);
  }

  /** Waits until a slow reader has taken what was written before its next command is run. */
  drained(): Promise<void> {
    const isOver = (): boolean =>
      (!this.socket.writableNeedDrain && !this.pushes.inLine) || this.socket.destroyed;
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
}

type Made = Extract<Reply, { pieces: unknown }>;
type Payload = Extract<Reply, { data: string | null }>;

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;

/** Whether a reply is longer than what is written at once. */
function isLong(reply: Exclude<Reply, Made>): reply is Payload {
  return "data" in reply && (reply.data?.length ?? 0) > SLICE_BYTES;
}

/** What stands before a payload. */
const startOf = ({ spaced }: Payload | Made): string => (spaced ? "data: " : "data:");
