// SPDX-License-Identifier: BSD-3-Clause
import type { Claim, OutputBudget, OutputHolder } from "./outputBudget.ts";

/**
 * Most bytes handed to a socket at once: TLS keeps an enciphered copy of them for as long as the other side doesn't read. A
 * whole number of records.
 */
export const SLICE_BYTES = 16_384;

/** The text of a long reply, piece by piece, each claimed in the budget of output until it is written. */
export interface Pieces {
  /** The next piece, undefined after the last. Rejects when a piece can't be made. */
  next(): Promise<Claim<string> | undefined>;
  /** No more are wanted. */
  end(): Promise<void>;
}

/** A reply that is complete already; `take` returns its text and keeps no copy. */
export function wholeText(take: () => string, budget: OutputBudget, holder: OutputHolder): Pieces {
  let claim: Claim<string> | undefined = budget.claim(holder, take());
  const next = (): Promise<Claim<string> | undefined> => {
    const taken = claim;
    claim = undefined;
    return Promise.resolve(taken);
  };
  return { next, end: () => Promise.resolve() };
}

/** A reply that is made while it is written. */
export function madeText(
  source: AsyncIterable<string>,
  budget: OutputBudget,
  holder: OutputHolder,
): Pieces {
  const made = source[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await made.next();
      return done === true ? undefined : budget.claim(holder, value);
    },
    async end() {
      await made.return?.();
    },
  };
}

/** What a socket is given one after the other: `start` and the pieces, cut into slices of SLICE_BYTES characters. */
export async function* slicesOf(
  start: string,
  pieces: Pieces,
): AsyncGenerator<string, void, undefined> {
  let before = start;
  try {
    for (;;) {
      const claim = await pieces.next();
      if (claim === undefined) return;
      try {
        yield* slices(before, claim);
      } finally {
        claim.release();
      }
      before = "";
    }
  } finally {
    await pieces.end();
  }
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00;

/** Where a slice ends that begins at `start`: no character is cut in two. */
function endOf(text: string, start: number, length: number): number {
  const end = start + length;
  return isHighSurrogate(text.charCodeAt(end - 1)) && end < text.length ? end + 1 : end;
}

function* slices(before: string, claim: Claim<string>): Generator<string, void, undefined> {
  let start = 0;
  do {
    const { output } = claim;
    const head = start === 0 ? before : "";
    const end = endOf(output, start, SLICE_BYTES - head.length);
    yield head + output.slice(start, end);
    start = end;
  } while (start < claim.output.length);
}
