// SPDX-License-Identifier: BSD-3-Clause
// The one operation in progress: which request comes next, what its reply means. It begins again
// after a broken link, with the same notification id and IV. atProtocol: self, shared and public
// data; delete; scan; notify.
import { bytesWipe } from "../bytes";
import { base64Decode } from "../codec/base64";
import { aesCtrCrypt, pkcs7Pad } from "../crypto/aesCtr";
import { drbgGenerate } from "../crypto/drbg";
import { keyringSelf, keyringSign } from "../keys/keyring";
import {
  PEER_IN_DUE,
  PEER_OUT_KEY,
  PEER_WRAPPED,
  peersFind,
  peersHas,
  peersIsDue,
} from "../keys/peers";
import { shareChecksum, shareIsForUs } from "../keys/share";
import {
  KEY_MAX,
  KEY_WORK,
  OP_KEY,
  OP_NONCE,
  OP_VALUE,
  OP_VALUE_CAP,
  SHARE_IV,
  VALUE_MAX,
  WRAPPED,
} from "../memory";
import { Retry, retryIsOver } from "../retries";
import { Status } from "../status";
import {
  ATKEY_CACHED,
  ATKEY_ENTITY,
  ATKEY_OWNER,
  ATKEY_PUBLIC,
  ATKEY_SHARED,
  ATKEY_SHARED_WITH,
  atkeyEnd,
  atkeyFlags,
  atkeyLen,
  atkeyParse,
  atkeyPtr,
} from "../wire/atkey";
import { atsignEqual } from "../wire/atsign";
import { memberIsString, memberLen, memberPtr, memberStatus, memberUnescape } from "../wire/member";
import {
  Encrypted,
  metadataFlags,
  metadataIsBase64,
  metadataIsEncrypted,
  metadataIv,
  metadataIvLen,
  metadataRecord,
  metadataSharedKey,
  metadataSharedKeyLen,
  metadataStatus,
} from "../wire/metadata";
import { requestKey, requestNotify, requestScan, requestUpdate } from "../wire/request";
import { responseIsNull, responseLen, responsePtr, responseStatus } from "../wire/response";
import { DELETE, LLOOKUP_ALL, LOOKUP_ALL, PLOOKUP_ALL } from "../wire/words";
import { Need, peerAsk, peerIsAsking, peerReply, peerRestart } from "./peers/peer";
import {
  Kind,
  sealedAbout,
  sealedIsOwn,
  sealedOpen,
  sealedSeal,
  sealedValue,
  Target,
} from "./peers/sealed";
import { trustPin, Verdict } from "./peers/trust";
import { Config, configIs, configLen, configPtr } from "./state/config";
import { EVENT_PLAIN, eventField, eventJudge, Field } from "./state/event";
import { randomUuid } from "./state/random";

export const enum Operation {
  None = 0,
  Enroll = 1,
  Put = 2,
  Get = 3,
  Delete = 4,
  Scan = 5,
  Notify = 6,
}

const VIEW: usize = memory.data(24, 8);
const IV: usize = OP_NONCE;
const ID: usize = OP_NONCE + 16;
const NONCE_LEN: u32 = 52;
/** A signature on its way into a line. What makes it works in the bytes before. */
const SIGNATURE: usize = KEY_WORK + 48;
/** Base64 of the longest padded value. */
const CIPHERTEXT_MAX: u32 = 2752;

let kind: Operation = Operation.None;
let number: i32 = 0;
let keyLength: u32 = 0;
let valueLength: u32 = 0;
let ttl: i64 = 0;
let target: Target = Target.Self;
/** The key of the peer has to be asked for. */
let inKeyWanted: bool = false;
/** Lines it sent so far. */
let requests: u32 = 0;
/** Whether its value is sealed; it is decided once, for what is sent again has to be the same. */
let decided: bool = false;
let sealed: bool = false;
/** Where the value read lies. */
let opened: usize = 0;

/** Kind of the operation in progress; None: there is none. */
export function operationKind(): Operation {
  return kind;
}

/** Its number. */
export function operationNumber(): i32 {
  return number;
}

/** Sets the ttl or ttln of the next operation: milliseconds. */
export function operationTtl(milliseconds: i64): void {
  ttl = milliseconds;
}

/** Begins an operation on OP_KEY and OP_VALUE: its number, or negative. */
export function operationStart(k: Operation, keyLen: u32, valueLen: u32): i32 {
  if (kind !== Operation.None) return Status.Busy;
  if (keyLen > KEY_MAX + 7) return Status.KeyTooLong;
  if (valueLen > VALUE_MAX) return Status.ValueTooLong;
  keyLength = keyLen;
  valueLength = valueLen;
  const status = check(k);
  if (status < 0) return status;
  if (k === Operation.Put || k === Operation.Notify) {
    bytesWipe(OP_NONCE, NONCE_LEN);
    let made = configIs(Config.LegacyIv) ? 0 : drbgGenerate(IV, 16);
    if (made >= 0) made = randomUuid(ID);
    if (made < 0) return made;
  }
  kind = k;
  requests = 0;
  decided = sealed = false;
  number = (number & 0x3fffffff) + 1;
  operationRestart();
  return number;
}

/** Begins again from the first request: after a broken link. */
export function operationRestart(): void {
  peerRestart();
  inKeyWanted = false;
}

/** Ends it: what it held is wiped. */
export function operationEnd(): void {
  kind = Operation.None;
  ttl = 0;
  bytesWipe(OP_KEY, 256);
  bytesWipe(OP_VALUE, OP_VALUE_CAP);
  bytesWipe(OP_NONCE, NONCE_LEN);
}

/** Writes the next request: the length of its line, or the Status the operation ends with. */
export function operationNext(now: i64): i32 {
  if (retryIsOver(Retry.Request, requests)) return Status.GivenUp;
  requests++;
  if (needsPeer()) {
    const line = peerAsk(need(), peerAtsign(), peerAtsignLen(), now);
    if (line !== 0) return line;
    inKeyWanted = false;
  }
  return emitMain();
}

/**
 * Takes a reply. Pending: there is another request; Busy: sealedUnwrap(), then operationResume(); else the Status it ends with, its event's
 * fields filled.
 */
export function operationReply(isError: bool, now: i64): i32 {
  let status = 0;
  if (needsPeer() && peerIsAsking()) {
    status = peerReply(need(), peerAtsign(), peerAtsignLen(), isError, now);
  } else if (isError) status = responseStatus();
  else return mainReply(now);
  if (status !== Status.Pending && isError) {
    eventField(Field.Error, responsePtr(), responseLen());
  }
  return status;
}

function needsPeer(): bool {
  if (target === Target.In) return inKeyWanted;
  return target === Target.Out && kind !== Operation.Delete;
}

function need(): Need {
  if (target === Target.In) return Need.ReadTheirs;
  return kind === Operation.Get ? Need.ReadOwn : Need.Write;
}

// Whose key it is about.
function peerAtsign(): usize {
  return atkeyPtr(VIEW, target === Target.In ? ATKEY_OWNER : ATKEY_SHARED_WITH);
}

function peerAtsignLen(): u32 {
  return atkeyLen(VIEW, target === Target.In ? ATKEY_OWNER : ATKEY_SHARED_WITH);
}

function peerEntry(): usize {
  return peersFind(peerAtsign(), peerAtsignLen());
}

function emitMain(): i32 {
  switch (kind) {
    case Operation.Put:
      return target === Target.Public ? emitPublic() : emitEncrypted();
    case Operation.Notify:
      return emitEncrypted();
    case Operation.Get:
      return readRequest();
    case Operation.Delete:
      return requestKey(DELETE, OP_KEY, keyLength);
  }
  return requestScan(OP_VALUE, valueLength);
}

// llookup takes the whole atKey, the others the part from the entity on.
function readRequest(): i32 {
  const isCached = (atkeyFlags(VIEW) & ATKEY_CACHED) !== 0;
  if (isMine() || isCached) return requestKey(LLOOKUP_ALL, OP_KEY, keyLength);
  const entity = atkeyPtr(VIEW, ATKEY_ENTITY);
  const verb = target === Target.In ? LOOKUP_ALL : PLOOKUP_ALL;
  return requestKey(verb, entity, (atkeyEnd(VIEW) - entity) as u32);
}

// The value is encrypted where it is, written, and restored: a second copy of it would cost 2 KiB.
function emitEncrypted(): i32 {
  const peer = target === Target.Out ? peerEntry() : 0;
  const key = peer ? peer + PEER_OUT_KEY : keyringSelf();
  const wrapped = peer && peersHas(peer, PEER_WRAPPED) ? WRAPPED : 0;
  const checksum = wrapped ? shareChecksum(peer) : 0;
  const n = pkcs7Pad(OP_VALUE, valueLength, OP_VALUE_CAP);
  if (n < 0) return n;
  const status = decided ? 0 : decide(peer, n);
  if (status < 0) return status;
  aesCtrCrypt(OP_VALUE, OP_VALUE, n, key, IV);
  const iv: usize = configIs(Config.LegacyIv) ? 0 : IV;
  const line =
    kind === Operation.Put
      ? requestUpdate(OP_KEY, keyLength, ttl, 0, true, wrapped, checksum, false, iv, OP_VALUE, n)
      : requestNotify(OP_KEY, keyLength, ID, ttl, true, wrapped, checksum, iv, OP_VALUE, n);
  aesCtrCrypt(OP_VALUE, OP_VALUE, n, key, IV);
  return line;
}

// Seals the padded value where that is possible. A notification to oneself has no epoch.
function decide(peer: usize, n: u32): i32 {
  const isRecord = kind === Operation.Put;
  sealedAbout(VIEW, target, peer, isRecord ? Kind.Record : Kind.Update, 0);
  const status = configIs(Config.LegacyIv) ? Status.NoValue : sealedSeal(OP_VALUE, n);
  if (status < 0 && status !== Status.NoValue) return status;
  decided = true;
  sealed = status === 0;
  if (sealed) memory.copy(IV, SHARE_IV, 16);
  return 0;
}

// Signed with the encryption key over the raw value; what a line can't carry goes as base64.
function emitPublic(): i32 {
  const status = keyringSign(SIGNATURE, OP_VALUE, valueLength);
  if (status < 0) return status;
  const line = requestUpdate(
    OP_KEY,
    keyLength,
    ttl,
    SIGNATURE,
    false,
    0,
    0,
    needsBase64(),
    0,
    OP_VALUE,
    valueLength,
  );
  bytesWipe(SIGNATURE, 256);
  return line;
}

// Control characters, or spaces at an end that a server may trim.
function needsBase64(): bool {
  if (load<u8>(OP_VALUE) === 0x20 || load<u8>(OP_VALUE + valueLength - 1) === 0x20) return true;
  for (let i: u32 = 0; i < valueLength; i++) {
    if (load<u8>(OP_VALUE + i) < 0x20) return true;
  }
  return false;
}

function mainReply(now: i64): i32 {
  if (kind !== Operation.Get) {
    eventField(Field.Value, responsePtr(), responseLen());
    if (sealed) eventJudge(Verdict.Encrypted | Verdict.Authentic | pinOfPeer());
    return 0;
  }
  if (responseIsNull()) return Status.NoValue;
  return readReply(responsePtr(), responseLen(), now);
}

// {"key":…,"data":…,"metaData":{…}}. Everything is found before anything is changed in place.
function readReply(x: usize, len: u32, now: i64): i32 {
  const found = metadataRecord(x, len);
  if (metadataStatus() < 0) return metadataStatus();
  if (!found) return memberStatus();
  const value = memberPtr();
  let n: i32 = memberLen();
  const escaped = memberIsString();
  const isPlain = target === Target.Public || metadataIsEncrypted() === Encrypted.No;
  if (isPlain && target === Target.In && !configIs(Config.Plaintext)) return Status.NotEncrypted;
  const wrapped = metadataSharedKey();
  const wrappedLen = memberUnescape(wrapped, metadataSharedKeyLen());
  if (!isPlain && target === Target.In) {
    const ready = keyIsReady(wrappedLen, now);
    if (ready < 0) return ready;
  }
  const iv = metadataIv();
  const ivLen = memberUnescape(iv, metadataIvLen());
  if (escaped) n = memberUnescape(value, n);
  if ((n | ivLen | wrappedLen) < 0) return Status.BadJson;
  if (<u32>n > CIPHERTEXT_MAX) return Status.ValueTooLong;
  opened = value;
  if (isPlain) return deliver(n, target === Target.Public ? 0 : EVENT_PLAIN);
  const peer: usize = target === Target.Self ? 0 : peerEntry();
  sealedAbout(VIEW, target, peer, Kind.Record, metadataFlags());
  const status = sealedValue(value, n, iv, ivLen, wrapped, wrappedLen);
  return status < 0 ? status : operationResume(now);
}

/** Goes on with a get when the key that came with the value was opened (sealedUnwrap). As operationReply(). */
export function operationResume(now: i64): i32 {
  const n = sealedOpen(now);
  return n === Status.Busy ? n : deliver(n, 0);
}

function deliver(n: i32, status: i32): i32 {
  if (n >= 0 && metadataIsBase64()) n = base64Decode(opened, n, opened, n);
  if (n < 0) return n;
  if (<u32>n > VALUE_MAX) return Status.ValueTooLong;
  eventField(Field.Value, opened, n);
  return status;
}

// The key of what a peer shared: 0 when one came with it or it isn't the time to ask for it, Pending when it is.
function keyIsReady(wrappedLen: i32, now: i64): i32 {
  if (wrappedLen > 0 && !shareIsForUs()) return Status.PublicKeyChanged;
  if (wrappedLen !== 0 || !peersIsDue(peerEntry(), PEER_IN_DUE, now)) return 0;
  inKeyWanted = true;
  return Status.Pending;
}

function pinOfPeer(): u32 {
  return target === Target.Out ? trustPin(peerEntry()) : 0;
}

function isMine(): bool {
  return isMe(ATKEY_OWNER);
}

function isMe(part: u32): bool {
  return atsignEqual(
    atkeyPtr(VIEW, part),
    atkeyLen(VIEW, part),
    configPtr(Config.AtSign),
    configLen(Config.AtSign),
  );
}

// Which operation goes with which atKey.
function check(k: Operation): i32 {
  target = Target.Self;
  if (k === Operation.Enroll) return keyLength + valueLength === 0 ? 0 : Status.BadArgument;
  if (k === Operation.Scan) {
    return keyLength === 0 && isOneLine(OP_VALUE, valueLength) ? 0 : Status.BadArgument;
  }
  if (k < Operation.Enroll || k > Operation.Notify) return Status.BadArgument;
  for (let i: u32 = 0; i < keyLength; i++) {
    const c = load<u8>(OP_KEY + i);
    if (c >= 0x41 && c <= 0x5a) store<u8>(OP_KEY + i, c + 32);
  }
  const status = atkeyParse(VIEW, OP_KEY, keyLength);
  if (status < 0) return status;
  if (sealedIsOwn(VIEW)) return Status.BadAtKey;
  const flags = atkeyFlags(VIEW);
  const shared = (flags & ATKEY_SHARED) !== 0;
  if (flags & ATKEY_PUBLIC) target = Target.Public;
  else if (!isMine()) target = shared && !isMe(ATKEY_SHARED_WITH) ? Target.Self : Target.In;
  else if (shared && !isMe(ATKEY_SHARED_WITH)) target = Target.Out;
  // Somebody else's record for somebody else.
  if (!isMine() && target === Target.Self) return Status.BadAtKey;
  if (k === Operation.Get) return 0;
  if (k === Operation.Delete) return isMine() || (flags & ATKEY_CACHED) !== 0 ? 0 : Status.BadAtKey;
  if (!isMine() || (flags & ATKEY_CACHED) !== 0) return Status.BadAtKey;
  if (k === Operation.Notify) return shared ? 0 : Status.BadAtKey;
  return target === Target.Public && valueLength === 0 ? Status.BadArgument : 0;
}

function isOneLine(x: usize, len: u32): bool {
  for (let i: u32 = 0; i < len; i++) {
    if (load<u8>(x + i) <= 0x20) return false;
  }
  return true;
}
