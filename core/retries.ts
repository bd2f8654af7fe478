// SPDX-License-Identifier: BSD-3-Clause
// Everything the core does again, and when: nothing else here is repeated by time or after a failure. What is tried again
// waits by this list and never by what a server or peer said. core/test/retries.test.ts takes its cases from it.

export const enum Retry {
  Directory = 0,
  Link = 1,
  Approval = 2,
  Monitor = 3,
  KnownKey = 4,
  MissingKey = 5,
  WrappedKey = 6,
  Request = 7,
  Unanswered = 8,
  Epoch = 9,
  Table = 10,
}

/**
 * First pause, factor, longest pause, in tenths of a second; and how often at most. 0: as long as the session runs, for
 * whoever listens hears of every try.
 */
// biome-ignore format: one a line
const LIST: usize = memory.data<u16>([
  1, 2, 4, 5, // Directory: another link to the atDirectory; then it waits as Link does
  10, 2, 600, 0, // Link: another connection; half of the pause is random. Anew after a link that held for the longest
  10, 2, 100, 20000, // Approval: another login while the enrollment waits; then the session ends
  1, 2, 100, 0, // Monitor: notifications are asked for again after some were passed over
  36000, 1, 36000, 0, // KnownKey: a peer's key is fetched again when it is needed; and after a login
  3000, 1, 3000, 0, // MissingKey: so is one that was not there
  36000, 1, 36000, 4, // WrappedKey: a key that came with a value is opened; so many at once, later one a pause
  0, 1, 0, 24, // Request: lines of one operation, on however many links; then it ends with GivenUp
  0, 1, 0, 2, // Unanswered: of them without an answer; then it ends with TimedOut
  36000, 1, 36000, 4, // Epoch: a new one for a peer whose table is full; so many at once, later one a pause
  300, 1, 300, 8, // Table: an accepted number is stored alone; so many at once, later one a pause, and the others ahead
]);
const ROW: u32 = 8;

/** Milliseconds to wait after this number of tries, 0 for the first. */
export function retryPause(retry: Retry, tries: u32): i64 {
  const row = LIST + ROW * retry;
  const most: u32 = load<u16>(row, 4);
  let pause: u32 = load<u16>(row);
  for (let i: u32 = 0; i < tries && pause < most; i++) pause *= load<u16>(row, 2);
  return (100 * min<u32>(pause, most)) as i64;
}

/** Whether no further try is allowed after this number of tries. */
export function retryIsOver(retry: Retry, tries: u32): bool {
  const bound: u32 = load<u16>(LIST + ROW * retry, 6);
  return bound > 0 && tries >= bound;
}

/** How many there may be. */
export function retryBound(retry: Retry): u32 {
  return load<u16>(LIST + ROW * retry, 6);
}

/** Seconds, as times are kept. */
export function retrySeconds(milliseconds: i64): u32 {
  return (milliseconds / 1000) as u32;
}

/**
 * Whether it may be done now, where the list allows so many at once and later one a pause: then it is counted. until: when so
 * many could be done at once again, in seconds.
 */
export function retryMay(until: usize, retry: Retry, now: i64): bool {
  const pause = retrySeconds(retryPause(retry, 0));
  const from = max<u32>(load<u32>(until), retrySeconds(now));
  if (from - retrySeconds(now) > (retryBound(retry) - 1) * pause) return false;
  store<u32>(until, from + pause);
  return true;
}
