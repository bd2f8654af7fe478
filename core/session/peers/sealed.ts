// SPDX-License-Identifier: BSD-3-Clause
// Values on their way in and out: decrypted, verified, and sealed. core/AUTHENTICITY.md, sections 3.3, 4 and 6.
import { bytesEqual } from "../../bytes";
import { aesCtrCrypt, pkcs7Unpad } from "../../crypto/aesCtr";
import { keyringSelf } from "../../keys/keyring";
import {
  PEER_CARRIED,
  PEER_CARRIED_KEY,
  PEER_EPOCH,
  PEER_EPOCH_UNTIL,
  PEER_IN,
  PEER_IN_KEY,
  PEER_ISSUED,
  PEER_ISSUED_KEY,
  PEER_LISTED,
  PEER_OTHER,
  PEER_OUT_KEY,
  PEER_PINNED,
  PEER_TAKEN,
  PEER_TAKEN_KEY,
  PEER_THEIR_EPOCH,
  PEER_VERIFIED,
  peersHas,
  peersPlace,
  peersSet,
} from "../../keys/peers";
import {
  SEAL_OUT,
  sealBegin,
  sealBytes,
  sealEnd,
  sealExpand,
  sealFrom,
  sealNumber,
  sealPart,
  sealWipe,
  sealWord,
} from "../../keys/seal";
import { shareCarried, shareDecode, shareExchange, shareIv, shareKnown } from "../../keys/share";
import { SHARE_IV } from "../../memory";
import { Retry, retryMay } from "../../retries";
import { Status } from "../../status";
import {
  ATKEY_ENTITY,
  ATKEY_NAMESPACE,
  ATKEY_OWNER,
  ATKEY_SHARED_WITH,
  atkeyEnd,
  atkeyLen,
  atkeyPtr,
} from "../../wire/atkey";
import { startsWith } from "../../wire/response";
import { AUTH_RECORD, NOTIFY, RECORD, SELF } from "../../wire/words";
import { Config, configLen, configPtr } from "../state/config";
import { eventJudge } from "../state/event";
import { numbersNext, numbersTake } from "./numbers";
import { storedRenew, storedWrite } from "./stored";
import { trustIsNamespace, trustPin, trustTakes, Verdict } from "./trust";

/** Whose value it is, which says by what keys. */
export const enum Target {
  Self,
  /** Mine, for a peer. */
  Out,
  /** A peer's, for me. */
  In,
  Public,
}

/** What of it: the first byte of what is authenticated. */
export const enum Kind {
  Update = 1,
  Delete = 2,
  Record = 3,
}

const TAG_LEN: u32 = 10;
const NUMBER_LEN: u32 = 6;
const COLON: u32 = 0x3a;
/** What has to be known of a peer to seal for him. */
const SENDS: u32 = PEER_LISTED | PEER_PINNED | PEER_TAKEN;

/** The value at hand: its atKey, the peer it is of or for (0: none), its kind and flags. */
let view: usize = 0;
let target: Target = Target.Self;
let peer: usize = 0;
let kind: Kind = Kind.Record;
let flags: u32 = 0;
let verdict: u32 = 0;
/** Where its ciphertext lies, decoded, and the text of the key that came with it; 1: that is at PEER_CARRIED_KEY. */
let text: usize = 0;
let length: i32 = 0;
let hasIv: bool = false;
let wrapped: usize = 0;
let wrappedLength: u32 = 0;
let came: i32 = 0;

/** Says what value the next calls are about. key: a view of its atKey; flags: bit 0 isBinary, bit 1 any encoding. */
export function sealedAbout(key: usize, t: Target, whose: usize, k: Kind, f: u32): void {
  view = key;
  target = t;
  peer = whose;
  kind = k;
  flags = f;
}

/** Whether an atKey is one of the scheme's own, which no application writes or is handed. */
export function sealedIsOwn(key: usize): bool {
  return startsWith(atkeyPtr(key, ATKEY_ENTITY), atkeyLen(key, ATKEY_ENTITY), AUTH_RECORD);
}

/**
 * Gives the value at hand, padded, its IV at SHARE_IV. 0; NoValue when it can't be sealed, for its namespace or name isn't one
 * for that, or the peer issued no key; else negative. secret: x.
 */
export function sealedSeal(x: usize, n: u32): i32 {
  if (!isOurs() || (target === Target.Out && !peersHas(peer, SENDS))) return Status.NoValue;
  const status = numbersNext(SHARE_IV);
  if (status < 0) return status;
  makeTag(x, n);
  memory.copy(SHARE_IV + NUMBER_LEN, SEAL_OUT, TAG_LEN);
  sealWipe();
  return 0;
}

/**
 * Takes the value at hand, to be opened in place: base64 of `len` characters, 0: there is none. iv: the text of its IV, ivLen
 * 0: none. key: the text of the key that came with it, keyLen 0: none. 0, or negative when these are no such texts.
 */
export function sealedValue(
  x: usize,
  len: u32,
  iv: usize,
  ivLen: u32,
  key: usize,
  keyLen: u32,
): i32 {
  const status = shareIv(iv, ivLen);
  if (status < 0) return status;
  hasIv = status > 0;
  text = x;
  wrapped = key;
  wrappedLength = keyLen;
  came = 0;
  // A record has a value.
  length = len > 0 || kind === Kind.Record ? shareDecode(x, len) : 0;
  return min<i32>(length, 0);
}

/**
 * Opens it: the plaintext's length, or negative: NotAuthentic when it may not be obeyed, Pending when it came before; Busy: the
 * key that came with it is wanted, so sealedUnwrap() and this again. The verdict goes to the event.
 */
export function sealedOpen(now: i64): i32 {
  verdict = Verdict.Encrypted;
  const key = target === Target.In ? theirs(now) : mine();
  if (key < 0 && (length > 0 || key !== Status.NoSharedKey)) return key;
  eventJudge(verdict);
  if (length === 0) return 0;
  if (key) aesCtrCrypt(text, text, length, key, SHARE_IV);
  return pkcs7Unpad(text, length);
}

/**
 * Opens the key that came with the value, when it may be opened now. Apart, for that calls far down, and what is above it keeps
 * its code in the board's memory.
 */
export function sealedUnwrap(now: i64): void {
  came = shareCarried(peer, wrapped, wrappedLength, now);
  wrappedLength = 0;
}

// Each opens and verifies. The key a value that wasn't verified is to be opened with, 0 when it is verified and open; negative.
function mine(): i32 {
  const key = target === Target.Self ? keyringSelf() : peer + PEER_OUT_KEY;
  const judged = hasIv && isOurs() && (target === Target.Self || peersHas(peer, SENDS));
  if (!judged || !attempt(key)) return key as i32;
  verdict |= Verdict.Authentic;
  return 0;
}

function theirs(now: i64): i32 {
  verdict |= trustPin(peer);
  const knows = peersHas(peer, PEER_LISTED | PEER_ISSUED) && !peersHas(peer, PEER_OTHER);
  const judged = knows && hasIv && isOurs();
  if (!judged && !trustTakes(peer)) return Status.NotAuthentic;
  if (judged && peersHas(peer, PEER_IN) && attempt(peer + PEER_IN_KEY)) return take(false, now);
  if (wrappedLength > 0) return Status.Busy;
  if (judged && peersHas(peer, PEER_CARRIED)) {
    shareExchange(peer);
    if (attempt(peer + PEER_IN_KEY)) return take(true, now);
    shareExchange(peer);
  }
  if (!trustTakes(peer)) return Status.NotAuthentic;
  if (came < 0) return came;
  return came > 0 ? ((peer + PEER_CARRIED_KEY) as i32) : shareKnown(peer);
}

// It is verified. exchanged: by the key that came with it, which takes the known one's place when this is new.
function take(exchanged: bool, now: i64): i32 {
  let status: i32 = 1;
  verdict |= Verdict.Authentic;
  if (kind !== Kind.Record) {
    verdict |= Verdict.Fresh;
    status = numbersTake(peersPlace(peer), SHARE_IV, now);
    if (status === Status.NoRoom) status = renew(now);
  }
  if (exchanged && (kind === Kind.Record || status <= 0)) {
    shareExchange(peer);
    exchanged = false;
  }
  if (status <= 0) return status === 0 ? Status.Pending : status;
  if (!exchanged && peersHas(peer, PEER_VERIFIED)) return 0;
  peersSet(peer, PEER_VERIFIED);
  return storedWrite();
}

// Nobody gives way in a full table, who was sent away could be replayed: under a new epoch there is nothing to replay.
function renew(now: i64): i32 {
  if (!retryMay(peer + PEER_EPOCH_UNTIL, Retry.Epoch, now)) return Status.NotAuthentic;
  const status = storedRenew(peer, 0);
  return status < 0 ? status : 1;
}

function attempt(key: usize): bool {
  aesCtrCrypt(text, text, length, key, SHARE_IV);
  makeTag(text, length);
  const good = bytesEqual(SEAL_OUT, SHARE_IV + NUMBER_LEN, TAG_LEN) !== 0;
  sealWipe();
  if (!good) aesCtrCrypt(text, text, length, key, SHARE_IV);
  return good;
}

// Whether its atKey and kind are those of a value that can be authentic.
function isOurs(): bool {
  const len = atkeyLen(view, ATKEY_NAMESPACE);
  // What one notifies oneself of has no epoch.
  if (target === Target.Self) return len > 0 && kind === Kind.Record;
  return trustIsNamespace(atkeyPtr(view, ATKEY_NAMESPACE), len) && !sealedIsOwn(view);
}

// The tag of the number at SHARE_IV and the padded plaintext, at SEAL_OUT.
function makeTag(x: usize, n: u32): void {
  if (target === Target.Self) {
    sealFrom(keyringSelf(), 32);
    sealWord(SELF);
    part(ATKEY_OWNER);
  } else {
    sealFrom(peer + (target === Target.Out ? PEER_TAKEN_KEY : PEER_ISSUED_KEY), 64);
    sealWord(kind === Kind.Record ? RECORD : NOTIFY);
    part(ATKEY_OWNER);
    sealPart(receiver(), receiverLen());
    part(ATKEY_NAMESPACE);
    if (kind !== Kind.Record) {
      sealPart(peer + (target === Target.Out ? PEER_THEIR_EPOCH : PEER_EPOCH), 16);
    }
  }
  sealExpand();
  sealBegin(SEAL_OUT);
  sealNumber((kind << 8) | flags, 2);
  sealBytes(SHARE_IV, NUMBER_LEN);
  part(ATKEY_OWNER);
  sealPart(receiver(), receiverLen());
  // The atKey as it is in full, whoever left out what.
  const rest = atkeyPtr(view, ATKEY_ENTITY);
  const restLen = (atkeyEnd(view) - rest) as u32;
  if (target === Target.Self) sealPart(rest, restLen);
  else {
    sealNumber(receiverLen() + 1 + restLen, 2);
    sealBytes(receiver(), receiverLen());
    sealNumber(COLON, 1);
    sealBytes(rest, restLen);
  }
  sealNumber(n, 4);
  sealBytes(x, n);
  sealEnd();
}

function part(which: u32): void {
  sealPart(atkeyPtr(view, which), atkeyLen(view, which));
}

function receiver(): usize {
  return target === Target.Out ? atkeyPtr(view, ATKEY_SHARED_WITH) : configPtr(Config.AtSign);
}

function receiverLen(): u32 {
  return target === Target.Out ? atkeyLen(view, ATKEY_SHARED_WITH) : configLen(Config.AtSign);
}
