// SPDX-License-Identifier: BSD-3-Clause
// What has been delivered: the time of the last notification and the identifiers of the last 16, in
// the board's store, slot 2. A reconnect asks for everything from that time on, and what comes
// twice is dropped. Flash wears, so writes are spaced.
import { bytesEqual } from "../../bytes";
import { sha256 } from "../../crypto/sha256";
import { store_read, store_write } from "../../hal";
import { KEY_WORK, WATERMARK } from "../../memory";

const SLOT: u32 = 2;
const VERSION: u32 = 0x316d7761; // "awm1"
const POSITION: usize = WATERMARK + 4;
const EPOCH: usize = WATERMARK + 8;
const RING: usize = WATERMARK + 16;
const RING_COUNT: u32 = 16;
/** An identifier is kept as the first 8 bytes of its SHA-256. */
const HASH_LEN: u32 = 8;
const CHECK: usize = WATERMARK + 144;
const LEN: u32 = 152;

/** How far the atServer's clock may be behind the time it gave a notification: milliseconds. */
const AHEAD: i64 = 60000;
/** Time of a request for everything the atServer still has. */
const EVERYTHING: i64 = 2;

/** Written once nothing has come for so long, or so long after the first change: milliseconds. */
const QUIET: i64 = 2000;
const LONGEST: i64 = 30000;

let changedFirst: i64 = 0;
let changedLast: i64 = 0;
let changed: bool = false;
/** The time of the last notification; the lower of the last two is kept. */
let last: i64 = 0;

/** Loads the watermark; a damaged one counts as none. */
export function watermarkLoad(): void {
  changed = false;
  const len = store_read(SLOT, WATERMARK, LEN);
  sha256(KEY_WORK, WATERMARK, LEN - HASH_LEN);
  const good =
    <u32>len === LEN &&
    load<u32>(WATERMARK) === VERSION &&
    bytesEqual(KEY_WORK, CHECK, HASH_LEN) !== 0;
  if (!good) clear();
  last = load<i64>(EPOCH);
  memory.fill(KEY_WORK, 0, 32);
}

/** Forgets it, here and in the store: another identity. */
export function watermarkErase(): void {
  clear();
  store_write(SLOT, WATERMARK, 0);
}

/**
 * From when on notifications are to be asked for, milliseconds of the atServer's clock; 0: there was none. It is the time
 * of the last one or of the one before, whichever is lower, so that one that lies ahead of its time moves nothing.
 */
export function watermarkEpoch(): i64 {
  return load<i64>(EPOCH);
}

/** Whether the notification with this identifier was delivered. */
export function watermarkHas(id: usize, len: u32): bool {
  sha256(KEY_WORK, id, len);
  let found: u32 = 0;
  for (let i: u32 = 0; i < RING_COUNT; i++)
    found |= bytesEqual(RING + i * HASH_LEN, KEY_WORK, HASH_LEN);
  memory.fill(KEY_WORK, 0, 32);
  return found !== 0;
}

/** Notes a delivered notification; len 0: its identifier is not known, epoch 0: its time is not. */
export function watermarkTake(id: usize, len: u32, epoch: i64, now: i64): void {
  if (len > 0) {
    const position = load<u32>(POSITION) & (RING_COUNT - 1);
    sha256(KEY_WORK, id, len);
    memory.copy(RING + position * HASH_LEN, KEY_WORK, HASH_LEN);
    memory.fill(KEY_WORK, 0, 32);
    store<u32>(POSITION, position + 1);
  }
  if (epoch > 0) {
    store<i64>(EPOCH, last > 0 ? min<i64>(last, epoch) : epoch);
    last = epoch;
  }
  if (!changed) changedFirst = now;
  changed = true;
  changedLast = now;
}

/**
 * Hears the atServer's clock, 0: it didn't say. True: it is behind the watermark, so that was no time or the clock was set
 * back, and everything the atServer still has is to be asked for. mayClear: whether that may be, for an atServer whose
 * notifications run ahead of its clock would have it said again and again.
 */
export function watermarkClock(clock: i64, now: i64, mayClear: bool): bool {
  if (clock === 0) return false;
  const epoch = load<i64>(EPOCH);
  const back = mayClear && epoch > clock + AHEAD;
  // Without a watermark it begins here; what is on its way may be older than the clock.
  if (back || epoch === 0) watermarkTake(0, 0, back ? EVERYTHING : clock - AHEAD, now);
  return back;
}

/** Milliseconds until it has to be written; negative: nothing to write. */
export function watermarkDue(now: i64): i64 {
  if (!changed) return -1;
  const quiet = changedLast + QUIET - now;
  const longest = changedFirst + LONGEST - now;
  return max<i64>(min<i64>(quiet, longest), 0);
}

/**
 * Writes it when something has changed. A failure is tried again with the next change: at worst
 * something comes twice.
 */
export function watermarkStore(): void {
  if (!changed) return;
  changed = false;
  store<u32>(WATERMARK, VERSION);
  sha256(KEY_WORK, WATERMARK, LEN - HASH_LEN);
  memory.copy(CHECK, KEY_WORK, HASH_LEN);
  memory.fill(KEY_WORK, 0, 32);
  store_write(SLOT, WATERMARK, LEN);
}

function clear(): void {
  changed = false;
  last = 0;
  memory.fill(WATERMARK, 0, LEN);
}
