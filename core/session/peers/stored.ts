// SPDX-License-Identifier: BSD-3-Clause
// What is known of the peers on the list, in the board's store, slot 3: pins, keys, epochs. It is written before anything relies
// on it. An epoch is stored before its table is emptied and before anybody hears of it. core/AUTHENTICITY.md, sections 3.2, 7.
import { bytesEqual, bytesLoad32, bytesStore32, bytesWipe } from "../../bytes";
import { drbgGenerate } from "../../crypto/drbg";
import { sha256 } from "../../crypto/sha256";
import { store_read, store_write } from "../../hal";
import {
  PEER_EPOCH,
  PEER_FLAGS,
  PEER_ISSUE_DUE,
  PEER_ISSUED,
  PEER_LIST,
  PEER_PINNED,
  PEER_PUBLISHED,
  PEER_STORED,
  PEER_STORED_FLAGS,
  peersAt,
  peersHas,
  peersPlace,
  peersSet,
  peersUnset,
} from "../../keys/peers";
import { SCRATCH } from "../../memory";
import { Status } from "../../status";
import { watermarkEpoch } from "../state/watermark";
import { numbersGeneration, numbersLoad, numbersRestart } from "./numbers";

const SLOT: u32 = 3;
const VERSION: u32 = 0x31707461; // "atp1"
const ENTRIES: usize = SCRATCH + 4;
const USED: u32 = 4 + PEER_LIST * PEER_STORED;
const CHECK: usize = SCRATCH + USED;
const LEN: u32 = USED + 8;

/**
 * Loads them and the numbers; peers whose numbers are not to be trusted are given a new epoch. 0, StoreFailed (unreadable or
 * damaged: nothing is overwritten), NoEntropy.
 */
export function storedLoad(): i32 {
  const len = store_read(SLOT, SCRATCH, LEN);
  if (len !== 0) {
    sha256(SCRATCH + LEN, SCRATCH, USED);
    const good =
      <u32>len === LEN &&
      load<u32>(SCRATCH) === VERSION &&
      bytesEqual(SCRATCH + LEN, CHECK, 8) !== 0;
    if (good) {
      for (let i: u32 = 0; i < PEER_LIST; i++) {
        memory.copy(peersAt(i), ENTRIES + i * PEER_STORED, PEER_STORED);
      }
    }
    bytesWipe(SCRATCH, LEN + 32);
    if (!good) return Status.StoreFailed;
  }
  const whole = numbersLoad();
  for (let i: u32 = 0; i < PEER_LIST; i++) {
    const peer = peersAt(i);
    if (!peersHas(peer, PEER_ISSUED)) continue;
    const table = bytesLoad32(numbersGeneration(i));
    const epoch = bytesLoad32(peer + PEER_EPOCH);
    let status = 0;
    // A table of a later epoch: the one that was stored last is lost.
    if (!whole || table > epoch) status = storedRenew(peer, table);
    else if (table < epoch) status = numbersRestart(i, peer + PEER_EPOCH);
    if (status < 0) return status;
  }
  return 0;
}

/** Stores them. 0 or StoreFailed. */
export function storedWrite(): i32 {
  store<u32>(SCRATCH, VERSION);
  for (let i: u32 = 0; i < PEER_LIST; i++) {
    const peer = peersAt(i);
    const to = ENTRIES + i * PEER_STORED;
    if (!peersHas(peer, PEER_PINNED)) {
      bytesWipe(to, PEER_STORED);
      continue;
    }
    memory.copy(to, peer, PEER_STORED);
    store<u32>(to + PEER_FLAGS, load<u32>(to + PEER_FLAGS) & PEER_STORED_FLAGS);
  }
  sha256(SCRATCH + LEN, SCRATCH, USED);
  memory.copy(CHECK, SCRATCH + LEN, 8);
  const status = store_write(SLOT, SCRATCH, LEN);
  bytesWipe(SCRATCH, LEN + 32);
  return status < 0 ? Status.StoreFailed : 0;
}

/** Forgets them in the store: another identity. */
export function storedErase(): void {
  if (store_read(SLOT, SCRATCH, 0) !== 0) store_write(SLOT, SCRATCH, 0);
}

/** A generation for a key or epoch that comes after one known and, by the atServer's clock, after any unknown. */
export function storedGeneration(known: u32): u32 {
  return max<u32>(known + 1, (watermarkEpoch() / 1000) as u32);
}

/** Gives the peer a new epoch, after his own and one known otherwise, and an empty table. 0, NoEntropy, StoreFailed. */
export function storedRenew(peer: usize, known: u32): i32 {
  let status = drbgGenerate(peer + PEER_EPOCH + 4, 12);
  if (status < 0) return status;
  known = max<u32>(known, bytesLoad32(peer + PEER_EPOCH));
  bytesStore32(peer + PEER_EPOCH, storedGeneration(known));
  peersSet(peer, PEER_ISSUED);
  peersUnset(peer, PEER_PUBLISHED);
  store<u32>(peer + PEER_ISSUE_DUE, 0);
  status = storedWrite();
  return status < 0 ? status : numbersRestart(peersPlace(peer), peer + PEER_EPOCH);
}
