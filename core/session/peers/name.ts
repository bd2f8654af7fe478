// SPDX-License-Identifier: BSD-3-Clause
// Names of the records that issued keys lie in. core/AUTHENTICITY.md, section 3.2.
import { bytesWipe } from "../../bytes";
import { peersAtsign, peersAtsignLen } from "../../keys/peers";
import { KEY_MAX, SCRATCH } from "../../memory";
import { Status } from "../../status";
import { requestKey } from "../../wire/request";
import { AUTH_RECORD } from "../../wire/words";
import { Config, configLen, configPtr } from "../state/config";
import { trustNamespace, trustNamespaceLen } from "./trust";

export const enum NameOf {
  /** `__auth1_bob.ns@me`: my own copy of what I issued to bob. */
  Own,
  /** `@bob:__auth1.ns@me`: what I issued to him. */
  Mine,
  /** `__auth1.ns@bob`: what he issued to me, as lookup wants it. */
  Theirs,
}

/** Where a name is written; sealing and hashing leave it alone. Whoever writes it has it wiped by nameWipe(). */
export const NAME: usize = SCRATCH + 512;

let at: usize = 0;

/** Writes a name: its length, or KeyTooLong. */
export function nameWrite(which: NameOf, peer: usize): i32 {
  const bob = peersAtsign(peer);
  const bobLen = peersAtsignLen(peer);
  const me = configPtr(Config.AtSign);
  const meLen = configLen(Config.AtSign);
  if (bobLen + meLen + trustNamespaceLen() + 12 > KEY_MAX) return Status.KeyTooLong;
  at = NAME;
  if (which === NameOf.Mine) {
    put(bob, bobLen);
    putChar(0x3a);
  }
  put(AUTH_RECORD + 1, load<u8>(AUTH_RECORD));
  if (which === NameOf.Own) {
    putChar(0x5f);
    put(bob + 1, bobLen - 1);
  }
  putChar(0x2e);
  put(trustNamespace(), trustNamespaceLen());
  if (which === NameOf.Theirs) put(bob, bobLen);
  else put(me, meLen);
  return (at - NAME) as i32;
}

/** Writes a request that has nothing but a name: the length of its line, or negative. */
export function nameRequest(verb: usize, which: NameOf, peer: usize): i32 {
  const len = nameWrite(which, peer);
  const line = len < 0 ? len : requestKey(verb, NAME, len);
  nameWipe();
  return line;
}

/** Wipes it. */
export function nameWipe(): void {
  bytesWipe(NAME, KEY_MAX);
}

function put(x: usize, len: u32): void {
  memory.copy(at, x, len);
  at += len;
}

function putChar(c: u8): void {
  store<u8>(at, c);
  at++;
}
