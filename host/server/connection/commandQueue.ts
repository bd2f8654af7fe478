// SPDX-License-Identifier: BSD-3-Clause
import { normalizeCommand } from "../../wire/command.ts";
import { mayOverlap } from "../verbs/index.ts";

/** Commands of one connection that run at the same time. */
const MAX_OVERLAPPING = 64;
/** Characters of a command that others may run beside; a longer one runs alone. */
const MAX_OVERLAPPING_LENGTH = 65_536;

/** What a line takes beside its characters: an empty one costs memory too. */
const LINE_OVERHEAD = 16;

/** Characters a line counts as while it waits. */
const weightOf = (line: string | null): number => (line?.length ?? 0) + LINE_OVERHEAD;

/** Writes the reply of a command. */
export type WriteReply = () => void;

/** The connection that the commands come from. */
export interface CommandTarget {
  /** Whether a command may start now: the connection is open and its replies are being read. */
  readonly ready: boolean;
  /** Whether the line may still be run; asked when it is its turn. */
  mayRun(line: string): boolean;
  /** Runs a normalised command. When it rejects, what writes the reply throws. */
  start(command: string): Promise<WriteReply>;
  /** Writes replies, those of one turn together. */
  reply(replies: readonly WriteReply[]): void;
  /** Called for a line that may not be run. */
  refuse(): void;
  /** Called when every line taken so far is answered. */
  emptied(): void;
}

interface Running {
  reply?: WriteReply;
}

/**
 * The lines of one connection. Their replies keep the lines' order; commands that need not wait for each other run at the
 * same time, so that their writes reach the disk with one flush.
 */
export class CommandQueue {
  private readonly target: CommandTarget;
  private lines: (string | null)[] = [];
  private held = 0;
  private readonly running: Running[] = [];
  /** A command runs that no other may run beside. */
  private alone = false;
  private replying = false;
  private waiting: (() => void)[] = [];

  constructor(target: CommandTarget) {
    this.target = target;
  }

  /** Lines that were not started yet. */
  get length(): number {
    return this.lines.length;
  }

  /** Characters of them, and what each costs beside them. */
  get characters(): number {
    return this.held;
  }

  /** Whether a command runs. */
  get busy(): boolean {
    return this.running.length > 0;
  }

  push(lines: readonly (string | null)[]): void {
    for (const line of lines) {
      this.lines.push(line);
      this.held += weightOf(line);
    }
    this.go();
  }

  /** Drops the lines that were not started yet. */
  drop(): void {
    this.lines = [];
    this.held = 0;
  }

  /** Resolves when no command runs. */
  settled(): Promise<void> {
    if (!this.busy) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiting.push(resolve);
    });
  }

  /** Starts what may be started. */
  go(): void {
    while (this.target.ready) {
      const line = this.lines[0];
      if (line === undefined) break;
      if (line !== null && !this.take(line)) return;
      // Its command may have closed the connection, and with it dropped all lines.
      const done = this.lines.shift();
      if (done !== undefined) this.held -= weightOf(done);
    }
    if (this.lines.length === 0 && !this.busy) this.target.emptied();
  }

  /** Starts a line's command; false when it has to wait. */
  private take(line: string): boolean {
    const command = normalizeCommand(line);
    const overlaps = command.length <= MAX_OVERLAPPING_LENGTH && mayOverlap(command);
    const full = this.running.length >= MAX_OVERLAPPING;
    if (this.busy && (this.alone || !overlaps || full)) return false;
    if (!this.target.mayRun(line)) {
      if (!this.busy) this.target.refuse();
      return false;
    }
    this.alone = !overlaps;
    const running: Running = {};
    this.running.push(running);
    const answered = (reply: WriteReply): void => {
      running.reply = reply;
      this.replySoon();
    };
    this.target.start(command).then(answered, (error: unknown) =>
      answered(() => {
        throw error;
      }),
    );
    return true;
  }

  /** Commands that end together are answered together. */
  private replySoon(): void {
    if (this.replying) return;
    this.replying = true;
    process.nextTick(() => {
      this.replying = false;
      this.replyNow();
    });
  }

  private replyNow(): void {
    const replies: WriteReply[] = [];
    for (;;) {
      const reply = this.running[0]?.reply;
      if (reply === undefined) break;
      replies.push(reply);
      this.running.shift();
    }
    if (replies.length > 0) this.target.reply(replies);
    if (!this.busy) for (const resolve of this.waiting.splice(0)) resolve();
    this.go();
  }
}
