// SPDX-License-Identifier: BSD-3-Clause
// What has to be known of a peer before a value can be written for him or read from him: which
// request comes next, what its reply means. atProtocol: sharing with another atSign; reading data
// shared with me.
import { bytesEqual, bytesLoad32, bytesStore32, bytesWipe } from "../../bytes";
import { base64Decode } from "../../codec/base64";
import { sha256 } from "../../crypto/sha256";
import {
  PEER_CANDIDATE,
  PEER_COPY,
  PEER_FLAGS,
  PEER_GENERATION,
  PEER_IN,
  PEER_IN_DUE,
  PEER_LISTED,
  PEER_OUT,
  PEER_OUT_KEY,
  PEER_PINNED,
  PEER_PROVISIONED,
  PEER_PUBLIC_DUE,
  PEER_READ,
  PEER_STORED_FLAGS,
  PEER_TAKEN,
  PEER_TAKEN_DUE,
  PEER_TAKEN_KEY,
  PEER_TAKEN_TEXT,
  PEER_TAKEN_UNTIL,
  PEER_THEIR_EPOCH,
  PEER_WRAPPED,
  peersAsked,
  peersFind,
  peersHas,
  peersIsDue,
  peersSet,
  peersUnset,
} from "../../keys/peers";
import {
  shareChecksum,
  shareMake,
  sharePublic,
  shareSeal,
  shareTakeIn,
  shareUnwrap,
  shareWrapFor,
  shareWrapOwn,
} from "../../keys/share";
import { KEY_WORK, SHARE_IV, WRAPPED } from "../../memory";
import { Retry, retryMay } from "../../retries";
import { Status } from "../../status";
import { atsignEqual } from "../../wire/atsign";
import { memberLen, memberPtr, memberStatus } from "../../wire/member";
import {
  metadataChecksum,
  metadataChecksumLen,
  metadataIv,
  metadataIvLen,
  metadataRecord,
} from "../../wire/metadata";
import {
  requestInKey,
  requestOwnKey,
  requestPeerCopy,
  requestPublicKey,
  requestPutOwnKey,
  requestPutPeerCopy,
} from "../../wire/request";
import { responseIsNull, responseLen, responsePtr, responseStatus } from "../../wire/response";
import { LLOOKUP, LLOOKUP_ALL, LOOKUP_NOW, PLOOKUP } from "../../wire/words";
import { Config, configLen, configPtr } from "../state/config";
import { NameOf, nameRequest } from "./name";
import { storedGeneration, storedWrite } from "./stored";
import { trustNamespaceLen } from "./trust";

/** What the key is needed for. */
export const enum Need {
  /** To write for the peer: the key is made when there is none, and the peer gets his copy. */
  Write,
  /** To read what I wrote for the peer. */
  ReadOwn,
  /** To read what the peer wrote for me. */
  ReadTheirs,
}

/** The request whose reply is awaited. */
const enum Step {
  None,
  OwnKey,
  PeerPublic,
  PutOwnKey,
  PeerCopy,
  PutPeerCopy,
  /** The key he issued to me. */
  Issued,
  InKey,
  InKeyCached,
}

/** A wrapped key on its way into a line; what wraps it works in the bytes before. */
const OWN_WRAPPED: usize = KEY_WORK + 48;

let step: Step = Step.None;
/** My atServer said there is none for him. */
let copyMissing: bool = false;
/** The peer's public key was asked for. */
let asked: bool = false;

/** Forgets how far it went: a new operation, or a broken link. */
export function peerRestart(): void {
  step = Step.None;
  copyMissing = asked = false;
}

/**
 * Writes the request for what is missing: the length of its line; 0 when nothing is; or negative.
 * bob: an atSign.
 */
export function peerAsk(need: Need, bob: usize, bobLen: u32, now: i64): i32 {
  const peer = peersFind(bob, bobLen);
  step = next(need, peer, now);
  const me = configPtr(Config.AtSign);
  const meLen = configLen(Config.AtSign);
  switch (step) {
    case Step.None:
      return 0;
    case Step.OwnKey:
      return requestOwnKey(
        peersHas(peer, PEER_LISTED) ? LLOOKUP_ALL : LLOOKUP,
        me,
        meLen,
        bob,
        bobLen,
      );
    case Step.PeerPublic:
      return requestPublicKey(PLOOKUP, bob, bobLen);
    case Step.PutOwnKey: {
      let seal: usize = 0;
      if (peersHas(peer, PEER_LISTED)) {
        seal = SHARE_IV;
        shareSeal(seal, peer, peer + PEER_GENERATION, peer + PEER_OUT_KEY);
      }
      const status = shareWrapOwn(OWN_WRAPPED, peer);
      if (status < 0) return status;
      const line = requestPutOwnKey(me, meLen, bob, bobLen, OWN_WRAPPED, seal);
      bytesWipe(OWN_WRAPPED, 256);
      return line;
    }
    case Step.PeerCopy:
      return requestPeerCopy(me, meLen, bob, bobLen);
    case Step.PutPeerCopy:
      return requestPutPeerCopy(me, meLen, bob, bobLen, WRAPPED, shareChecksum(peer));
    case Step.Issued:
      return nameRequest(LOOKUP_NOW, NameOf.Theirs, peer);
  }
  return requestInKey(me, meLen, bob, bobLen, step === Step.InKeyCached);
}

/** Whether a reply to peerAsk() is awaited. */
export function peerIsAsking(): bool {
  return step !== Step.None;
}

/** Takes the reply. Pending: ask on; else the Status that says why the key can't be had. */
export function peerReply(need: Need, bob: usize, bobLen: u32, isError: bool, now: i64): i32 {
  const peer = peersFind(bob, bobLen);
  const before = load<u32>(peer + PEER_FLAGS);
  const key = load<u32>(peer + PEER_OUT_KEY);
  let status: i32 = 0;
  // What opens keys is called from here: it goes far down.
  const has = !isError && !responseIsNull();
  if (need === Need.ReadTheirs) status = inReply(peer, isError, now);
  else if (has && step === Step.OwnKey) status = takeOwn(peer, responsePtr(), responseLen());
  else if (step === Step.Issued) {
    peersAsked(peer, PEER_TAKEN_DUE, true, now);
    if (has && metadataRecord(responsePtr(), responseLen())) {
      const epoch = metadataIv();
      status = peerIssued(peer, memberPtr(), memberLen(), epoch, metadataIvLen(), now);
    }
  } else status = outReply(need, peer, isError, now);
  // What he is known by now is stored before anything is made of it.
  const changed =
    ((before ^ load<u32>(peer + PEER_FLAGS)) & PEER_STORED_FLAGS) |
    (key ^ load<u32>(peer + PEER_OUT_KEY));
  if (status >= 0 && changed && peersHas(peer, PEER_LISTED)) status = storedWrite();
  return status < 0 ? status : Status.Pending;
}

/**
 * Takes the text of the key that the peer issued, and its epoch: base64 of 16 bytes. The text of before goes on with this
 * epoch; another one is opened when it may be, whatever it holds. Both are decoded in place. 0 or StoreFailed.
 */
export function peerIssued(
  peer: usize,
  x: usize,
  len: u32,
  epoch: usize,
  epochLen: u32,
  now: i64,
): i32 {
  if (base64Decode(epoch, epochLen, epoch, epochLen) !== 16) return 0;
  sha256(KEY_WORK, x, len);
  memory.copy(SHARE_IV, KEY_WORK, 16);
  if (!peersHas(peer, PEER_TAKEN) || !bytesEqual(SHARE_IV, peer + PEER_TAKEN_TEXT, 16)) {
    if (!retryMay(peer + PEER_TAKEN_UNTIL, Retry.WrappedKey, now)) return 0;
    if (shareUnwrap(peer + PEER_TAKEN_KEY, x, len) < 0) return 0;
    memory.copy(peer + PEER_TAKEN_TEXT, SHARE_IV, 16);
    peersSet(peer, PEER_TAKEN);
  } else if (bytesEqual(peer + PEER_THEIR_EPOCH, epoch, 16)) return 0;
  memory.copy(peer + PEER_THEIR_EPOCH, epoch, 16);
  return storedWrite();
}

// What is missing first.
function next(need: Need, peer: usize, now: i64): Step {
  if (need === Need.ReadTheirs) {
    if (!peersIsDue(peer, PEER_IN_DUE, now)) return Step.None;
    return step === Step.InKeyCached ? step : Step.InKey;
  }
  const listed = peersHas(peer, PEER_LISTED);
  if (listed && !peersHas(peer, PEER_PINNED)) return Step.PeerPublic;
  if (!peersHas(peer, PEER_OUT) || (listed && !peersHas(peer, PEER_READ))) {
    if (!peersHas(peer, PEER_CANDIDATE)) return Step.OwnKey;
    return peersHas(peer, PEER_WRAPPED) ? Step.PutOwnKey : Step.PeerPublic;
  }
  if (need === Need.ReadOwn) return Step.None;
  if (!asked && peersIsDue(peer, PEER_PUBLIC_DUE, now)) return Step.PeerPublic;
  if (!peersHas(peer, PEER_COPY) && peersHas(peer, PEER_WRAPPED)) {
    return copyMissing ? Step.PutPeerCopy : Step.PeerCopy;
  }
  const issues = listed && trustNamespaceLen() > 0 && peersIsDue(peer, PEER_TAKEN_DUE, now);
  return issues ? Step.Issued : Step.None;
}

// Only AT0015 may create a key: on any other error the one that exists would be replaced.
function outReply(need: Need, peer: usize, isError: bool, now: i64): i32 {
  const x = responsePtr();
  const len = responseLen();
  const missing = isError && responseStatus() === Status.NotFound;
  switch (step) {
    case Step.OwnKey:
      peersSet(peer, PEER_READ);
      if (peersHas(peer, PEER_OUT)) return 0;
      if (!missing || need === Need.ReadOwn) return isError ? responseStatus() : Status.NoValue;
      copyMissing = true;
      bytesStore32(peer + PEER_GENERATION, storedGeneration(0));
      return shareMake(peer);
    case Step.PeerPublic: {
      const knows = peersHas(peer, PEER_OUT) || peersHas(peer, PEER_CANDIDATE);
      let status = isError ? responseStatus() : 0;
      if (status === 0) status = knows ? shareWrapFor(peer, x, len) : sharePublic(peer, x, len);
      asked = knows;
      if (knows) peersAsked(peer, PEER_PUBLIC_DUE, !isError && status >= 0, now);
      // With a key in place the peer's absence is no obstacle: my atServer delivers when it can.
      return isError && peersHas(peer, PEER_OUT) ? 0 : status;
    }
    case Step.PutOwnKey:
      if (isError) return responseStatus();
      peersUnset(peer, PEER_CANDIDATE | PEER_READ);
      peersSet(peer, PEER_OUT);
      return 0;
    case Step.PeerCopy:
      if (missing || (!isError && !copyIsCurrent(peer, x, len))) copyMissing = true;
      else if (isError) return responseStatus();
      else peersSet(peer, PEER_COPY);
      return 0;
  }
  if (isError) return responseStatus();
  peersSet(peer, PEER_COPY);
  return 0;
}

// My own copy of the key for the peer. One on the list has to have sealed it, for his pin: whoever holds the atServer could
// have put a key of its own there.
function takeOwn(peer: usize, x: usize, len: u32): i32 {
  peersSet(peer, PEER_READ);
  if (!peersHas(peer, PEER_LISTED)) {
    const status = shareUnwrap(peer + PEER_OUT_KEY, x, len);
    if (status === 0) peersSet(peer, PEER_OUT);
    return status;
  }
  if (!metadataRecord(x, len)) return memberStatus();
  const key = memberPtr();
  const keyLen = memberLen();
  const seal = metadataIv();
  const sealed = base64Decode(seal, 24, seal, metadataIvLen()) === 16;
  const known = peersHas(peer, PEER_OUT);
  if (known) {
    shareSeal(SHARE_IV, peer, peer + PEER_GENERATION, peer + PEER_OUT_KEY);
    const lower = !sealed || bytesLoad32(seal) < bytesLoad32(peer + PEER_GENERATION);
    if (lower || bytesEqual(seal, SHARE_IV, 16)) return 0;
  }
  const status = shareUnwrap(key, key, keyLen);
  if (status < 0) return known ? 0 : status;
  if (sealed) shareSeal(SHARE_IV, peer, seal, key);
  const right = sealed && bytesEqual(seal, SHARE_IV, 16) !== 0;
  if (!right) {
    if (known) return 0;
    if (peersHas(peer, PEER_PROVISIONED)) return Status.NotAuthentic;
  }
  store<u32>(peer + PEER_GENERATION, right ? load<u32>(seal) : 0);
  memory.copy(peer + PEER_OUT_KEY, key, 32);
  bytesWipe(key, 32);
  peersUnset(peer, PEER_COPY | PEER_WRAPPED);
  peersSet(peer, PEER_OUT);
  return 0;
}

// Whether the peer's copy names the public key of today; one that names none was written by another
// client and is left.
function copyIsCurrent(peer: usize, x: usize, len: u32): bool {
  metadataRecord(x, len);
  const named = metadataChecksumLen();
  return named === 0 || atsignEqual(metadataChecksum(), named, shareChecksum(peer), 32);
}

// At the peer's atServer first, then in my own cache; a key the peer's atServer says does not exist
// is not in it. One that can't be fetched anew stays.
function inReply(peer: usize, isError: bool, now: i64): i32 {
  const missing = isError || responseIsNull();
  let status: i32 = isError ? responseStatus() : missing ? Status.NoValue : 0;
  if (missing && step === Step.InKey && status !== Status.NotFound) {
    step = Step.InKeyCached;
    return 0;
  }
  if (!missing) status = shareTakeIn(peer, responsePtr(), responseLen());
  const known = peersHas(peer, PEER_IN);
  peersAsked(peer, PEER_IN_DUE, known, now);
  return known ? 0 : status;
}
