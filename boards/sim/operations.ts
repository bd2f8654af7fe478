// SPDX-License-Identifier: BSD-3-Clause
import { type Core, type CoreEvent, EVENT, type OPERATION } from "./core.ts";
import { STATUS, statusText } from "./status.ts";

export type OperationKind = keyof typeof OPERATION;

export interface Request {
  readonly kind: OperationKind;
  /** The atKey; empty for enroll and scan. */
  readonly key: string;
  /** UTF-8 text; for scan a regular expression. */
  readonly value: string;
  /** Milliseconds the record or notification lives; 0: for ever. */
  readonly ttlMs?: number;
  /** May be dropped when too many wait: a newer one makes it worthless. */
  readonly droppable?: boolean;
}

/** What became of a request. */
export interface Outcome {
  /** 0 done, 1 done with a value that came unencrypted, or a negative status. */
  readonly status: number;
  /** A reply's value. */
  readonly value: Uint8Array;
  /** The atServer's error code and text; empty when there is none. */
  readonly error: string;
  /** It was dropped before it started. */
  readonly dropped: boolean;
}

interface Waiting {
  readonly request: Request;
  readonly settle: (outcome: Outcome) => void;
}

const NOTHING = new Uint8Array();

/** "Refused (AT0009: …)" for a failed outcome. */
export function outcomeText(outcome: Outcome): string {
  if (outcome.dropped) return "dropped";
  const text = statusText(outcome.status);
  return outcome.error === "" ? text : `${text} (${outcome.error})`;
}

/**
 * The core runs one operation at a time; requests wait here in order. Beyond `limit` waiting ones the oldest droppable
 * one is dropped and counted.
 */
export class Operations {
  readonly #core: Core;
  readonly #limit: number;
  readonly #waiting: Waiting[] = [];
  #running: (Waiting & { readonly number: number }) | null = null;
  #dropped = 0;

  constructor(core: Core, limit = 100) {
    this.#core = core;
    this.#limit = limit;
  }

  /** How many requests were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Queues a request for startNext; resolves when it is finished, failed or dropped. It never rejects. */
  submit(request: Request): Promise<Outcome> {
    return new Promise((settle) => {
      this.#waiting.push({ request, settle });
      if (this.#waiting.length > this.#limit) this.#dropOldest();
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
      else next.settle({ status: number, value: NOTHING, error: "", dropped: false });
    }
  }

  /** Takes an event of a finished operation; false when it is not of the running one. */
  finished(event: CoreEvent): boolean {
    const running = this.#running;
    if (event.kind !== EVENT.operation || running?.number !== event.op) return false;
    this.#running = null;
    running.settle({
      status: event.status,
      value: event.value,
      error: event.error,
      dropped: false,
    });
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

  #dropOldest(): void {
    const at = this.#waiting.findIndex(({ request }) => request.droppable);
    if (at < 0) return;
    const [oldest] = this.#waiting.splice(at, 1);
    this.#dropped++;
    oldest?.settle({ status: 0, value: NOTHING, error: "", dropped: true });
  }
}
