// SPDX-License-Identifier: BSD-3-Clause
// What a server does about an error that nothing in it caught. Every such error is a mistake of ours; it costs its own
// connection or job, not the others'.
import type { Logger } from "pino";
import { traceOf } from "../../wire/trace.ts";

/** Uncaught errors within an hour that a server outlives. One more ends it: whoever supervises it starts it afresh. */
export const MAX_FAULTS_AN_HOUR = 20;
const HOUR_MILLIS = 3_600_000;

/** After these nothing that runs can be relied on. */
const fatal: readonly {
  readonly code: RegExp;
  readonly words: RegExp;
  readonly sentence: string;
}[] = [
  {
    code: /^(?:ENOMEM|ERR_MEMORY_ALLOCATION_FAILED)$/,
    words: /^Array buffer allocation failed$/,
    sentence: "out of memory: the server ends; give it more, or lower its limits of connections",
  },
  {
    code: /^-30795$/,
    words: /^MDB_PANIC: /,
    sentence:
      "the store failed for good: the server ends; look at the disk, then start it again, or restore a backup",
  },
];

const TOO_MANY = `more than ${MAX_FAULTS_AN_HOUR} unexpected errors within an hour: the server ends; its log says where they came from`;

function fatality(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const name = "code" in error ? String(error.code) : "";
  // Anchored: a message may quote what somebody sent.
  return fatal.find(({ code, words }) => code.test(name) || words.test(error.message))?.sentence;
}

/** Judges uncaught errors. Errors that pass by themselves (no file descriptor left, a full disk) are outlived as others. */
export class LastResort {
  private readonly log: Logger;
  private readonly now: () => number;
  /** Instants of the latest, ms since the epoch. */
  private faults: number[] = [];

  constructor(log: Logger, now: () => number = Date.now) {
    this.log = log;
    this.now = now;
  }

  /** Logs an uncaught error, without what its message may quote. Gives why the process has to end, undefined when it goes on. */
  take(error: unknown): string | undefined {
    const trace = traceOf(error);
    const now = this.now();
    // Instants behind now were noted before the clock went back.
    const recent = this.faults.filter((at) => at <= now && now - at < HOUR_MILLIS);
    this.faults = [...recent, now];
    const end = fatality(error) ?? (this.faults.length > MAX_FAULTS_AN_HOUR ? TOO_MANY : undefined);
    if (end === undefined) this.log.error({ trace }, "unexpected error; the server goes on");
    else this.log.fatal({ trace }, end);
    return end;
  }
}
