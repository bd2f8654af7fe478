// SPDX-License-Identifier: BSD-3-Clause
// The state machine. One link at a time, one request at a time; notifications come in between.
//
//   Off --start--> Directory --address--> Server --greeting--> Talking --success--> Ready
//                      ^                                          |                   |
//                      +------------- Pause <---- link or reply failed --------------+
//
// Talking is: from, pkam; or for a new device the public key, enroll:request, and after the login keys:get twice.
import { acceleratorProbe } from "../crypto/accelerator";
import { now_ms } from "../hal";
import { authRequest } from "../keys/auth";
import {
  keyringAtsign,
  keyringAtsignLen,
  keyringClear,
  keyringIdLen,
  keyringIsComplete,
  keyringSetAtsign,
  keyringSetId,
  keyringTakeLogin,
  keyringTakePrivate,
  keyringTakeSelf,
} from "../keys/keyring";
import { shareClear, shareForgetCandidates } from "../keys/share";
import { OP_VALUE, OP_VALUE_CAP, RX } from "../memory";
import { Status } from "../status";
import { atsignEqual } from "../wire/atsign";
import { lineDone, lineGreeted, lineLength, lineNext, lineReset } from "../wire/line";
import { requestDirectory, requestFrom, requestNoop, requestPublicKey } from "../wire/request";
import {
  Response,
  responseCode,
  responseIsNull,
  responseLen,
  responseParse,
  responsePtr,
  responseStatus,
  startsWith,
} from "../wire/response";
import { LOOKUP, NOTIFICATION } from "../wire/words";
import { bytesWipe } from "../bytes";
import { Config, configLen, configPtr, configSet } from "./config";
import {
  enrollAskKey,
  enrollIsStarted,
  enrollLoaded,
  enrollMakeKeys,
  enrollMayExist,
  enrollRefused,
  enrollRejected,
  enrollRequest,
  enrollTakeKey,
  enrollTaken,
} from "./enroll";
import { Event, Field, eventBegin, eventDrop, eventField, eventKind, eventRaise } from "./event";
import { identityLoad, identityStore } from "./identity";
import {
  Link,
  linkDrop,
  linkDropped,
  linkOpening,
  linkPending,
  linkSend,
  linkState,
  linkWant,
} from "./link";
import {
  Monitor,
  monitorDelivered,
  monitorForget,
  monitorIsWaiting,
  monitorIsWanted,
  monitorKeyReply,
  monitorKeyRequest,
  monitorRequest,
  monitorTake,
  monitorTakeHead,
  monitorWant,
} from "./monitor";
import {
  Operation,
  operationEnd,
  operationKind,
  operationNext,
  operationNumber,
  operationReply,
  operationRestart,
  operationStart,
} from "./operation";
import { randomJitter, randomRefresh, randomSeed } from "./random";
import { watermarkDue, watermarkErase, watermarkLoad, watermarkStore } from "./watermark";

/** What the board sees as state(). */
export const enum State {
  Stopped = 0,
  Directory = 1,
  Connecting = 2,
  Login = 3,
  Enrolling = 4,
  Approval = 5,
  Ready = 6,
  Pausing = 7,
}

/** What the board is to do after a poll. */
export const enum Action {
  None = 0,
  Open = 1,
  Close = 2,
  TakeEvent = 3,
  Send = 4,
}

const enum Phase {
  Off,
  /** The link to the atDirectory is wanted, opening or open. */
  Directory,
  /** The link to the atServer, until it has spoken. */
  Server,
  Talking,
  Ready,
  /** No link until pauseEnd. */
  Pause,
}

/** Whose reply is awaited. */
const enum Expect {
  None,
  Directory,
  From,
  Pkam,
  PublicKey,
  Enroll,
  KeyEncryption,
  KeySelf,
  Operation,
  /** The key of a kept notification. */
  InKey,
  Noop,
  /** As Noop, and an error before it is the monitor's. */
  Monitor,
}

// Milliseconds.
const OPEN_LIMIT: i64 = 60000;
const REPLY_LIMIT: i64 = 30000;
/** Without traffic: the heartbeat, and when the link counts as dead. */
const QUIET: i64 = 15000;
const DEAD: i64 = 40000;
const BACKOFF_FIRST: i64 = 1000;
const BACKOFF_LAST: i64 = 60000;
const APPROVAL_LAST: i64 = 10000;
/** Between tries of the atDirectory: 50, 100, 150, 200. */
const DIRECTORY_PAUSE: i64 = 50;
const DIRECTORY_TRIES: i32 = 5;
/** Lines looked at in one poll. */
const LINES: i32 = 4;
/** Requests of one operation that may go unanswered. */
const UNANSWERED: i32 = 2;

let phase: Phase = Phase.Off;
let expect: Expect = Expect.None;
let monitoring: bool = false;
let announced: State = State.Stopped;
let reason: i32 = 0;
/** The event's fields lie in the line, which has to stay. */
let lineHeld: bool = false;
let notified: bool = false;
let busy: bool = false;

let now: i64 = 0;
let deadline: i64 = 0;
let pauseEnd: i64 = 0;
let heard: i64 = 0;

let directoryTries: i32 = 0;
let failures: i32 = 0;
let waitingForApproval: bool = false;
let approvalPolls: i32 = 0;
let earlierEnrollment: bool = false;
let unanswered: i32 = 0;
/** The Status an operation ended with while another event was waiting. */
let operationResult: i32 = Status.Pending;
/** Import fields seen: one bit a field. */
let imported: u32 = 0;

/** Loads what is stored. 0, NotEnrolled, NoEntropy, StoreFailed. */
export function sessionInit(): i32 {
  acceleratorProbe();
  const seeded = randomSeed();
  if (seeded < 0) return seeded;
  const status = identityLoad();
  watermarkLoad();
  enrollLoaded();
  if (status < 0) return status;
  return keyringIsComplete() ? 0 : Status.NotEnrolled;
}

/** Takes the configuration value of `len` bytes at OP_VALUE. 0 or negative. */
export function sessionConfig(field: i32, len: u32): i32 {
  if (phase !== Phase.Off) return Status.WrongState;
  if (field < Config.AtSign || field > Config.Passcode || len > OP_VALUE_CAP)
    return Status.BadArgument;
  const status =
    field >= Config.Login && field <= Config.EnrollmentId
      ? importKey(field, len)
      : configSet(field, OP_VALUE, len);
  bytesWipe(OP_VALUE, OP_VALUE_CAP);
  return status;
}

/** Begins connecting. 0, WrongState (running, not configured, or keys of another atSign), NotEnrolled. */
export function sessionStart(monitor: bool): i32 {
  if (phase !== Phase.Off) return Status.WrongState;
  if (configLen(Config.AtSign) === 0 || configLen(Config.Directory) === 0) return Status.WrongState;
  if (keyringAtsignLen() > 0 && !isOurs()) return Status.WrongState;
  if (!keyringIsComplete()) {
    const asked = enrollIsStarted() && keyringIdLen() > 0;
    if (!asked && configLen(Config.Passcode) === 0) return Status.NotEnrolled;
  }
  imported = 0;
  monitoring = monitor;
  reason = 0;
  failures = directoryTries = approvalPolls = unanswered = 0;
  waitingForApproval = false;
  phase = Phase.Directory;
  now = now_ms();
  return 0;
}

/** Ends the session: the link is closed, an operation ends with LinkFailed. */
export function sessionStop(): void {
  end(0, Status.LinkFailed);
}

/** Begins an operation: its number, or negative. */
export function sessionOperate(kind: i32, keyLen: u32, valueLen: u32): i32 {
  if (phase === Phase.Off) return Status.WrongState;
  if (operationResult !== Status.Pending) return Status.Busy;
  if (kind === Operation.Enroll && keyringIsComplete()) return Status.WrongState;
  unanswered = 0;
  return operationStart(kind, keyLen, valueLen);
}

export function sessionState(): State {
  switch (phase) {
    case Phase.Off:
      return State.Stopped;
    case Phase.Ready:
      return State.Ready;
  }
  if (waitingForApproval) return State.Approval;
  if (phase === Phase.Directory) return State.Directory;
  if (phase === Phase.Server) return State.Connecting;
  if (phase === Phase.Pause) return directoryTries > 0 ? State.Directory : State.Pausing;
  return expect === Expect.From || expect === Expect.Pkam ? State.Login : State.Enrolling;
}

/** Does a bounded amount of work and says what the board is to do. */
export function sessionPoll(): Action {
  now = now_ms();
  busy = false;
  for (let i = 0; i < LINES; i++) {
    if (raiseDue()) return Action.TakeEvent;
    if (linkState() === Link.Unwanted) {
      linkDropped();
      busy = true;
      return Action.Close;
    }
    if (!step()) break;
    busy = i === LINES - 1;
  }
  if (raiseDue()) return Action.TakeEvent;
  if (linkState() === Link.Unwanted) {
    busy = true;
    return Action.None;
  }
  if (linkState() === Link.Wanted) {
    linkOpening();
    deadline = now + OPEN_LIMIT;
    return Action.Open;
  }
  return linkPending() > 0 ? Action.Send : Action.None;
}

/** Milliseconds until the next poll without input. */
export function sessionDelay(): i32 {
  if (busy || eventKind() !== Event.None || phase === Phase.Off)
    return phase === Phase.Off ? 60000 : 0;
  let due: i64 = 60000;
  if (phase === Phase.Pause) due = pauseEnd - now;
  else if (expect !== Expect.None || phase !== Phase.Ready) due = deadline - now;
  else due = heard + QUIET - now;
  const store = watermarkDue(now);
  if (store >= 0 && store < due) due = store;
  return due < 0 ? 0 : (due as i32);
}

/** Where the open link is to lead. */
export function sessionAddress(): i32 {
  return phase === Phase.Directory ? Config.Directory : Config.Address;
}

/** The board has taken the event. */
export function sessionEventDone(): void {
  if (eventKind() === Event.None) return;
  if (notified) monitorDelivered(now);
  notified = false;
  eventDrop();
  if (lineHeld) finishLine();
  busy = true;
}

/** Bytes were received. */
export function sessionHeard(): void {
  heard = now_ms();
}

// An event that is waiting to be raised: a new state, then the operation's end.
function raiseDue(): bool {
  if (eventKind() !== Event.None) return true;
  const state = sessionState();
  if (state !== announced) {
    announced = state;
    eventBegin();
    eventRaise(Event.State, state, reason);
    return true;
  }
  if (operationResult === Status.Pending) return false;
  eventBegin();
  eventRaise(Event.Operation, operationResult, operationNumber());
  operationResult = Status.Pending;
  return true;
}

// One thing. True when there may be more.
function step(): bool {
  if (watermarkDue(now) === 0) watermarkStore();
  if (phase === Phase.Off) return false;
  if (phase === Phase.Pause) return resume();
  if (linkState() === Link.Closed) {
    connect();
    return false;
  }
  if (linkState() === Link.Open || linkState() === Link.HungUp) {
    if (receive()) return true;
  }
  if (linkState() === Link.HungUp) {
    broken(Status.LinkFailed);
    return true;
  }
  if (linkState() === Link.Open) {
    if (now - heard >= DEAD && phase === Phase.Ready) {
      broken(Status.TimedOut);
      return true;
    }
    if (expect === Expect.None && linkPending() === 0) speak();
  }
  return timedOut();
}

function resume(): bool {
  if (now < pauseEnd || linkState() === Link.Unwanted) return false;
  phase = configLen(Config.Address) > 0 ? Phase.Server : Phase.Directory;
  return true;
}

function connect(): void {
  const status = randomRefresh();
  if (status < 0) {
    end(status, status);
    return;
  }
  if (phase === Phase.Directory && configLen(Config.Address) > 0) phase = Phase.Server;
  expect = Expect.None;
  deadline = now + OPEN_LIMIT;
  heard = now;
  linkWant();
}

// Every wait has its end.
function timedOut(): bool {
  if (phase === Phase.Ready && expect === Expect.None) return false;
  if (now < deadline) return false;
  if (expect === Expect.Operation) {
    unanswered++;
    if (unanswered >= UNANSWERED) finishOperation(Status.TimedOut);
  }
  broken(Status.TimedOut);
  return true;
}

// The next request, when nothing is awaited.
function speak(): void {
  if (phase === Phase.Directory || phase === Phase.Server) {
    if (!lineGreeted()) return;
    greet();
  } else if (phase === Phase.Ready) speakReady();
}

function greet(): void {
  const me = configPtr(Config.AtSign);
  const meLen = configLen(Config.AtSign);
  if (phase === Phase.Directory) {
    ask(Expect.Directory, requestDirectory(me, meLen));
    return;
  }
  phase = Phase.Talking;
  if (keyringIsComplete() || keyringIdLen() > 0) {
    ask(Expect.From, requestFrom(me, meLen));
    return;
  }
  const status = enrollMakeKeys();
  ask(Expect.PublicKey, status < 0 ? status : requestPublicKey(LOOKUP, me, meLen));
}

function speakReady(): void {
  if (monitorIsWaiting()) ask(Expect.InKey, monitorKeyRequest());
  else if (monitorIsWanted()) {
    monitorWant(false);
    ask(Expect.Monitor, monitorRequest());
  } else if (operationKind() !== Operation.None) {
    if (operationKind() === Operation.Enroll) {
      finishOperation(0);
      return;
    }
    const line = operationNext();
    if (line < 0) finishOperation(line);
    else ask(Expect.Operation, line);
  } else if (now - heard >= QUIET) ask(Expect.Noop, requestNoop());
}

// Sends the line just written; a Status instead of a length ends the session.
function ask(whose: Expect, line: i32): void {
  if (line < 0) {
    end(line, line);
    return;
  }
  expect = whose;
  deadline = now + REPLY_LIMIT;
  linkSend(line);
}

// Takes one line. False: there is none.
function receive(): bool {
  const length = lineNext(configPtr(Config.AtSign), configLen(Config.AtSign));
  if (length === Status.Pending) return false;
  lineHeld = true;
  if (length < 0) tooLong();
  else takeLine(length);
  if (lineHeld && eventKind() === Event.None) finishLine();
  return true;
}

function finishLine(): void {
  lineHeld = false;
  lineDone();
}

function tooLong(): void {
  if (startsWith(RX, lineLength(), NOTIFICATION)) {
    responseParse(RX, lineLength());
    notified = monitorTakeHead(responsePtr(), responseLen()) === Monitor.Raised;
  } else if (expect === Expect.Operation) finishOperation(Status.LineTooLong);
  else if (expect !== Expect.None) broken(Status.LineTooLong);
}

function takeLine(length: u32): void {
  const response = responseParse(RX, length);
  if (response === Response.Notification) {
    const free = linkPending() === 0;
    const result = monitorTake(responsePtr(), responseLen(), free, now);
    notified = result === Monitor.Raised;
    return;
  }
  if (expect === Expect.Directory) {
    takeAddress(length);
    return;
  }
  if (response === Response.Other) return;
  reply(response === Response.Error);
}

function reply(isError: bool): void {
  const whose = expect;
  // After the monitor's error the reply to its noop is still to come.
  if (whose === Expect.Monitor && isError) {
    eventBegin();
    eventField(Field.Error, responsePtr(), responseLen());
    eventRaise(Event.Notice, Status.Refused, 0);
    return;
  }
  expect = Expect.None;
  switch (whose) {
    case Expect.Operation:
      operationReplied(isError);
      return;
    case Expect.InKey:
      notified = monitorKeyReply(isError);
      // The fields of a kept notification lie in the tx buffer, the line is free.
      if (notified) finishLine();
      return;
    case Expect.None:
    case Expect.Noop:
    case Expect.Monitor:
      return;
  }
  if (isError) refused(whose);
  else proceed(whose);
}

function operationReplied(isError: bool): void {
  unanswered = 0;
  eventBegin();
  const status = operationReply(isError);
  if (status === Status.Pending) return;
  const number = operationNumber();
  operationEnd();
  eventRaise(Event.Operation, status, number);
}

// The next step of login and enrollment.
function proceed(whose: Expect): void {
  const x = responsePtr();
  const len = responseLen();
  switch (whose) {
    case Expect.From:
      ask(Expect.Pkam, authRequest(x, len));
      return;
    case Expect.Pkam:
      waitingForApproval = false;
      if (keyringIsComplete()) ready();
      else ask(Expect.KeyEncryption, enrollAskKey(true));
      return;
    case Expect.PublicKey:
      earlierEnrollment = enrollMayExist();
      ask(Expect.Enroll, enrollRequest(x, len));
      return;
    case Expect.Enroll:
      approval(enrollTaken(x, len));
      return;
    case Expect.KeyEncryption: {
      const status = enrollTakeKey(true, x, len);
      ask(Expect.KeySelf, status < 0 ? status : enrollAskKey(false));
      return;
    }
    case Expect.KeySelf: {
      const status = enrollTakeKey(false, x, len);
      if (status < 0) end(status, status);
      else {
        watermarkErase();
        ready();
      }
    }
  }
}

// A refusal on the way to Ready.
function refused(whose: Expect): void {
  const status = responseStatus();
  if (whose === Expect.Enroll) {
    const taken = enrollRefused(responsePtr(), responseLen(), earlierEnrollment);
    if (taken === 0) approval(0);
    else endWithText(taken);
    return;
  }
  if (whose === Expect.PublicKey && status === Status.NotFound) {
    endWithText(Status.NotFound);
    return;
  }
  if (whose === Expect.Pkam) {
    if (status === Status.EnrollmentPending) {
      approval(0);
      return;
    }
    const final = responseCode() === 401 ? Status.AuthFailed : status;
    if (final <= Status.AuthFailed && final >= Status.EnrollmentExpired) {
      endWithText(keyringIsComplete() ? final : enrollRejected(final));
      return;
    }
  }
  broken(status);
}

// Waits for the approving client, then logs in on a new link: after 1, 2, 4, 8, 10, 10… seconds.
function approval(status: i32): void {
  if (status < 0) {
    end(status, status);
    return;
  }
  waitingForApproval = true;
  let wait: i64 = 1000 << approvalPolls;
  if (wait > APPROVAL_LAST) wait = APPROVAL_LAST;
  else approvalPolls++;
  pause(wait);
}

function ready(): void {
  phase = Phase.Ready;
  expect = Expect.None;
  failures = 0;
  reason = 0;
  heard = now;
  monitorWant(monitoring);
}

// The atDirectory's answer: `host:port`, or `null` for an atSign it does not know.
function takeAddress(length: u32): void {
  expect = Expect.None;
  if (responseIsNull()) {
    end(Status.UnknownAtSign, Status.UnknownAtSign);
    return;
  }
  if (!isAddress(RX, length) || configSet(Config.Address, RX, length) < 0) {
    broken(Status.BadReply);
    return;
  }
  directoryTries = 0;
  linkDrop();
  phase = Phase.Server;
}

function isAddress(x: usize, len: u32): bool {
  let colon: u32 = 0;
  for (let i: u32 = 0; i < len; i++) {
    const c = load<u8>(x + i);
    if (c <= 0x20 || c >= 0x7f) return false;
    if (c === 0x3a) colon = i;
    else if (colon > 0 && (c < 0x30 || c > 0x39)) return false;
  }
  return colon > 0 && colon + 1 < len && len - colon <= 6;
}

// The link is of no use any more: what was under way begins again after a pause.
function broken(status: i32): void {
  const before = phase;
  settle();
  reason = status;
  if (before === Phase.Directory) {
    directoryTries++;
    if (directoryTries < DIRECTORY_TRIES) {
      pause(DIRECTORY_PAUSE * directoryTries);
      return;
    }
  }
  directoryTries = 0;
  // A link that worked may work again at the same place; one that never did sends us back to the atDirectory.
  if (before !== Phase.Ready) configSet(Config.Address, RX, 0);
  let wait = BACKOFF_LAST;
  if (failures < 6) wait = BACKOFF_FIRST << failures;
  failures++;
  pause(randomJitter(wait > BACKOFF_LAST ? BACKOFF_LAST : wait));
}

function pause(milliseconds: i64): void {
  settle();
  phase = Phase.Pause;
  pauseEnd = now + milliseconds;
}

// Nothing is under way any more.
function settle(): void {
  linkDrop();
  expect = Expect.None;
  monitorForget();
  shareForgetCandidates();
  operationRestart();
}

// The session is over: why (0: as asked), and what an operation ends with.
function end(why: i32, operation: i32): void {
  if (phase === Phase.Off) return;
  settle();
  reason = why;
  phase = Phase.Off;
  watermarkStore();
  configSet(Config.Address, RX, 0);
  if (operationKind() !== Operation.None) finishOperation(operation);
}

// The same with the atServer's text, which the state's event carries.
function endWithText(why: i32): void {
  end(why, why);
  announced = State.Stopped;
  eventBegin();
  eventField(Field.Error, responsePtr(), responseLen());
  eventRaise(Event.State, State.Stopped, why);
}

function finishOperation(status: i32): void {
  operationResult = status;
  operationEnd();
}

function isOurs(): bool {
  return atsignEqual(
    keyringAtsign(),
    keyringAtsignLen(),
    configPtr(Config.AtSign),
    configLen(Config.AtSign),
  );
}

// An identity made elsewhere. Its first field wipes what was there; with login, encryption and self key it is stored.
function importKey(field: i32, len: u32): i32 {
  if (configLen(Config.AtSign) === 0) return Status.WrongState;
  if (imported === 0) {
    keyringClear();
    shareClear();
    keyringSetAtsign(configPtr(Config.AtSign), configLen(Config.AtSign));
  }
  let status = 0;
  if (field === Config.Login) status = keyringTakeLogin(OP_VALUE, len);
  else if (field === Config.Encryption) status = keyringTakePrivate(OP_VALUE, len);
  else if (field === Config.Self) status = keyringTakeSelf(OP_VALUE, len);
  else status = keyringSetId(OP_VALUE, len);
  if (status < 0) return status;
  if (imported === 0) watermarkErase();
  imported |= 1 << field;
  return keyringIsComplete() ? identityStore() : 0;
}
