// SPDX-License-Identifier: BSD-3-Clause
// The list of peers, what a value of theirs is worth, and whether it may be obeyed. core/AUTHENTICITY.md, sections 2 and 8.
//
// The list is Config.Peers, entries with one space between: an atSign, `:` and the text of its fingerprint where it came another
// way, `+` where values that can't be verified are taken from it as well. `*` takes those of anybody else. No list: `*`.
import { bytesEqual } from "../../bytes";
import { CODE_LEN, codeRead, codeWrite } from "../../codec/code";
import { JSON_END, JSON_KEY, jsonNext, jsonOpen, jsonText, jsonTextLen } from "../../codec/json";
import {
  PEER_DIGITS,
  PEER_LENIENT,
  PEER_LIST,
  PEER_LISTED,
  PEER_PIN,
  PEER_PINNED,
  PEER_PROVISIONED,
  PEER_VERIFIED,
  peersDismiss,
  peersEnlist,
  peersForget,
  peersHas,
  peersSet,
} from "../../keys/peers";
import { KEY_WORK } from "../../memory";
import { Status } from "../../status";
import { atsignEqual, atsignIsValid } from "../../wire/atsign";
import { Config, configLen, configPtr } from "../state/config";

/** What is known of a value: bits of event_verdict(). */
export const enum Verdict {
  Encrypted = 1,
  Authentic = 2,
  Fresh = 4,
  Pinned = 8,
  Provisioned = 16,
}

const SPACE: u8 = 0x20;
const COLON: u8 = 0x3a;
const PLUS: u8 = 0x2b;
const STAR: u8 = 0x2a;

/** Values of anybody who isn't on the list are taken. */
let others: bool = true;
let namespace: usize = 0;
let namespaceLength: u32 = 0;

/** Reads the list and the namespace. 0, BadArgument or BadAtSign. */
export function trustBegin(): i32 {
  findNamespace();
  peersDismiss();
  others = configLen(Config.Peers) === 0;
  let at = configPtr(Config.Peers);
  const end = at + configLen(Config.Peers);
  let count: u32 = 0;
  while (at < end) {
    const len = run(at, (end - at) as u32, SPACE);
    if (len === 1 && load<u8>(at) === STAR) others = true;
    else {
      const status = count < PEER_LIST ? enlist(at, len) : Status.BadArgument;
      if (status < 0) return status;
      count++;
    }
    at += len + 1;
  }
  return 0;
}

/** The namespace of values that can be authentic; its length is 0 when there is none. */
export function trustNamespace(): usize {
  return namespace;
}

export function trustNamespaceLen(): u32 {
  return namespaceLength;
}

/** Whether this is that namespace. */
export function trustIsNamespace(x: usize, len: u32): bool {
  return len > 0 && atsignEqual(x, len, namespace, namespaceLength);
}

/** Whether what can't be verified is taken from him: 0 is somebody who isn't on the list. */
export function trustTakes(peer: usize): bool {
  if (!peer || !peersHas(peer, PEER_LISTED)) return others;
  if (peersHas(peer, PEER_LENIENT)) return true;
  return !peersHas(peer, PEER_PROVISIONED) && !peersHas(peer, PEER_VERIFIED);
}

/** Bits of the verdict that tell of his pin. */
export function trustPin(peer: usize): u32 {
  if (!peersHas(peer, PEER_LISTED | PEER_PINNED)) return 0;
  return peersHas(peer, PEER_PROVISIONED) ? Verdict.Pinned | Verdict.Provisioned : Verdict.Pinned;
}

function enlist(x: usize, len: u32): i32 {
  let flags: u32 = 0;
  if (len > 0 && load<u8>(x + len - 1) === PLUS) {
    flags = PEER_LENIENT;
    len--;
  }
  const name = run(x, len, COLON);
  if (!atsignIsValid(x, name)) return Status.BadAtSign;
  const peer = peersEnlist(x, name);
  if (name < len) {
    flags |= PEER_PROVISIONED;
    const given = KEY_WORK + 64;
    if (codeRead(given, x + name + 1, len - name - 1) < 0) return Status.BadArgument;
    codeWrite(KEY_WORK, peer + PEER_PIN);
    // Provisioned anew, for another key of his.
    if (!bytesEqual(KEY_WORK, given, CODE_LEN)) {
      peersForget(peer);
      peersEnlist(x, name);
    }
    memory.copy(peer + PEER_DIGITS, given, CODE_LEN);
  }
  peersSet(peer, flags);
  return 0;
}

// The first name that may be written to.
function findNamespace(): void {
  jsonOpen(KEY_WORK, configPtr(Config.Namespaces), configLen(Config.Namespaces));
  namespaceLength = 0;
  let token = jsonNext(KEY_WORK);
  while (token > JSON_END && namespaceLength === 0) {
    token = jsonNext(KEY_WORK);
    if (token !== JSON_KEY) continue;
    namespace = jsonText(KEY_WORK);
    const len = jsonTextLen(KEY_WORK);
    token = jsonNext(KEY_WORK);
    const mode = jsonText(KEY_WORK);
    if (jsonTextLen(KEY_WORK) === 2 && load<u8>(mode + 1) === 0x77) namespaceLength = len;
  }
}

// How many bytes there are before this one.
function run(x: usize, len: u32, end: u8): u32 {
  let n: u32 = 0;
  while (n < len && load<u8>(x + n) !== end) n++;
  return n;
}
