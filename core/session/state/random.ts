// SPDX-License-Identifier: BSD-3-Clause
// The board's entropy for the core's generator. SP 800-90A §8.6.7: 32 bytes of entropy and 16 of
// nonce.
import { bytesHex, bytesWipe } from "../../bytes";
import { drbgGenerate, drbgReseed, drbgSeed } from "../../crypto/drbg";
import { entropy } from "../../hal";
import { KEY_WORK } from "../../memory";
import { Status } from "../../status";

const SEED_LEN: u32 = 48;

/** Seeds the generator. 0 or NoEntropy. */
export function randomSeed(): i32 {
  if (entropy(KEY_WORK, SEED_LEN) < 0) return Status.NoEntropy;
  const status = drbgSeed(KEY_WORK, SEED_LEN);
  bytesWipe(KEY_WORK, SEED_LEN);
  return status;
}

/** Mixes fresh entropy in, before each connection. 0 or NoEntropy. */
export function randomRefresh(): i32 {
  if (entropy(KEY_WORK, SEED_LEN) < 0) return Status.NoEntropy;
  const status = drbgReseed(KEY_WORK, SEED_LEN);
  bytesWipe(KEY_WORK, SEED_LEN);
  return status;
}

/** A duration between half of `milliseconds` and all of it. */
export function randomJitter(milliseconds: i64): i64 {
  store<u32>(KEY_WORK, 0);
  // Without randomness the pause is merely not spread.
  if (drbgGenerate(KEY_WORK, 4) < 0) return milliseconds;
  const half = milliseconds / 2;
  const spread = (load<u32>(KEY_WORK) as i64) % (half + 1);
  bytesWipe(KEY_WORK, 4);
  return half + spread;
}

/** Writes a random (version 4) UUID, 36 characters (RFC 9562 §5.4). 0 or NoEntropy. */
export function randomUuid(out36: usize): i32 {
  const status = drbgGenerate(KEY_WORK, 16);
  if (status < 0) return status;
  store<u8>(KEY_WORK + 6, (load<u8>(KEY_WORK + 6) & 0x0f) | 0x40);
  store<u8>(KEY_WORK + 8, (load<u8>(KEY_WORK + 8) & 0x3f) | 0x80);
  // 8-4-4-4-12 digits.
  let at = out36;
  for (let i: u32 = 0; i < 16; i += 2) {
    if (i >= 4 && i <= 10) {
      store<u8>(at, 0x2d);
      at++;
    }
    bytesHex(at, KEY_WORK + i, 2);
    at += 4;
  }
  bytesWipe(KEY_WORK, 16);
  return 0;
}
