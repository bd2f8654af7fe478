// SPDX-License-Identifier: BSD-3-Clause
// Keys and epochs this device issues: made when it starts first after provisioning, written for its atSign's other clients, read
// back, written for the peer, and hinted at; at each login until all was confirmed. core/AUTHENTICITY.md, section 3.2.
import { bytesEqual, bytesLoad32, bytesWipe } from "../../bytes";
import { base64Decode, base64Encode, base64Key } from "../../codec/base64";
import { aesCtrCrypt, pkcs7Pad } from "../../crypto/aesCtr";
import { drbgGenerate } from "../../crypto/drbg";
import { keyringSelf, keyringWrap } from "../../keys/keyring";
import {
  PEER_EPOCH,
  PEER_ISSUE_DUE,
  PEER_ISSUED,
  PEER_ISSUED_KEY,
  PEER_LIST,
  PEER_LISTED,
  PEER_OTHER,
  PEER_PINNED,
  PEER_PUBLISHED,
  PEER_WRITTEN,
  peersAsked,
  peersAt,
  peersAtsign,
  peersAtsignLen,
  peersHas,
  peersIsDue,
  peersSet,
  peersUnset,
} from "../../keys/peers";
import { shareChecksum, sharePublic } from "../../keys/share";
import { KEY_WORK, SCRATCH, SHARE_IV } from "../../memory";
import { Status } from "../../status";
import { atkeyParse } from "../../wire/atkey";
import { memberLen, memberPtr } from "../../wire/member";
import { metadataFlags, metadataIv, metadataIvLen, metadataRecord } from "../../wire/metadata";
import { requestNotify, requestPublicKey, requestUpdate } from "../../wire/request";
import { responseIsNull, responseLen, responsePtr, responseStatus } from "../../wire/response";
import { LLOOKUP, LLOOKUP_ALL, PLOOKUP } from "../../wire/words";
import { eventJudge, eventVerdict } from "../state/event";
import { randomUuid } from "../state/random";
import { NAME, NameOf, nameRequest, nameWipe, nameWrite } from "./name";
import { Kind, sealedAbout, sealedOpen, sealedSeal, sealedValue, Target } from "./sealed";
import { storedRenew, storedWrite } from "./stored";
import { trustNamespaceLen, Verdict } from "./trust";

/** The request whose reply is awaited. */
const enum Step {
  None,
  /** The peer's public key, to pin or to wrap with. */
  Public,
  Own,
  PutOwn,
  /** The record for the peer, for the text it holds. */
  Mine,
  PutMine,
  /** The same, for the hint. */
  Again,
  Hint,
}

const VIEW: usize = memory.data(24, 8);
/** A wrapped key, and a notification's id: what makes them works in the bytes before. */
const WRAPPED: usize = KEY_WORK + 48;
const ID: usize = KEY_WORK + 64;
/** Text of an own copy: 44 characters of the key, a colon, 24 of the epoch; padded. */
const OWN: usize = SCRATCH + 768;
const KEY_TEXT: u32 = 44;
const EPOCH_AT: u32 = KEY_TEXT + 1;
const EPOCH_TEXT: u32 = 24;
const OWN_LEN: u32 = EPOCH_AT + EPOCH_TEXT;
const OWN_PADDED: u32 = 80;
/** Base64 of a wrapped key, which is shorter than that of a public key. */
const WRAPPED_TEXT: u32 = 344;

let on: bool = false;
let step: Step = Step.None;
let peer: usize = 0;
/** The own copy was written in this round. */
let wrote: bool = false;

/** A new connection: whether this device hears its peers, and so issues keys. */
export function issueBegin(hears: bool): void {
  on = hears;
  step = Step.None;
}

/** Whether there is something to ask or to write. */
export function issueIsDue(now: i64): bool {
  if (!on || trustNamespaceLen() === 0) return false;
  for (let i: u32 = 0; i < PEER_LIST && step === Step.None; i++) {
    peer = peersAt(i);
    if (!peersHas(peer, PEER_LISTED) || !peersIsDue(peer, PEER_ISSUE_DUE, now)) continue;
    // The next round, should this one come to nothing.
    peersAsked(peer, PEER_ISSUE_DUE, false, now);
    step = peersHas(peer, PEER_PINNED) ? Step.Own : Step.Public;
    wrote = false;
  }
  return step !== Step.None;
}

/** The atSign it is about. */
export function issueAtsign(): usize {
  return peersAtsign(peer);
}

export function issueAtsignLen(): u32 {
  return peersAtsignLen(peer);
}

/** Writes the next request: the length of its line, or negative: what is to be told, and the round is over. */
export function issueNext(): i32 {
  const line = ask();
  if (line < 0) step = Step.None;
  return line;
}

function ask(): i32 {
  switch (step) {
    case Step.Public:
      return requestPublicKey(PLOOKUP, peersAtsign(peer), peersAtsignLen(peer));
    case Step.Own:
      return nameRequest(LLOOKUP_ALL, NameOf.Own, peer);
    case Step.PutOwn:
      return putOwn();
  }
  return nameRequest(LLOOKUP, NameOf.Mine, peer);
}

/** Takes the reply: the length of a line to be sent at once; 0; or negative: what is to be told, and the round is over. */
export function issueReply(isError: bool, now: i64): i32 {
  const isMissing = isError ? responseStatus() === Status.NotFound : responseIsNull();
  const line = isError && !isMissing ? Status.NotFound : reply(isMissing, now);
  if (line < 0) step = Step.None;
  return line;
}

function reply(isMissing: bool, now: i64): i32 {
  const x = responsePtr();
  switch (step) {
    case Step.Own:
      return takeOwn(isMissing ? 0 : ownCopy(x, responseLen()), now);
    case Step.Mine:
      if (isMissing) step = Step.Public;
      else return putMine(Step.PutMine, x, responseLen());
      return 0;
  }
  if (isMissing) return Status.NotFound;
  switch (step) {
    case Step.Public:
      return takePublic(x);
    case Step.PutOwn:
      wrote = true;
      step = Step.Own;
      return 0;
    case Step.PutMine:
      peersSet(peer, PEER_WRITTEN);
      step = Step.Again;
      return 0;
    case Step.Again:
      return putMine(Step.Hint, x, responseLen());
  }
  step = Step.None;
  // There is another epoch by now.
  if (load<u32>(peer + PEER_ISSUE_DUE) === 0) return 0;
  peersSet(peer, PEER_PUBLISHED);
  peersAsked(peer, PEER_ISSUE_DUE, true, now);
  return storedWrite();
}

function takePublic(x: usize): i32 {
  let status = sharePublic(peer, x, responseLen());
  if (status < 0) return status;
  if (!peersHas(peer, PEER_ISSUED)) {
    step = Step.Own;
    return storedWrite();
  }
  status = keyringWrap(WRAPPED, peer + PEER_ISSUED_KEY, x);
  if (status < 0) return status;
  base64Encode(x, WRAPPED_TEXT, WRAPPED, 256);
  return putMine(Step.PutMine, x, WRAPPED_TEXT);
}

// own: the key and epoch of the own copy; 0: there is none, or none that this atSign wrote.
function takeOwn(own: usize, now: i64): i32 {
  peersUnset(peer, PEER_OTHER);
  const issued = peersHas(peer, PEER_ISSUED);
  if (!issued) {
    let status = 0;
    if (own) {
      memory.copy(peer + PEER_ISSUED_KEY, own, 32);
      peersSet(peer, PEER_WRITTEN);
    } else status = drbgGenerate(peer + PEER_ISSUED_KEY, 32);
    if (status >= 0) status = storedRenew(peer, own ? bytesLoad32(own + EPOCH_AT) : 0);
    // That asked for another round, which is this one.
    peersAsked(peer, PEER_ISSUE_DUE, false, now);
    step = Step.PutOwn;
    return status;
  }
  if (own && bytesLoad32(own + EPOCH_AT) > bytesLoad32(peer + PEER_EPOCH)) {
    peersSet(peer, PEER_OTHER);
    peersAsked(peer, PEER_ISSUE_DUE, true, now);
    return Status.OtherIssuer;
  }
  const isRight =
    own !== 0 &&
    (bytesEqual(own, peer + PEER_ISSUED_KEY, 32) &
      bytesEqual(own + EPOCH_AT, peer + PEER_EPOCH, 16)) !==
      0;
  if (!isRight) {
    if (wrote) return Status.NotFound;
    step = Step.PutOwn;
  } else if (!peersHas(peer, PEER_PUBLISHED)) {
    step = peersHas(peer, PEER_WRITTEN) ? Step.Mine : Step.Public;
  } else {
    peersAsked(peer, PEER_ISSUE_DUE, true, now);
    step = Step.None;
  }
  return 0;
}

// Where the key, 32 bytes, and at EPOCH_AT the epoch of an own copy lie; 0: it isn't one that this atSign wrote.
function ownCopy(x: usize, len: u32): usize {
  if (!metadataRecord(x, len)) return 0;
  const own = memberPtr();
  aboutOwn(metadataFlags());
  eventJudge(0);
  const status = sealedValue(own, memberLen(), metadataIv(), metadataIvLen(), 0, 0);
  const n = status < 0 ? status : sealedOpen(0);
  nameWipe();
  const isMine = n === OWN_LEN && (eventVerdict() & Verdict.Authentic) !== 0;
  const isWhole =
    isMine &&
    base64Key(own, own) !== 0 &&
    base64Decode(own + EPOCH_AT, EPOCH_TEXT, own + EPOCH_AT, EPOCH_TEXT) === 16;
  return isWhole ? own : 0;
}

// The name stays at NAME until nameWipe().
function aboutOwn(flags: u32): i32 {
  const len = nameWrite(NameOf.Own, peer);
  if (len < 0) return len;
  sealedAbout(VIEW, Target.Self, 0, Kind.Record, flags);
  const status = atkeyParse(VIEW, NAME, len);
  return status < 0 ? status : len;
}

function putOwn(): i32 {
  base64Encode(OWN, KEY_TEXT, peer + PEER_ISSUED_KEY, 32);
  store<u8>(OWN + KEY_TEXT, 0x3a);
  base64Encode(OWN + EPOCH_AT, EPOCH_TEXT, peer + PEER_EPOCH, 16);
  pkcs7Pad(OWN, OWN_LEN, OWN_PADDED);
  const len = aboutOwn(0);
  let line = len < 0 ? len : sealedSeal(OWN, OWN_PADDED);
  if (line >= 0) {
    aesCtrCrypt(OWN, OWN, OWN_PADDED, keyringSelf(), SHARE_IV);
    line = requestUpdate(NAME, len, 0, 0, true, 0, 0, false, SHARE_IV, OWN, OWN_PADDED);
  }
  bytesWipe(OWN, OWN_PADDED);
  nameWipe();
  return line;
}

// Writes the record for the peer, or the hint at it: the text as it is, and the epoch of now.
function putMine(then: Step, x: usize, len: u32): i32 {
  const name = nameWrite(NameOf.Mine, peer);
  if (name < 0) return name;
  const epoch = peer + PEER_EPOCH;
  const checksum = load<u8>(shareChecksum(peer)) ? shareChecksum(peer) : 0;
  step = then;
  let line: i32 = 0;
  if (then === Step.PutMine) {
    line = requestUpdate(NAME, name, 0, 0, false, 0, checksum, false, epoch, x, len);
  } else {
    line = randomUuid(ID);
    if (line >= 0) line = requestNotify(NAME, name, ID, 0, false, 0, checksum, epoch, x, len);
  }
  nameWipe();
  return line;
}
