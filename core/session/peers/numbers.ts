// SPDX-License-Identifier: BSD-3-Clause
// Numbers of sealed values: the ones this device gives, reserved in blocks, and the highest accepted of each client of a peer.
// They are stored in slot 4 before anybody relies on them. core/AUTHENTICITY.md, sections 6.1 and 7.
import { bytesEqual, bytesLoad64, bytesStore32, bytesWipe } from "../../bytes";
import { drbgGenerate } from "../../crypto/drbg";
import { sha256 } from "../../crypto/sha256";
import { store_read, store_write } from "../../hal";
import { PEER_LIST } from "../../keys/peers";
import { KEY_WORK, NUMBERS } from "../../memory";
import { Retry, retryMay, retrySeconds } from "../../retries";
import { Status } from "../../status";

const SLOT: u32 = 4;
const VERSION: u32 = 0x316e7461; // "atn1"
/** When as many numbers as the list allows could be stored at once again; of no meaning in the store. */
const UNTIL: usize = NUMBERS + 4;
/** The highest number reserved for what is sent. */
const CEILING: usize = NUMBERS + 8;
/** Tables of the peers: the generation of the epoch, big-endian, then 8 numbers of 6 bytes. */
const TABLES: usize = NUMBERS + 16;
const TABLE_LEN: u32 = 52;
const PLACES: u32 = 8;
const CHECK: usize = NUMBERS + 224;
const CHECK_LEN: u32 = 8;
const LEN: u32 = 232;
/** Counters of the numbers accepted last, which may be behind those stored. */
const LAST: usize = NUMBERS + LEN;

/** A number is its client's instance, 20 bits, and a counter. */
const COUNTER_BITS: u64 = 28;
const COUNTER: u64 = 0xfffffff;
const BLOCK: u64 = 256;
/** How far ahead an entry is stored at first, and at most. */
const AHEAD: u32 = 32;
const AHEAD_MAX: u32 = 65536;

/** The number given last. */
let given: u64 = 0;
let ahead: u32 = 32;

/** Loads them. False: there are none or they are damaged, and all begins anew. */
export function numbersLoad(): bool {
  const len = store_read(SLOT, NUMBERS, LEN);
  sha256(KEY_WORK, NUMBERS, LEN - CHECK_LEN);
  const good =
    <u32>len === LEN &&
    load<u32>(NUMBERS) === VERSION &&
    bytesEqual(KEY_WORK, CHECK, CHECK_LEN) !== 0;
  if (!good) bytesWipe(NUMBERS, LEN);
  bytesWipe(KEY_WORK, 32);
  store<u32>(UNTIL, 0);
  given = load<u64>(CEILING);
  for (let i: u32 = 0; i < PEER_LIST * PLACES; i++) {
    store<u32>(lastOf(i), (numberAt(entryOf(i)) & COUNTER) as u32);
  }
  return good;
}

/** Writes the next number for what is sent, 6 bytes. 0, NoEntropy or StoreFailed. */
export function numbersNext(out6: usize): i32 {
  let next = given + 1;
  if (given === 0 || (next & COUNTER) === 0) {
    const status = drbgGenerate(KEY_WORK, 4);
    if (status < 0) return status;
    next = (max<u64>(load<u32>(KEY_WORK) & 0xfffff, 1) << COUNTER_BITS) + 1;
    store<u64>(CEILING, 0);
  }
  if (next > load<u64>(CEILING)) {
    store<u64>(CEILING, min<u64>(next + BLOCK - 1, next | COUNTER));
    const status = save();
    if (status < 0) {
      store<u64>(CEILING, given);
      return status;
    }
  }
  given = next;
  putNumber(out6, next);
  return 0;
}

/** Generation of the epoch a peer's table belongs to: 4 bytes, big-endian. */
export function numbersGeneration(place: u32): usize {
  return TABLES + place * TABLE_LEN;
}

/** Empties a peer's table: from now on it belongs to the epoch of this generation. 0 or StoreFailed. */
export function numbersRestart(place: u32, generation: usize): i32 {
  const table = numbersGeneration(place);
  bytesWipe(table, TABLE_LEN);
  memory.copy(table, generation, 4);
  bytesWipe(lastOf(place * PLACES), 4 * PLACES);
  return save();
}

/**
 * Takes the number of a peer's notification that was verified, and stores it. 1: it is fresh; 0: the same came before;
 * NotAuthentic: it was overtaken; NoRoom: its client finds no place; StoreFailed.
 */
export function numbersTake(place: u32, number: usize, now: i64): i32 {
  const n = numberAt(number);
  let free: u32 = 0;
  for (let i = (place + 1) * PLACES; i > place * PLACES; i--) {
    const known = numberAt(entryOf(i - 1));
    if (known === 0) free = i;
    else if (known >> COUNTER_BITS === n >> COUNTER_BITS) {
      const last: u32 = load<u32>(lastOf(i - 1));
      const counter = (n & COUNTER) as u32;
      if (counter <= last) return counter === last ? 0 : Status.NotAuthentic;
      return accept(i - 1, n, known, now);
    }
  }
  return free > 0 ? accept(free - 1, n, 0, now) : Status.NoRoom;
}

// Stored ahead when there is much to store.
function accept(i: u32, n: u64, known: u64, now: i64): i32 {
  if (n > known) {
    let stored = n;
    if (load<u32>(UNTIL) <= retrySeconds(now)) ahead = AHEAD;
    if (!retryMay(UNTIL, Retry.Table, now)) {
      stored = min<u64>(n + ahead, n | COUNTER);
      ahead = min<u32>(2 * ahead, AHEAD_MAX);
    }
    putNumber(entryOf(i), stored);
    if (save() < 0) {
      putNumber(entryOf(i), known);
      return Status.StoreFailed;
    }
  }
  store<u32>(lastOf(i), (n & COUNTER) as u32);
  return 1;
}

function save(): i32 {
  store<u32>(NUMBERS, VERSION);
  sha256(KEY_WORK, NUMBERS, LEN - CHECK_LEN);
  memory.copy(CHECK, KEY_WORK, CHECK_LEN);
  bytesWipe(KEY_WORK, 32);
  return store_write(SLOT, NUMBERS, LEN) < 0 ? Status.StoreFailed : 0;
}

function entryOf(i: u32): usize {
  return TABLES + (i / PLACES) * TABLE_LEN + 4 + (i % PLACES) * 6;
}

function lastOf(i: u32): usize {
  return LAST + 4 * i;
}

function numberAt(x: usize): u64 {
  return bytesLoad64(x) >> 16;
}

function putNumber(x: usize, n: u64): void {
  bytesStore32(x, (n >> 16) as u32);
  store<u16>(x, bswap<u16>(n as u16), 4);
}
