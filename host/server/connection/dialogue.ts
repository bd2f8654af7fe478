// SPDX-License-Identifier: BSD-3-Clause
import type { Buffer } from "node:buffer";
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
import type { Reply } from "../verbs/verb.ts";
import { type Answer, lineParts, NO_ANSWER } from "./answer.ts";
import { CommandQueue } from "./commandQueue.ts";
import { Connection } from "./connection.ts";
import type { Inbound } from "./inbound.ts";
import { Intake } from "./intake.ts";
import { madeText, type Pieces, SLICE_BYTES, slicesOf, wholeText } from "./longReply.ts";

const OVERFLOW =
  "InboundBuffer overflow: server received request which exceeded the buffer size limit. Terminating the connection.";
const PAUSED = "Server is temporarily paused and should be available again shortly";

/** What is said over one inbound connection: a login, commands, answers strictly in their order (atProtocol, sessions). */
export class Dialogue implements Session {
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
  closed = false;
  private readonly connection: Connection;
  private readonly services: Services;
  private readonly inbound: Inbound<Dialogue>;
  private readonly commands: CommandQueue;
  private readonly intake: Intake;
  private relay: Session | undefined;
  private relayWaits = false;
  /** A reply of which the beginning is written. */
  private streams = false;
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(socket: TLSSocket, block: string, services: Services, inbound: Inbound<Dialogue>) {
    this.block = block;
    this.inbound = inbound;
    this.services = services;
    this.id = `_${services.newId()}`;
    this.remoteAddress = (socket.remoteAddress ?? "").replace(/^::ffff:(?=[\d.]+$)/, "");
    this.openedAt = services.now();
    this.commands = this.commandQueue();
    this.connection = this.newConnection(socket);
    this.intake = this.newIntake(socket);
    this.connection.write("@");
  }

  /** ms since the epoch of the last write, or of bytes that were passed on. */
  get lastWrite(): number {
    return this.connection.lastWrite;
  }

  peerCertificate(): PeerCertificate | undefined {
    const judgement = this.services.peerCertificates.judge(this.connection.socket);
    if ("certificate" in judgement) return judgement.certificate;
    this.services.log.info({ session: this.id, reason: judgement.reason }, "no peer certificate");
    return undefined;
  }

  closeAfter(delayMillis: number): void {
    const timer = setTimeout(() => this.close(), delayMillis);
    timer.unref();
    this.timers.add(timer);
  }

  push(line: Buffer): void {
    this.connection.push(line);
  }

  replay(lines: Iterable<Buffer>): void {
    this.connection.replay(lines);
  }

  send(bytes: string | Uint8Array): void {
    this.connection.write(bytes);
  }

  drained(): Promise<void> {
    return this.connection.drained();
  }

  relayTo(receiver: Session): void {
    this.relay = receiver;
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
    this.connection.depart(this.inbound.departures, last);
  }

  private newConnection(socket: TLSSocket): Connection {
    const who = (): ReturnType<typeof standing> => standing(this);
    const mayPush = (): boolean =>
      !(this.monitor?.multiplexed === true && this.commands.busy) && !this.streams;
    const speaker = {
      get standing() {
        return who();
      },
      get mayPush() {
        return mayPush();
      },
      received: (chunk: Buffer) => this.receive(chunk),
      flowed: () => {
        this.commands.go();
        this.intake.regulate();
      },
      ended: () => this.close(),
      failed: (error: Error) =>
        this.services.log.debug({ err: error, session: this.id }, "connection failed"),
      closed: () => {
        this.closed = true;
        for (const timer of this.timers) clearTimeout(timer);
        this.leave();
      },
      unread: (what: "answers" | "notifications") => this.unread(what),
    };
    return new Connection(socket, speaker, this.inbound.output, this.services.now);
  }

  private unread(what: "answers" | "notifications"): void {
    const level = standing(this) === "anonymous" ? "debug" : "warn";
    const who = what === "answers" ? "the other side" : "the monitor";
    this.services.log[level]({ session: this.id }, `${who} doesn't read, giving it up`);
  }

  private newIntake(socket: TLSSocket): Intake {
    const { block } = this;
    const who = (): ReturnType<typeof standing> => standing(this);
    const isClosed = (): boolean => this.closed;
    return new Intake(socket, this.commands, this.inbound, {
      block,
      get standing() {
        return who();
      },
      get closed() {
        return isClosed();
      },
      overflow: () => this.write([this.failure(new AtError("AT0005", OVERFLOW))]),
    });
  }

  private commandQueue(): CommandQueue {
    const mayStart = (): boolean => !this.closed && this.connection.isTaken;
    return new CommandQueue({
      get ready() {
        return mayStart();
      },
      run: (command, line, isFirst) => this.run(command, line, isFirst),
      failed: (error) => this.giveUp(error),
      answered: (answers, isIdle) => {
        if (answers.length > 0) this.write(answers);
        if (isIdle) this.intake.emptied();
      },
    });
  }

  private receive(chunk: Buffer): void {
    if (this.closed) return;
    if (this.relay !== undefined) this.passOn(chunk, this.relay);
    else this.intake.push(chunk);
  }

  /** Forgets the connection wherever it is known. */
  private leave(): void {
    const { services, inbound } = this;
    services.monitors.remove(this);
    services.streams.remove(this);
    inbound.remove(this);
    inbound.output.forget(this.connection.outputOf);
    this.intake.close();
  }

  /** Passes bytes of a stream on, and reads no faster than the receiver does. */
  private passOn(chunk: Buffer, receiver: Session): void {
    this.connection.lastWrite = this.services.now();
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

  private giveUp(error: unknown): void {
    this.services.log.error({ trace: traceOf(error), session: this.id }, "connection given up");
    this.connection.destroy();
  }

  /** Runs a line's command; undefined when it may not be run, which ends the connection once nothing else runs. */
  private run(command: string, line: string, isFirst: boolean): Promise<Answer> | undefined {
    if (this.mayRun(line)) return this.answerTo(command);
    if (isFirst) this.close();
    return undefined;
  }

  private mayRun(line: string): boolean {
    return line.trim() !== "@exit" && !this.inbound.isOverdue(this) && this.mayGoOn();
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

  private async answerTo(command: string): Promise<Answer> {
    try {
      if (this.services.pause.on) throw new AtError("AT0024", PAUSED);
      if (mayBeLong(command)) await this.inbound.longTurns.take(this.owner);
      const reply = await execute(command, this, this.services);
      if (standing(this) !== "anonymous") this.inbound.loggedIn(this);
      if ("pieces" in reply) return await this.streamPieces(reply);
      return isLong(reply) ? await this.streamLong(reply) : this.answer(reply);
    } catch (error) {
      return this.failure(error);
    }
  }

  private answer(reply: Exclude<Reply, Made>): Answer {
    if ("silent" in reply) return NO_ANSWER;
    if ("raw" in reply) return { parts: [reply.raw] };
    const parts = lineParts(`${startOf(reply)}${reply.data}`, this.prompt());
    return { parts, changed: reply.changed };
  }

  private failure(error: unknown): Answer {
    const known = error instanceof AtError ? error : this.unexpected(error);
    const text = formatError(known, { json: this.jsonErrors, owner: this.owner });
    const prompt = this.owner ? `${this.services.atSign}@` : "@";
    return { parts: lineParts(text, prompt), closes: known.closes };
  }

  private async streamPieces(reply: Made): Promise<Answer> {
    const { output } = this.inbound;
    const pieces = madeText(reply.pieces, output, this.connection.outputOf);
    const end = await this.stream(pieces, startOf(reply));
    return { ...end, changed: reply.changed?.() };
  }

  private async streamLong(reply: Payload): Promise<Answer> {
    const take = (): string => {
      const text = reply.data ?? "";
      reply.data = null;
      return text;
    };
    const text = wholeText(take, this.inbound.output, this.connection.outputOf);
    const end = await this.stream(text, startOf(reply));
    return { ...end, changed: reply.changed };
  }

  /** Writes a long payload as fast as the other side reads it, all but its end, which it gives. */
  private async stream(pieces: Pieces, start: string): Promise<Answer> {
    let last: string | undefined;
    try {
      for await (const slice of slicesOf(start, pieces)) {
        if (last !== undefined) {
          this.streams = true;
          this.connection.write(last);
          await this.connection.drained();
        }
        if (this.closed) break;
        last = slice;
      }
    } catch (error) {
      if (!this.streams) throw error;
      // What was sent can't be taken back.
      this.unexpected(error);
      this.connection.destroy();
    }
    return { parts: lineParts(last ?? "data:null", this.prompt()), endsStream: true };
  }

  /** Writes answers in their order; several leave in one go, a single one chooses its records itself. */
  private write(answers: readonly Answer[]): void {
    const writeAll = (): void => {
      for (const answer of answers) if (!this.closed) this.writeOne(answer);
    };
    try {
      if (answers.length > 1) this.connection.together(writeAll);
      else writeAll();
    } catch (error) {
      this.giveUp(error);
    }
    this.connection.flow();
    this.intake.regulate();
  }

  private writeOne({ parts, changed, closes, endsStream }: Answer): void {
    for (const part of parts) this.connection.write(part);
    if (endsStream) this.streams = false;
    if (changed !== undefined) {
      this.services.monitors.pushStats(changed.commitId, changed.operation);
    }
    if (closes) this.close();
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
}

type Made = Extract<Reply, { pieces: unknown }>;
type Payload = Extract<Reply, { data: string | null }>;

/** Whether a reply is longer than what is written at once. */
function isLong(reply: Exclude<Reply, Made>): reply is Payload {
  return "data" in reply && (reply.data?.length ?? 0) > SLICE_BYTES;
}

/** What stands before a payload. */
const startOf = ({ spaced }: Payload | Made): string => (spaced ? "data: " : "data:");
