// SPDX-License-Identifier: BSD-3-Clause
// What the board configures: who the device is, where the atDirectory is, what it asks to be
// allowed.
import { bytesWipe } from "../bytes";
import { CONFIG } from "../memory";
import { Status } from "../status";
import { atsignNormalise } from "../wire/atsign";

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
  /** The atServer's address, as the atDirectory gave it; not for the caller. */
  Address = 13,
}

/**
 * Where each value lies in CONFIG, in the order of Config; the next one's place is its end. 7 to 11
 * aren't kept here.
 */
const PLACES: usize = memory.data<u16>([
  0, 0, 168, 296, 360, 424, 616, 744, 744, 744, 744, 744, 744, 776, 904,
]);
const LENGTHS: usize = CONFIG + 904;

let legacyIv: bool = false;

/**
 * Keeps a value. 0, BadArgument when it does not fit or has control characters, BadAtSign. x may be
 * changed.
 */
export function configSet(field: i32, x: usize, len: u32): i32 {
  if (field === Config.LegacyIv) {
    legacyIv = len === 1 && load<u8>(x) === 0x31;
    return 0;
  }
  if (field === Config.AtSign) {
    const n = atsignNormalise(x, len);
    if (n < 0) return n;
    len = n;
  }
  const room = place(field + 1) - place(field);
  if (len > room) return Status.BadArgument;
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

/** Whether values are written with the zero IV, for peers that know no other. */
export function configLegacyIv(): bool {
  return legacyIv;
}

function place(field: i32): u32 {
  return load<u16>(PLACES + 2 * field);
}
