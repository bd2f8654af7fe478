// SPDX-License-Identifier: BSD-3-Clause
import { setImmediate as nextTurn } from "node:timers/promises";

/** Time after which other connections get their turn, ms. */
export const TURN_MILLIS = 5;

/**
 * What a store gives from a place on, in portions with other connections' turns in between: what is done with the items of
 * one takes 5 ms. Nothing of the store is held open between two, so that whoever asks may take its time; who leaves a
 * portion early gets the rest with the next one.
 */
export async function* portions<T, P>(
  itemsAfter: (place: P) => Iterable<T>,
  placeOf: (item: T) => P,
  start: P,
): AsyncGenerator<Iterable<T>, void, undefined> {
  let reached = start;
  let isMore = true;
  function* portion(): Generator<T, void, undefined> {
    const turn = performance.now();
    for (const item of itemsAfter(reached)) {
      reached = placeOf(item);
      yield item;
      if (performance.now() - turn >= TURN_MILLIS) return;
    }
    isMore = false;
  }
  for (;;) {
    yield portion();
    if (!isMore) return;
    await nextTurn();
  }
}

/** A result for every portion, until the client that asked is gone. */
export async function* fromPortions<T, U>(
  session: { readonly closed: boolean },
  source: AsyncIterable<Iterable<T>>,
  make: (portion: Iterable<T>) => Iterable<U>,
): AsyncGenerator<Iterable<U>, void, undefined> {
  for await (const portion of source) {
    if (session.closed) return;
    yield make(portion);
  }
}

/** Characters gathered before a piece of a long answer is sent: an error found until then can still be the answer. */
export const PIECE_CHARACTERS = 262_144;

/** A JSON array of what the portions hold, in pieces of a quarter megabyte and one item; `empty` when they hold nothing. */
export async function* jsonArray(
  source: AsyncIterable<Iterable<unknown>>,
  empty = "[]",
): AsyncGenerator<string, void, undefined> {
  let text = "";
  let before = "[";
  for await (const portion of source) {
    for (const item of portion) {
      text += before + JSON.stringify(item);
      before = ",";
      if (text.length >= PIECE_CHARACTERS) break;
    }
    if (text.length < PIECE_CHARACTERS) continue;
    yield text;
    text = "";
  }
  yield before === "[" ? empty : `${text}]`;
}

/** Texts put together to pieces of a quarter megabyte and one of them. */
export async function* gathered(
  texts: AsyncIterable<string>,
): AsyncGenerator<string, void, undefined> {
  let piece = "";
  for await (const text of texts) {
    piece += text;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
