// SPDX-License-Identifier: BSD-3-Clause
// An identity made elsewhere, key by key. The first key wipes the identity in memory; with login,
// encryption and self key the new one is stored and read back. Until then the store keeps the old
// one.
import {
  keyringClear,
  keyringIsComplete,
  keyringSetAtsign,
  keyringSetId,
  keyringTakeLogin,
  keyringTakePrivate,
  keyringTakeSelf,
} from "../keys/keyring";
import { shareClear } from "../keys/share";
import { OP_VALUE } from "../memory";
import { Status } from "../status";
import { identityStore } from "./identity";
import { storedErase } from "./peers/stored";
import { Config, configLen, configPtr } from "./state/config";
import { watermarkErase } from "./state/watermark";

/** A key of the identity being imported was taken. */
let started: bool = false;

/** The next key is the first of an identity. */
export function importBegin(): void {
  started = false;
}

/**
 * Takes the key of `len` bytes at OP_VALUE: Config.Login to Config.EnrollmentId. 0 or negative;
 * WrongState without an atSign.
 */
export function importKey(field: i32, len: u32): i32 {
  if (configLen(Config.AtSign) === 0) return Status.WrongState;
  if (!started) {
    keyringClear();
    shareClear();
    keyringSetAtsign(configPtr(Config.AtSign), configLen(Config.AtSign));
    started = true;
  }
  const status = take(field, len);
  if (status < 0 || !keyringIsComplete()) return status;
  watermarkErase();
  storedErase();
  return identityStore();
}

function take(field: i32, len: u32): i32 {
  switch (field) {
    case Config.Login:
      return keyringTakeLogin(OP_VALUE, len);
    case Config.Encryption:
      return keyringTakePrivate(OP_VALUE, len);
    case Config.Self:
      return keyringTakeSelf(OP_VALUE, len);
  }
  return keyringSetId(OP_VALUE, len);
}
