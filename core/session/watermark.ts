// SPDX-License-Identifier: BSD-3-Clause
// What has been delivered: the time of the last notification and the identifiers of the last 16, in
// the board's store, slot 2. A reconnect asks for everything from that time on, and what comes
// twice is dropped. Flash wears, so writes are spaced.
import { bytesEqual } from "../bytes";
import { sha256 } from "../crypto/sha256";
import { store_read, store_write } from "../hal";
import { KEY_WORK, WATERMARK } from "../memory";

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

/** Written once nothing has come for so long, or so long after the first change: milliseconds. */
const QUIET: i64 = 2000;
const LONGEST: i64 = 30000;

let changedFirst: i64 = 0;
let changedLast: i64 = 0;
let changed: bool = false;

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
  memory.fill(KEY_WORK, 0, 32);
}

/** Forgets it, here and in the store: another identity. */
export function watermarkErase(): void {
  clear();
  store_write(SLOT, WATERMARK, 0);
}

/** Time of the last notification, milliseconds of the atServer's clock; 0: there was none. */
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
  if (epoch > load<i64>(EPOCH)) store<i64>(EPOCH, epoch);
  if (!changed) changedFirst = now;
  changed = true;
  changedLast = now;
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
  memory.fill(WATERMARK, 0, LEN);
}
