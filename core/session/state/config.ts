// SPDX-License-Identifier: BSD-3-Clause
// What the board configures: who the device is, where the atDirectory is, what it asks to be
// allowed.
import { bytesWipe } from "../../bytes";
import { CODE_LEN, codeRead } from "../../codec/code";
import { CONFIG, KEY_WORK } from "../../memory";
import { Status } from "../../status";
import { addressIsValid } from "../../wire/address";
import { atsignNormalise } from "../../wire/atsign";

export const enum Config {
  AtSign = 1,
  Directory = 2,
  App = 3,
  Device = 4,
  Namespaces = 5,
  Regex = 6,
  LegacyIv = 7,
  Login = 8,
  Encryption = 9,
  Self = 10,
  EnrollmentId = 11,
  Passcode = 12,
  /** "1": the approving client's answer may come without IVs. */
  LegacyAnswer = 13,
  /** "1": what peers send unencrypted is delivered, and marked. */
  Plaintext = 14,
  /** Who may command, with fingerprints: session/peers/trust.ts. */
  Peers = 15,
  /** The atServer's address, as the atDirectory gave it; not for the caller. */
  Address = 16,
}

/**
 * Where each value lies in CONFIG, in the order of Config; the next one's place is its end. Keys
 * aren't kept here; of a switch its first character is.
 */
const PLACES: usize = memory.data<u16>([
  0, 0, 168, 296, 360, 424, 616, 744, 745, 745, 745, 745, 745, 809, 810, 811, 1003, 1131,
]);
const LENGTHS: usize = CONFIG + 1132;
/** A longer one without a separator has lost those of its pairing code. */
const PASSCODE_MAX: u32 = 20;

/**
 * Keeps a value. 0, BadArgument when it does not fit or has control characters, BadAtSign. x may be
 * changed.
 */
export function configSet(field: i32, x: usize, len: u32): i32 {
  if (field === Config.AtSign) {
    const n = atsignNormalise(x, len);
    if (n < 0) return n;
    len = n;
  }
  if (field === Config.Directory && !addressIsValid(x, len)) return Status.BadArgument;
  const room = place(field + 1) - place(field);
  if (len > room) return Status.BadArgument;
  if (field === Config.Passcode && !isPasscode(x, len)) return Status.BadPasscode;
  // A switch is 0 or 1.
  if (room === 1 && len === 1 && load<u8>(x) >>> 1 !== 0x18) return Status.BadArgument;
  // These become parts of lines.
  for (let i: u32 = 0; i < len; i++) {
    if (load<u8>(x + i) < 0x20) return Status.BadArgument;
  }
  const at = configPtr(field);
  bytesWipe(at, room);
  memory.copy(at, x, len);
  store<u16>(LENGTHS + 2 * field, len as u16);
  return 0;
}

/** Where a value lies. */
export function configPtr(field: i32): usize {
  return CONFIG + place(field);
}

/** Its length; 0: not set. */
export function configLen(field: i32): u32 {
  return load<u16>(LENGTHS + 2 * field);
}

/** Whether a switch is on: LegacyIv (values are written with the zero IV), LegacyAnswer, Plaintext. */
export function configIs(field: i32): bool {
  return load<u8>(configPtr(field)) === 0x31;
}

/** Length of the passcode without its pairing code. */
export function configPasscodeLen(): u32 {
  return codeBegin(configPtr(Config.Passcode), configLen(Config.Passcode));
}

/** Writes the 20 digits of the pairing code behind the passcode. False: there is none. */
export function configCode(out20: usize): bool {
  const from = configPasscodeLen();
  return (
    codeRead(out20, configPtr(Config.Passcode) + from, configLen(Config.Passcode) - from) === 0
  );
}

// Where what is behind the passcode begins.
function codeBegin(x: usize, len: u32): u32 {
  let n: u32 = 0;
  while (n < len && load<u8>(x + n) !== 0x2d && load<u8>(x + n) !== 0x20) n++;
  return n;
}

// A pairing code must not be taken for a part of a passcode: that is sent.
function isPasscode(x: usize, len: u32): bool {
  const from = codeBegin(x, len);
  if (from === len) return len <= PASSCODE_MAX;
  const status = codeRead(KEY_WORK, x + from, len - from);
  bytesWipe(KEY_WORK, CODE_LEN);
  return status === 0;
}

function place(field: i32): u32 {
  return load<u16>(PLACES + 2 * field);
}
