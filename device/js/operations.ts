// SPDX-License-Identifier: BSD-3-Clause
import { type Core, type CoreEvent, EVENT, type OPERATION } from "./core.ts";
import { STATUS, statusText } from "./status.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

export type OperationKind = keyof typeof OPERATION;

export interface Request {
  readonly kind: OperationKind;
  /** The atKey; empty for enroll and scan. */
  readonly key: string;
  /** UTF-8 text; for scan a regular expression. */
  readonly value: string;
  /** Milliseconds the record or notification lives; 0: for ever. */
  readonly ttlMs?: number;
}

/** What became of a request. */
export interface Outcome {
  /** 0 done, 1 done with a value that came unencrypted, or a negative status. */
  readonly status: number;
  /** A reply's value. */
  readonly value: Uint8Array;
  /** What is known of a get's value. */
  readonly verdict: Verdict;
  /** The atServer's error code and text; empty when there is none. */
  readonly error: string;
}

interface Waiting {
  readonly request: Request;
  readonly settle: (outcome: Outcome) => void;
}

/** An outcome without a value. */
const nothing = (status: number): Outcome => ({
  ...{ status, value: new Uint8Array(), error: "" },
  verdict: verdictOf(0),
});

/** "Refused (AT0009: …)" for a failed outcome. */
export function outcomeText(outcome: Outcome): string {
  const text = statusText(outcome.status);
  return outcome.error === "" ? text : `${text} (${outcome.error})`;
}

/** The core runs one operation at a time; up to `limit` requests wait here in order. */
export class Operations {
  readonly #core: Core;
  readonly #limit: number;
  readonly #waiting: Waiting[] = [];
  #running: (Waiting & { readonly number: number }) | null = null;

  constructor(core: Core, limit = 100) {
    this.#core = core;
    this.#limit = limit;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Queues a request for startNext; resolves when it is finished or failed (Busy: too many wait). It never rejects. */
  submit(request: Request): Promise<Outcome> {
    return new Promise((settle) => {
      if (this.#waiting.length < this.#limit) this.#waiting.push({ request, settle });
      else settle(nothing(STATUS.Busy));
    });
  }

  /** Starts the next request if the core can take one now. Not to be called while an event is being taken. */
  startNext(): void {
    while (!this.#running) {
      const next = this.#waiting[0];
      if (!next) return;
      const number = this.#start(next.request);
      if (number === STATUS.Busy || number === STATUS.WrongState) return;
      this.#waiting.shift();
      if (number > 0) this.#running = { ...next, number };
      else next.settle(nothing(number));
    }
  }

  /** Takes an event of a finished operation; false when it is not of the running one. */
  finished(event: CoreEvent): boolean {
    const running = this.#running;
    if (event.kind !== EVENT.operation || running?.number !== event.op) return false;
    this.#running = null;
    const { status, value, verdict, error } = event;
    running.settle({ status, value, verdict, error });
    return true;
  }

  #start({ kind, key, value, ttlMs }: Request): number {
    try {
      return this.#core.startOperation(kind, key, value, ttlMs);
    } catch (error) {
      // A key or value that does not fit the core's buffers concerns this request alone.
      if (error instanceof RangeError) return STATUS.BadArgument;
      throw error;
    }
  }
}
