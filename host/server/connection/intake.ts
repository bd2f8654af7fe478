// SPDX-License-Identifier: BSD-3-Clause
import type { TLSSocket } from "node:tls";
import { LineReader, MAX_LINE_BYTES } from "../../wire/line.ts";
import type { CommandQueue } from "./commandQueue.ts";
import type { LineBudget, LineHolder } from "./lineBudget.ts";
import {
  isEnrollRequest,
  type LongRequests,
  MAX_ANONYMOUS_LINE_BYTES,
  MAX_ENROLL_REQUEST_BYTES,
} from "./longRequests.ts";

/** Lines taken from the socket but not answered yet, above which it isn't read from. */
const MAX_PENDING_LINES = 64;
/** Characters of them, likewise. */
const MAX_PENDING_CHARACTERS = 65_536;

/** What the connections of an atServer share. */
export interface SharedIntake {
  readonly budget: LineBudget;
  readonly longRequests: LongRequests;
}

/** The connection whose bytes these are. */
export interface IntakeTarget {
  /** Whose rights the connection has now; may change with every command. */
  readonly standing: LineHolder["standing"];
  /** What its address counts as for limits. */
  readonly block: string;
  readonly closed: boolean;
  /** Called when a line is longer than allowed and everything before it is answered. */
  overflow(): void;
}

/**
 * The bytes of one connection on their way to its commands: cut into lines, as long as whoever is logged in may send them,
 * and read no faster than they are answered.
 */
export class Intake {
  private readonly socket: TLSSocket;
  private readonly commands: CommandQueue;
  private readonly shared: SharedIntake;
  private readonly target: IntakeTarget;
  private readonly reader: LineReader;
  private readonly holder: LineHolder;
  /** The budget of unfinished lines is spent, and it isn't this one's turn. */
  private outOfBudget = false;
  private held = false;

  constructor(
    socket: TLSSocket,
    commands: CommandQueue,
    shared: SharedIntake,
    target: IntakeTarget,
  ) {
    this.socket = socket;
    this.commands = commands;
    this.shared = shared;
    this.target = target;
    this.reader = new LineReader(MAX_ANONYMOUS_LINE_BYTES, (start) => this.limitOf(start));
    this.holder = this.lineHolder();
  }

  push(chunk: Uint8Array): void {
    this.commands.push(this.reader.push(chunk));
    this.regulate();
  }

  /** Called when every complete line is answered. */
  emptied(): void {
    if (this.target.closed) return;
    if (this.reader.stalled) {
      this.commands.push(this.reader.again());
      this.regulate();
    } else if (this.reader.overflowed) this.target.overflow();
    else if (this.reader.pending === 0) this.endLongRequest();
  }

  /** Reads nothing until it is called with false. */
  hold(held: boolean): void {
    this.held = held;
    this.readOrWait();
  }

  /** Reports the bytes held, and resumes reading when they are few enough. */
  regulate(): void {
    if (this.target.closed) return;
    const { allocated } = this.reader;
    this.shared.budget.set(this.holder, allocated + this.commands.characters);
    this.readOrWait();
  }

  /** Drops everything: the connection is over. */
  close(): void {
    this.endLongRequest();
    this.drop();
    this.shared.budget.set(this.holder, 0);
  }

  /** The limit of a line that is longer than anybody's; undefined while what came before it may be a login. */
  private limitOf(start: Uint8Array): number | undefined {
    if (this.target.standing !== "anonymous") return MAX_LINE_BYTES;
    if (this.commands.busy || this.commands.length > 0) return undefined;
    const { longRequests } = this.shared;
    const mayBeLong = isEnrollRequest(start) && longRequests.claim(this.target.block, this);
    return mayBeLong ? MAX_ENROLL_REQUEST_BYTES : MAX_ANONYMOUS_LINE_BYTES;
  }

  private endLongRequest(): void {
    this.shared.longRequests.release(this.target.block, this);
  }

  private drop(): void {
    this.reader.abandon();
    this.commands.drop();
  }

  private lineHolder(): LineHolder {
    const { target } = this;
    return {
      get standing() {
        return target.standing;
      },
      hold: (stopped) => {
        this.outOfBudget = stopped;
        this.readOrWait();
      },
      surrender: () => {
        this.drop();
        this.readOrWait();
        this.commands.go();
      },
    };
  }

  private readOrWait(): void {
    if (this.target.closed) return;
    const { commands, reader, socket } = this;
    const full =
      commands.length > MAX_PENDING_LINES || commands.characters > MAX_PENDING_CHARACTERS;
    const waits = this.held || this.outOfBudget || full || reader.stalled || reader.overflowed;
    if (waits && !socket.isPaused()) socket.pause();
    else if (!waits && socket.isPaused()) socket.resume();
  }
}
