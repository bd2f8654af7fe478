// SPDX-License-Identifier: BSD-3-Clause
// What has to be known of a peer before a value can be written for him or read from him: which
// request comes next, what its reply means. atProtocol: sharing with another atSign; reading data
// shared with me.
import { bytesWipe } from "../bytes";
import {
  SHARE_CANDIDATE,
  SHARE_COPY,
  SHARE_IN,
  SHARE_IN_DUE,
  SHARE_OUT,
  SHARE_PUBLIC_DUE,
  SHARE_WRAPPED,
  shareAsked,
  shareChecksum,
  shareHas,
  shareIsDue,
  shareMake,
  sharePeer,
  shareSet,
  shareTakeIn,
  shareTakeOut,
  shareUnset,
  shareWrapFor,
  shareWrapOwn,
  shareWrapped,
} from "../keys/share";
import { KEY_WORK } from "../memory";
import { Status } from "../status";
import { atsignEqual } from "../wire/atsign";
import { memberFind, memberLen, memberPtr } from "../wire/member";
import { metadataChecksum, metadataChecksumLen, metadataParse } from "../wire/metadata";
import {
  requestInKey,
  requestOwnKey,
  requestPeerCopy,
  requestPublicKey,
  requestPutOwnKey,
  requestPutPeerCopy,
} from "../wire/request";
import { responseIsNull, responseLen, responsePtr, responseStatus } from "../wire/response";
import { NAME_META, PLOOKUP } from "../wire/words";
import { Config, configLen, configPtr } from "./config";

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
  InKey,
  InKeyCached,
}

/** A wrapped key on its way into a line; what wraps it works in the bytes before. */
const WRAPPED: usize = KEY_WORK + 48;

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
  const peer = sharePeer(bob, bobLen);
  step = next(need, peer, now);
  const me = configPtr(Config.AtSign);
  const meLen = configLen(Config.AtSign);
  switch (step) {
    case Step.None:
      return 0;
    case Step.OwnKey:
      return requestOwnKey(me, meLen, bob, bobLen);
    case Step.PeerPublic:
      return requestPublicKey(PLOOKUP, bob, bobLen);
    case Step.PutOwnKey: {
      const status = shareWrapOwn(WRAPPED, peer);
      if (status < 0) return status;
      const line = requestPutOwnKey(me, meLen, bob, bobLen, WRAPPED);
      bytesWipe(WRAPPED, 256);
      return line;
    }
    case Step.PeerCopy:
      return requestPeerCopy(me, meLen, bob, bobLen);
    case Step.PutPeerCopy:
      return requestPutPeerCopy(me, meLen, bob, bobLen, shareWrapped(peer), shareChecksum(peer));
  }
  return requestInKey(me, meLen, bob, bobLen, step === Step.InKeyCached);
}

/** Whether a reply to peerAsk() is awaited. */
export function peerIsAsking(): bool {
  return step !== Step.None;
}

/** Takes the reply. Pending: ask on; else the Status that says why the key can't be had. */
export function peerReply(need: Need, bob: usize, bobLen: u32, isError: bool, now: i64): i32 {
  const peer = sharePeer(bob, bobLen);
  const status =
    need === Need.ReadTheirs ? inReply(peer, isError, now) : outReply(need, peer, isError, now);
  return status < 0 ? status : Status.Pending;
}

// What is missing first.
function next(need: Need, peer: usize, now: i64): Step {
  if (need === Need.ReadTheirs) {
    if (!shareIsDue(peer, SHARE_IN_DUE, now)) return Step.None;
    return step === Step.InKeyCached ? step : Step.InKey;
  }
  if (!shareHas(peer, SHARE_OUT)) {
    if (!shareHas(peer, SHARE_CANDIDATE)) return Step.OwnKey;
    return shareHas(peer, SHARE_WRAPPED) ? Step.PutOwnKey : Step.PeerPublic;
  }
  if (need === Need.ReadOwn) return Step.None;
  if (!asked && shareIsDue(peer, SHARE_PUBLIC_DUE, now)) return Step.PeerPublic;
  if (shareHas(peer, SHARE_COPY) || !shareHas(peer, SHARE_WRAPPED)) return Step.None;
  return copyMissing ? Step.PutPeerCopy : Step.PeerCopy;
}

// Only AT0015 may create a key: on any other error the one that exists would be replaced.
function outReply(need: Need, peer: usize, isError: bool, now: i64): i32 {
  const x = responsePtr();
  const len = responseLen();
  const missing = isError && responseStatus() === Status.NotFound;
  switch (step) {
    case Step.OwnKey:
      if (!isError && !responseIsNull()) return shareTakeOut(peer, x, len);
      if (!missing || need === Need.ReadOwn) return isError ? responseStatus() : Status.NoValue;
      copyMissing = true;
      return shareMake(peer);
    case Step.PeerPublic: {
      const status = isError ? responseStatus() : shareWrapFor(peer, x, len);
      asked = true;
      shareAsked(peer, SHARE_PUBLIC_DUE, !isError && status >= 0, now);
      // With a key in place the peer's absence is no obstacle: my atServer delivers when it can.
      return isError && shareHas(peer, SHARE_OUT) ? 0 : status;
    }
    case Step.PutOwnKey:
      if (isError) return responseStatus();
      shareUnset(peer, SHARE_CANDIDATE);
      shareSet(peer, SHARE_OUT);
      return 0;
    case Step.PeerCopy:
      if (missing || (!isError && !copyIsCurrent(peer, x, len))) copyMissing = true;
      else if (isError) return responseStatus();
      else shareSet(peer, SHARE_COPY);
      return 0;
  }
  if (isError) return responseStatus();
  shareSet(peer, SHARE_COPY);
  return 0;
}

// Whether the peer's copy names the public key of today; one that names none was written by another
// client and is left.
function copyIsCurrent(peer: usize, x: usize, len: u32): bool {
  if (!memberFind(x, len, NAME_META)) return true;
  metadataParse(memberPtr(), memberLen());
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
  const known = shareHas(peer, SHARE_IN);
  shareAsked(peer, SHARE_IN_DUE, known, now);
  return known ? 0 : status;
}
