// SPDX-License-Identifier: BSD-3-Clause
// Notifications: read, told apart from those delivered before, decrypted. One whose key is not
// known yet is kept in the upper part of the tx buffer (idle while the key's lookup is awaited);
// any that come meanwhile are dropped on purpose and asked for again from the watermark.
// atProtocol: monitor, its JSON shape.

import { base64Decode } from "../codec/base64";
import {
  PEER_IN,
  PEER_IN_DUE,
  PEER_LISTED,
  PEER_PINNED,
  peersAsked,
  peersFind,
  peersHas,
  peersIsDue,
} from "../keys/peers";
import { shareIsForUs, shareKnown, shareTakeIn } from "../keys/share";
import { EVENT, KEY_MAX, LINE_CAP, TX, VALUE_MAX } from "../memory";
import { Retry, retryPause } from "../retries";
import { Status } from "../status";
import {
  ATKEY_ENTITY,
  ATKEY_NAMESPACE,
  ATKEY_OWNER,
  ATKEY_SHARED_WITH,
  ATKEY_VIEW,
  atkeyLen,
  atkeyParse,
  atkeyPtr,
} from "../wire/atkey";
import { atsignEqual, atsignIsValid } from "../wire/atsign";
import { memberFind, memberIsString, memberLen, memberPtr, memberUnescape } from "../wire/member";
import {
  Encrypted,
  metadataEncrypted,
  metadataFlags,
  metadataIsBase64,
  metadataIv,
  metadataIvLen,
  metadataParse,
  metadataSharedKey,
  metadataSharedKeyLen,
} from "../wire/metadata";
import { requestInKey, requestMonitor } from "../wire/request";
import {
  responseIsNull,
  responseLen,
  responsePtr,
  responseStatus,
  wordFind,
  wordIs,
} from "../wire/response";
import {
  AUTH_RECORD,
  NAME_EPOCH,
  NAME_FROM,
  NAME_ID,
  NAME_KEY,
  NAME_METADATA,
  NAME_OPERATION,
  NAME_VALUE,
  SHARED_KEY,
  STATS_ID,
} from "../wire/words";
import { peerIssued } from "./peers/peer";
import { Kind, sealedAbout, sealedIsOwn, sealedOpen, sealedValue, Target } from "./peers/sealed";
import { trustIsNamespace, Verdict } from "./peers/trust";
import { Config, configIs, configLen, configPtr } from "./state/config";
import {
  EVENT_PLAIN,
  Event,
  eventBegin,
  eventField,
  eventJudge,
  eventLen,
  eventPtr,
  eventRaise,
  eventVerdict,
  Field,
} from "./state/event";
import { watermarkClock, watermarkEpoch, watermarkHas, watermarkTake } from "./state/watermark";

/** What a notification came to. */
export const enum Monitor {
  /** Nothing for the application. */
  Dropped = 0,
  /** An event is raised, its fields in the line. */
  Raised = 1,
  /** It is kept aside; the line is free. */
  Kept = 2,
  /** Its fields lie in the line, to be decrypted by monitorOpen(). */
  Sealed = 3,
  /** The key that came with it is wanted: sealedUnwrap(), then monitorResume(). */
  Wrapped = 4,
}

/** A kept notification's fields lie in TX from here on; requests for keys are far shorter. */
const KEPT: usize = TX + 512;
const KEPT_CAP: u32 = LINE_CAP - 512;
/**
 * Pointers and lengths of a kept notification's fields, as EVENT; its IV is in the error field's
 * place.
 */
const KEPT_FIELDS: usize = memory.data(64, 8);
const FIELDS_LEN: u32 = 64;
/** Longest atKey, with its `cached:`. */
const KEY_TEXT_MAX: u32 = KEY_MAX + 7;
const CIPHERTEXT_MAX: u32 = 2752;
/** The atKey, when it is the sender's for me; else all zero. */
const VIEW: usize = memory.data(24, 8);
const DELETE: u8 = 0x64;
/** Of metadataFlags(): an encoding, which is base64. */
const ENCODED: u32 = 2;

/** Earliest and latest epochMillis that are one: 2001 and 2100, thirteen digits. */
const EPOCH_MIN: i64 = 1000000000000;
const EPOCH_MAX: i64 = 4102444800000;
const EPOCH_DIGITS: u32 = 13;

let wanted: bool = false;
/** How often in a row it was sent, and before when it isn't again. */
let requests: u32 = 0;
let pauseEnd: i64 = 0;
/** Everything was asked for on this connection. */
let cleared: bool = false;
/** The key that came with the notification to be opened. */
let wrapped: usize = 0;
let wrappedLength: u32 = 0;
let kept: bool = false;
/** What its metadata says of its form, and that of one being opened. */
let keptFlags: u32 = 0;
/** It is one of the scheme's own. */
let isOwn: bool = false;
let fromCache: bool = false;

/** A new connection: whether the monitor request is to be sent. */
export function monitorBegin(on: bool): void {
  wanted = on;
  requests = 0;
  pauseEnd = 0;
  cleared = false;
}

/** Milliseconds until the monitor request is to be sent; negative: it isn't. */
export function monitorDue(now: i64): i64 {
  return wanted && !kept ? max<i64>(pauseEnd - now, 0) : -1;
}

/**
 * Writes the monitor request: the length of its line. The last millisecond is asked for again; what
 * came twice is dropped.
 */
export function monitorRequest(now: i64): i32 {
  const epoch = watermarkEpoch();
  if (now - pauseEnd > retryPause(Retry.Monitor, requests)) requests = 0;
  pauseEnd = now + retryPause(Retry.Monitor, requests);
  requests++;
  wanted = false;
  return requestMonitor(
    epoch > 0 ? epoch - 1 : 0,
    configPtr(Config.Regex),
    configLen(Config.Regex),
  );
}

/** Whether a notification waits for its key. */
export function monitorIsWaiting(): bool {
  return kept;
}

/** The link broke: what was kept will come again. */
export function monitorForget(): void {
  kept = false;
}

/** Writes the request for the key the kept notification needs. */
export function monitorKeyRequest(): i32 {
  loadKept();
  return requestInKey(
    configPtr(Config.AtSign),
    configLen(Config.AtSign),
    eventPtr(Field.From),
    eventLen(Field.From),
    fromCache,
  );
}

/** Takes the reply to it. True: an event is raised; false: the key is to be asked for elsewhere. */
export function monitorKeyReply(isError: bool, now: i64): bool {
  const failed = isError || responseIsNull();
  if (failed && !fromCache && !(isError && responseStatus() === Status.NotFound)) {
    fromCache = true;
    return false;
  }
  loadKept();
  kept = false;
  let status = failed ? (isError ? responseStatus() : Status.NoValue) : 0;
  const peer = peersFind(eventPtr(Field.From), eventLen(Field.From));
  if (!failed) status = shareTakeIn(peer, responsePtr(), responseLen());
  peersAsked(peer, PEER_IN_DUE, peersHas(peer, PEER_IN), now);
  readKey();
  wrappedLength = 0;
  if (status >= 0 || shareKnown(peer) >= 0) return open(peer, now) === Monitor.Raised;
  raise(status);
  return true;
}

/** Takes a notification's JSON. Sealed: monitorOpen() comes next. */
export function monitorTake(x: usize, len: u32, now: i64): Monitor {
  eventBegin();
  find(Field.Id, x, len, NAME_ID);
  find(Field.From, x, len, NAME_FROM);
  find(Field.Key, x, len, NAME_KEY);
  find(Field.Epoch, x, len, NAME_EPOCH);
  find(Field.Operation, x, len, NAME_OPERATION);
  if (!eventPtr(Field.Id) || !eventPtr(Field.Key) || !eventPtr(Field.From)) {
    raise(Status.BadJson);
    return Monitor.Raised;
  }
  const id = eventPtr(Field.Id);
  const idLen = eventLen(Field.Id);
  if (wordIs(STATS_ID, id, idLen)) {
    if (watermarkClock(epochOf(), now, !cleared)) wanted = cleared = true;
    return Monitor.Dropped;
  }
  if (watermarkHas(id, idLen)) return Monitor.Dropped;
  if (isSharedKey(eventPtr(Field.Key), eventLen(Field.Key))) {
    monitorDelivered(now);
    return Monitor.Dropped;
  }
  // Later ones may not overtake: the watermark would pass the one dropped.
  if (kept || wanted) {
    wanted = true;
    return Monitor.Dropped;
  }
  return deliver(x, len);
}

/** Takes the head of a notification whose line is too long. */
export function monitorTakeHead(x: usize, len: u32): Monitor {
  eventBegin();
  find(Field.Id, x, len, NAME_ID);
  find(Field.From, x, len, NAME_FROM);
  find(Field.Key, x, len, NAME_KEY);
  if (eventPtr(Field.Id) && watermarkHas(eventPtr(Field.Id), eventLen(Field.Id))) {
    return Monitor.Dropped;
  }
  raise(Status.LineTooLong);
  return Monitor.Raised;
}

/** The board has taken the notification, or doesn't concern it: it shall not come again. */
export function monitorDelivered(now: i64): void {
  watermarkTake(eventPtr(Field.Id), eventLen(Field.Id), epochOf(), now);
}

// Everything is found before anything is changed in place.
function deliver(x: usize, len: u32): Monitor {
  const hasMeta = memberFind(x, len, NAME_METADATA);
  let status: i32 = metadataParse(hasMeta ? memberPtr() : 0, hasMeta ? memberLen() : 0);
  const said = metadataEncrypted(x, len);
  const hasValue = memberFind(x, len, NAME_VALUE);
  const escaped = hasValue && memberIsString();
  if (hasValue) eventField(Field.Value, memberPtr(), memberLen());
  if ((unquote(Field.Id) | unquote(Field.From) | unquote(Field.Key)) < 0) status = Status.BadJson;
  else if (!atsignIsValid(eventPtr(Field.From), eventLen(Field.From))) status = Status.BadAtSign;
  else if (eventLen(Field.Key) > KEY_TEXT_MAX) status = Status.KeyTooLong;
  if (status >= 0) readKey();
  const isPlain = said === Encrypted.No && hasValue && !isOwn;
  if (status >= 0 && isPlain && !configIs(Config.Plaintext)) status = Status.NotEncrypted;
  if (status < 0 || isPlain) {
    if (status >= 0 && escaped) status = unquote(Field.Value);
    if (status >= 0) status = finish(metadataIsBase64());
    raise(status < 0 ? status : EVENT_PLAIN);
    return Monitor.Raised;
  }
  eventField(Field.Error, metadataIv(), metadataIvLen());
  wrapped = metadataSharedKey();
  const n = memberUnescape(wrapped, metadataSharedKeyLen());
  wrappedLength = n;
  if (unquote(Field.Value) < 0 || unquote(Field.Error) < 0 || n < 0) {
    raise(Status.BadJson);
    return Monitor.Raised;
  }
  return Monitor.Sealed;
}

/**
 * Decrypts the notification just taken; free: TX is idle, so it may be kept there until its key was fetched. What is sent
 * for it depends on who wrote, whether a key came with it, and the time: not on what decrypting it comes to. (Apart from
 * monitorTake(): opening a key calls far down, and what is above keeps its code in the board's memory.)
 */
export function monitorOpen(free: bool, now: i64): Monitor {
  const from = eventPtr(Field.From);
  const fromLen = eventLen(Field.From);
  if (isOwn) return hint(now);
  keptFlags = metadataFlags();
  if (atsignEqual(from, fromLen, configPtr(Config.AtSign), configLen(Config.AtSign))) {
    return open(0, now);
  }
  const peer = peersFind(from, fromLen);
  const needs = eventLen(Field.Value) > 0 || peersHas(peer, PEER_LISTED);
  const due = needs && wrappedLength === 0 && peersIsDue(peer, PEER_IN_DUE, now);
  // A key that is only to be fetched anew can wait for the tx buffer.
  if (due && (free || !peersHas(peer, PEER_IN))) return keep(free);
  if (wrappedLength === 0 || shareIsForUs()) return open(peer, now);
  raise(Status.PublicKeyChanged);
  return Monitor.Raised;
}

// What the peer issued, and its epoch: as the record says it, but without a look-up.
function hint(now: i64): Monitor {
  const peer = peersFind(eventPtr(Field.From), eventLen(Field.From));
  const fits =
    atkeyLen(VIEW, ATKEY_ENTITY) === load<u8>(AUTH_RECORD) &&
    trustIsNamespace(atkeyPtr(VIEW, ATKEY_NAMESPACE), atkeyLen(VIEW, ATKEY_NAMESPACE));
  if (fits && peersHas(peer, PEER_LISTED | PEER_PINNED)) {
    const value = eventPtr(Field.Value);
    peerIssued(
      peer,
      value,
      eventLen(Field.Value),
      eventPtr(Field.Error),
      eventLen(Field.Error),
      now,
    );
  }
  monitorDelivered(now);
  return Monitor.Dropped;
}

// The atKey says whether it can be authentic.
function readKey(): void {
  const key = atkeyParse(VIEW, eventPtr(Field.Key), eventLen(Field.Key));
  isOwn = key >= 0 && sealedIsOwn(VIEW);
  const fits =
    key >= 0 &&
    partIs(ATKEY_OWNER, eventPtr(Field.From), eventLen(Field.From)) &&
    partIs(ATKEY_SHARED_WITH, configPtr(Config.AtSign), configLen(Config.AtSign));
  if (!fits) memory.fill(VIEW, 0, ATKEY_VIEW);
}

function partIs(part: u32, x: usize, len: u32): bool {
  return atsignEqual(atkeyPtr(VIEW, part), atkeyLen(VIEW, part), x, len);
}

// Moves the fields one after the other to KEPT.
function keep(free: bool): Monitor {
  let total: u32 = 0;
  for (let field = Field.Key; field <= Field.Error; field++) total += eventLen(field);
  if (total > KEPT_CAP) {
    raise(Status.ValueTooLong);
    return Monitor.Raised;
  }
  if (!free) {
    wanted = true;
    return Monitor.Dropped;
  }
  let at = KEPT;
  for (let field = Field.Key; field <= Field.Error; field++) {
    const len = eventLen(field);
    memory.copy(at, eventPtr(field), len);
    eventField(field, at, len);
    at += len;
  }
  memory.copy(KEPT_FIELDS, EVENT, FIELDS_LEN);
  kept = true;
  fromCache = false;
  return Monitor.Kept;
}

function loadKept(): void {
  memory.copy(EVENT, KEPT_FIELDS, FIELDS_LEN);
}

// Opens the value field in place. peer: 0 is myself.
function open(peer: usize, now: i64): Monitor {
  const len = eventLen(Field.Value);
  const isDelete = eventLen(Field.Operation) > 0 && load<u8>(eventPtr(Field.Operation)) === DELETE;
  const kind = isDelete ? Kind.Delete : Kind.Update;
  sealedAbout(VIEW, peer ? Target.In : Target.Self, peer, kind, keptFlags);
  const value = eventPtr(Field.Value);
  const iv = eventPtr(Field.Error);
  const status =
    len > CIPHERTEXT_MAX
      ? Status.ValueTooLong
      : sealedValue(value, len, iv, eventLen(Field.Error), wrapped, wrappedLength);
  if (status >= 0) return monitorResume(now);
  raise(status);
  return Monitor.Raised;
}

/** Goes on with a notification when the key that came with it was opened (sealedUnwrap). */
export function monitorResume(now: i64): Monitor {
  const isPlain = eventLen(Field.Value) === 0;
  let status = sealedOpen(now);
  if (status === Status.Busy) return Monitor.Wrapped;
  if (status === Status.Pending) {
    monitorDelivered(now);
    return Monitor.Dropped;
  }
  if (status >= 0) {
    eventField(Field.Value, eventPtr(Field.Value), status);
    status = finish((keptFlags & ENCODED) !== 0);
    if (status >= 0 && isPlain && !(eventVerdict() & Verdict.Authentic)) status = EVENT_PLAIN;
  }
  raise(status);
  return Monitor.Raised;
}

function finish(isBase64: bool): i32 {
  const value = eventPtr(Field.Value);
  if (isBase64 && value) {
    const n = base64Decode(value, eventLen(Field.Value), value, eventLen(Field.Value));
    if (n < 0) return n;
    eventField(Field.Value, value, n);
  }
  return eventLen(Field.Value) > VALUE_MAX ? Status.ValueTooLong : 0;
}

// A notice carries no value: what could not be decrypted is nobody's business.
function raise(status: i32): void {
  eventField(Field.Error, 0, 0);
  if (status < 0) {
    eventField(Field.Value, 0, 0);
    eventJudge(0);
  }
  eventRaise(status < 0 ? Event.Notice : Event.Notification, status, 0);
}

// `@me:shared_key@peer`, not a name that merely holds the word.
function isSharedKey(x: usize, len: u32): bool {
  const at = wordFind(SHARED_KEY, x, len);
  if (at < 1) return false;
  const end = at + load<u8>(SHARED_KEY);
  return load<u8>(x + at - 1) === 0x3a && <u32>end < len && load<u8>(x + end) === 0x40;
}

function find(field: i32, x: usize, len: u32, name: usize): void {
  if (memberFind(x, len, name)) eventField(field, memberPtr(), memberLen());
}

function unquote(field: i32): i32 {
  const n = memberUnescape(eventPtr(field), eventLen(field));
  if (n >= 0) eventField(field, eventPtr(field), n);
  return n;
}

// The time the atServer gives it; 0 when there is none or it is not a time.
function epochOf(): i64 {
  let value: i64 = 0;
  if (eventLen(Field.Epoch) !== EPOCH_DIGITS) return 0;
  for (let i: u32 = 0; i < EPOCH_DIGITS; i++) {
    const c = load<u8>(eventPtr(Field.Epoch) + i);
    if (c < 0x30 || c > 0x39) return 0;
    value = value * 10 + (c - 0x30);
  }
  return value >= EPOCH_MIN && value < EPOCH_MAX ? value : 0;
}
