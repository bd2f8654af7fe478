// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../../wire/errors.ts";
import { type Session, standing } from "../access/session.ts";

type Release = () => void;

interface Waiting {
  readonly session: Session;
  /** `mayRun` is false for one that is only told that it waits no longer. */
  readonly start: (mayRun: boolean) => void;
}

/** Lets a few long commands run at the same time; others wait their turn. */
export class ConcurrencyLimit {
  private readonly places: number;
  private readonly maxWaiting: number;
  private running = 0;
  private waiting: Waiting[] = [];

  constructor(places: number, maxWaiting: number) {
    this.places = places;
    this.maxWaiting = maxWaiting;
  }

  /**
   * Pieces of an answer, made only while a place is held; nobody holds one while what was made is read. Throws AT0028 before
   * the first piece when too many wait already.
   */
  async *limit(
    session: Session,
    pieces: AsyncGenerator<string, void, undefined>,
  ): AsyncGenerator<string, void, undefined> {
    this.demandRoom();
    let release = await this.take(session);
    try {
      for (;;) {
        const { done, value } = session.closed ? { done: true } : await pieces.next();
        release();
        if (done === true || value === undefined) return;
        yield value;
        release = await this.take(session);
      }
    } finally {
      release();
      await pieces.return();
    }
  }

  private demandRoom(): void {
    if (this.waiting.length < this.maxWaiting) return;
    const gone = this.waiting.filter(({ session }) => session.closed);
    this.waiting = this.waiting.filter(({ session }) => !session.closed);
    for (const { start } of gone) start(false);
    if (this.waiting.length < this.maxWaiting) return;
    throw new AtError("AT0028", "Too many of these commands at once, try again later");
  }

  private async take(session: Session): Promise<Release> {
    let held = this.running < this.places;
    if (held) this.running += 1;
    // Whoever gives a place back hands it over.
    else held = await this.wait(session);
    return () => {
      if (held) this.give();
      held = false;
    };
  }

  private wait(session: Session): Promise<boolean> {
    return new Promise((resolve) => {
      this.waiting.push({ session, start: resolve });
    });
  }

  private give(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.running -= 1;
    else next.start(true);
  }
}

/** Limits by who asks; the owner's commands wait for nobody. */
export type LimitsForOthers = Readonly<Record<"peer" | "anonymous", ConcurrencyLimit>>;

/** A list that goes through everything, made as far as the limit for who asks allows. */
export function limited(
  session: Session,
  pieces: AsyncGenerator<string, void, undefined>,
  limits: LimitsForOthers,
): AsyncGenerator<string, void, undefined> {
  const kind = standing(session);
  return kind === "owner" ? pieces : limits[kind].limit(session, pieces);
}
