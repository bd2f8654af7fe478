// SPDX-License-Identifier: BSD-3-Clause
// The keyring in the board's store, slot 1. What is written is read back and compared before
// anything is done that can't be undone: a power cut leaves the old identity or the new one.
import { bytesEqual, bytesWipe } from "../bytes";
import { store_read, store_write } from "../hal";
import { KEYRING_MAX, keyringClear, keyringOpen, keyringSeal } from "../keys/keyring";
import { shareClear } from "../keys/share";
import { KEYRING, SCRATCH } from "../memory";
import { Status } from "../status";
import { storedErase } from "./peers/stored";

const SLOT: u32 = 1;

/**
 * Loads the keyring. 0, NotEnrolled when nothing is stored, or StoreFailed (unreadable or damaged:
 * nothing is overwritten).
 */
export function identityLoad(): i32 {
  keyringClear();
  shareClear();
  const len = store_read(SLOT, KEYRING, KEYRING_MAX);
  if (len === 0) {
    keyringClear();
    return Status.NotEnrolled;
  }
  if (len < 0 || <u32>len > KEYRING_MAX) {
    keyringClear();
    return Status.StoreFailed;
  }
  return keyringOpen(len);
}

/** Stores the keyring and reads it back. 0 or StoreFailed. */
export function identityStore(): i32 {
  const len = keyringSeal();
  if (store_write(SLOT, KEYRING, len) < 0) return Status.StoreFailed;
  const read = store_read(SLOT, SCRATCH, KEYRING_MAX);
  const same = <u32>read === len && bytesEqual(SCRATCH, KEYRING, len) !== 0;
  bytesWipe(SCRATCH, KEYRING_MAX);
  return same ? 0 : Status.StoreFailed;
}

/**
 * Forgets the keyring, here and in the store: an enrollment that came to nothing. 0 or StoreFailed.
 */
export function identityErase(): i32 {
  keyringClear();
  shareClear();
  storedErase();
  return store_write(SLOT, KEYRING, 0) < 0 ? Status.StoreFailed : 0;
}
