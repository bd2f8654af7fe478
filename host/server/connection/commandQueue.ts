// SPDX-License-Identifier: BSD-3-Clause
import { normalizeCommand } from "../../wire/command.ts";
import { mayOverlap } from "../verbs/index.ts";
import type { Answer } from "./answer.ts";

/** Commands of one connection that run at the same time. */
const MAX_OVERLAPPING = 64;
/** Characters of a command that others may run beside; a longer one runs alone. */
const MAX_OVERLAPPING_LENGTH = 65_536;

/** What a line takes beside its characters: an empty one costs memory too. */
const LINE_OVERHEAD = 16;

/** Characters a line counts as while it waits. */
const weightOf = (line: string | null): number => (line?.length ?? 0) + LINE_OVERHEAD;

/** The dialogue that the commands belong to. */
export interface CommandTarget {
  /** Whether a command may start now: the connection is open and its answers are being read. */
  readonly ready: boolean;
  /**
   * Runs a line's normalised command; asked when it is the line's turn. Undefined: it may not be run; where `isFirst`, nothing
   * that came before it runs any more.
   */
  run(command: string, line: string, isFirst: boolean): Promise<Answer> | undefined;
  /** A command neither answered nor failed as it should. */
  failed(error: unknown): void;
  /** Writes answers, those of one turn together; `isIdle`: every line taken so far is answered. */
  answered(answers: readonly Answer[], isIdle: boolean): void;
}

interface Running {
  answer?: Answer;
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
  private answering = false;
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
    if (this.lines.length === 0 && !this.busy) this.target.answered([], true);
  }

  /** Starts a line's command; false when it has to wait. */
  private take(line: string): boolean {
    const command = normalizeCommand(line);
    const overlaps = command.length <= MAX_OVERLAPPING_LENGTH && mayOverlap(command);
    const full = this.running.length >= MAX_OVERLAPPING;
    if (this.busy && (this.alone || !overlaps || full)) return false;
    const answer = this.target.run(command, line, !this.busy);
    if (answer === undefined) return false;
    this.alone = !overlaps;
    const running: Running = {};
    this.running.push(running);
    answer.then(
      (found) => {
        running.answer = found;
        this.answerSoon();
      },
      (error: unknown) => this.target.failed(error),
    );
    return true;
  }

  /** Commands that end together are answered together. */
  private answerSoon(): void {
    if (this.answering) return;
    this.answering = true;
    process.nextTick(() => {
      this.answering = false;
      this.answerNow();
    });
  }

  private answerNow(): void {
    const answers: Answer[] = [];
    for (;;) {
      const answer = this.running[0]?.answer;
      if (answer === undefined) break;
      answers.push(answer);
      this.running.shift();
    }
    if (answers.length > 0) this.target.answered(answers, false);
    if (!this.busy) for (const resolve of this.waiting.splice(0)) resolve();
    this.go();
  }
}
