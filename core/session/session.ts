// SPDX-License-Identifier: BSD-3-Clause
// The session as the board drives it: one bounded step at a time, one link, one request, and
// notifications in between.
import { bytesWipe } from "../bytes";
import { acceleratorProbe } from "../crypto/accelerator";
import { keyringAtsign, keyringAtsignLen, keyringIdLen, keyringIsComplete } from "../keys/keyring";
import { OP_VALUE, OP_VALUE_CAP, RX } from "../memory";
import { Retry, retryIsOver } from "../retries";
import { Status } from "../status";
import { atsignEqual } from "../wire/atsign";
import { lineDone, lineGreeted, lineLength, lineNext } from "../wire/line";
import { requestNoop } from "../wire/request";
import { Response, responseLen, responseParse, responsePtr, startsWith } from "../wire/response";
import { NOTIFICATION } from "../wire/words";
import { enrollIsStarted, enrollLoaded } from "./enroll";
import { identityLoad } from "./identity";
import { importBegin, importKey } from "./import";
import { loginAddress, loginGreet, loginReply } from "./login";
import {
  Expect,
  machineAnnounce,
  machineAnswered,
  machineAsk,
  machineBroken,
  machineEnd,
  machineEnter,
  machineExpects,
  machineFinish,
  machineHasResult,
  machineHear,
  machineLeft,
  machineNow,
  machinePhase,
  machineSilence,
  machineStart,
  machineTick,
  machineWait,
  Phase,
} from "./machine";
import {
  Monitor,
  monitorDelivered,
  monitorDue,
  monitorIsWaiting,
  monitorKeyReply,
  monitorKeyRequest,
  monitorOpen,
  monitorRequest,
  monitorResume,
  monitorTake,
  monitorTakeHead,
} from "./monitor";
import {
  Operation,
  operationEnd,
  operationKind,
  operationNext,
  operationNumber,
  operationReply,
  operationResume,
  operationStart,
} from "./operation";
import { issueAtsign, issueAtsignLen, issueIsDue, issueNext, issueReply } from "./peers/issue";
import { sealedUnwrap } from "./peers/sealed";
import { storedLoad } from "./peers/stored";
import { trustBegin } from "./peers/trust";
import { Config, configLen, configPtr, configSet } from "./state/config";
import {
  Event,
  eventBegin,
  eventDrop,
  eventField,
  eventKind,
  eventLen,
  eventPtr,
  eventRaise,
  Field,
} from "./state/event";
import { Link, linkDropped, linkOpening, linkPending, linkState, linkWant } from "./state/link";
import { randomRefresh, randomSeed } from "./state/random";
import { watermarkDue, watermarkLoad, watermarkStore } from "./state/watermark";

/** What the board is to do after a poll. */
export const enum Action {
  None = 0,
  Open = 1,
  Close = 2,
  TakeEvent = 3,
  Send = 4,
}

/** What is still to be done with a line that was looked at. */
const enum Line {
  Done,
  /** A notification, to be decrypted. */
  Sealed,
  /** Replies: the key of a kept notification, on what is issued, to the operation, on the way to Ready. */
  Key,
  Issue,
  Operation,
  Login,
}

// Milliseconds.
const OPEN_LIMIT: i64 = 60000;
/** Without a byte from the other side: when to ask for one, and when the link counts as dead. */
const QUIET: i64 = 15000;
const DEAD: i64 = 40000;
/** Longest sleep of a board. */
const LONGEST: i64 = 60000;
/** Steps in one poll. */
const STEPS: i32 = 4;

/** The event's fields lie in the line, which has to stay. */
let lineHeld: bool = false;
/** The event is a notification, delivered once it is taken. */
let notified: bool = false;
/** There is more to do at once. */
let busy: bool = false;
let unanswered: i32 = 0;
/** Whose reply the line is, and whether it is an error. */
let whose: Expect = Expect.None;
let failed: bool = false;

/** Loads what is stored. 0, NotEnrolled, NoEntropy, StoreFailed. */
export function sessionInit(): i32 {
  acceleratorProbe();
  const seeded = randomSeed();
  if (seeded < 0) return seeded;
  const status = identityLoad();
  watermarkLoad();
  enrollLoaded();
  if (status < 0) return status;
  const stored = storedLoad();
  if (stored < 0) return stored;
  return keyringIsComplete() ? 0 : Status.NotEnrolled;
}

/** Takes the configuration value of `len` bytes at OP_VALUE, which is wiped. 0 or negative. */
export function sessionConfig(field: i32, len: u32): i32 {
  if (machinePhase() !== Phase.Off) return Status.WrongState;
  if (field < Config.AtSign || field > Config.Peers || len > OP_VALUE_CAP) {
    return Status.BadArgument;
  }
  const isKey = field >= Config.Login && field <= Config.EnrollmentId;
  let status = isKey ? importKey(field, len) : configSet(field, OP_VALUE, len);
  if (status >= 0 && field === Config.Peers) status = trustBegin();
  bytesWipe(OP_VALUE, OP_VALUE_CAP);
  return status;
}

/**
 * Begins connecting. 0, WrongState (running, not configured, or keys of another atSign),
 * NotEnrolled.
 */
export function sessionStart(monitor: bool): i32 {
  if (machinePhase() !== Phase.Off) return Status.WrongState;
  const me = configPtr(Config.AtSign);
  const meLen = configLen(Config.AtSign);
  if (meLen === 0 || configLen(Config.Directory) === 0) return Status.WrongState;
  const owner = keyringAtsignLen();
  if (owner > 0 && !atsignEqual(keyringAtsign(), owner, me, meLen)) return Status.WrongState;
  const asked = keyringIsComplete() || (enrollIsStarted() && keyringIdLen() > 0);
  if (!asked && configLen(Config.Passcode) === 0) return Status.NotEnrolled;
  const trusted = trustBegin();
  if (trusted < 0) return trusted;
  importBegin();
  unanswered = 0;
  machineStart(monitor);
  return 0;
}

/** Ends the session: the link is closed, an operation ends with LinkFailed. */
export function sessionStop(): void {
  machineEnd(0, Status.LinkFailed);
}

/** Begins an operation: its number, or negative. */
export function sessionOperate(kind: i32, keyLen: u32, valueLen: u32): i32 {
  if (machinePhase() === Phase.Off) return Status.WrongState;
  if (machineHasResult()) return Status.Busy;
  if (kind === Operation.Enroll && keyringIsComplete()) return Status.WrongState;
  unanswered = 0;
  return operationStart(kind, keyLen, valueLen);
}

/** Does a bounded amount of work and says what the board is to do. */
export function sessionPoll(): Action {
  machineTick();
  busy = false;
  if (watermarkDue(machineNow()) === 0) watermarkStore();
  for (let i = 0; i < STEPS; i++) {
    if (eventKind() !== Event.None || machineAnnounce()) return Action.TakeEvent;
    if (linkState() === Link.Unwanted) {
      linkDropped();
      busy = true;
      return Action.Close;
    }
    busy = step();
    if (!busy) break;
  }
  if (eventKind() !== Event.None || machineAnnounce()) return Action.TakeEvent;
  if (linkState() === Link.Wanted) {
    linkOpening();
    return Action.Open;
  }
  return linkPending() > 0 ? Action.Send : Action.None;
}

/** Milliseconds until the next poll without input. */
export function sessionDelay(): i32 {
  if (busy || eventKind() !== Event.None) return 0;
  let due = LONGEST;
  const resting = machinePhase() === Phase.Ready && machineExpects() === Expect.None;
  if (resting) due = QUIET - machineSilence();
  else if (machinePhase() !== Phase.Off) due = machineLeft();
  if (machinePhase() === Phase.Ready) due = min<i64>(due, DEAD - machineSilence());
  const monitor = monitorDue(machineNow());
  if (resting && monitor >= 0) due = min<i64>(due, monitor);
  if (resting && issueIsDue(machineNow())) due = 0;
  const store = watermarkDue(machineNow());
  if (store >= 0) due = min<i64>(due, store);
  return max<i64>(due, 0) as i32;
}

/** The configuration value that says where the link is to lead. */
export function sessionAddress(): i32 {
  return machinePhase() === Phase.Directory ? Config.Directory : Config.Address;
}

/** The board has taken the event. */
export function sessionEventDone(): void {
  if (eventKind() === Event.None) return;
  if (notified) monitorDelivered(machineNow());
  notified = false;
  // Plaintext does not outlive its event.
  bytesWipe(eventPtr(Field.Value), eventLen(Field.Value));
  eventDrop();
  if (lineHeld) finishLine();
  busy = true;
}

/** Bytes were received. */
export function sessionHear(): void {
  machineHear();
  busy = true;
}

// One thing. True when there may be more.
function step(): bool {
  if (machinePhase() === Phase.Off) return false;
  if (machinePhase() === Phase.Pause) return resume();
  switch (linkState()) {
    case Link.Closed:
      connect();
      return false;
    case Link.Open:
      if (receive()) return true;
      if (machineExpects() === Expect.None && linkPending() === 0) speak();
      break;
    case Link.HungUp:
      if (receive()) return true;
      machineBroken(Status.LinkFailed);
      return true;
  }
  return late();
}

function resume(): bool {
  if (machineLeft() > 0) return false;
  machineEnter(configLen(Config.Address) > 0 ? Phase.Server : Phase.Directory);
  return true;
}

function connect(): void {
  const status = randomRefresh();
  if (status < 0) {
    machineEnd(status, status);
    return;
  }
  machineWait(OPEN_LIMIT);
  machineHear();
  linkWant();
}

// Every wait has its end.
function late(): bool {
  if (machinePhase() === Phase.Ready && machineSilence() >= DEAD) {
    machineBroken(Status.TimedOut);
    return true;
  }
  const resting = machinePhase() === Phase.Ready && machineExpects() === Expect.None;
  if (resting || machineLeft() > 0) return false;
  if (machineExpects() === Expect.Operation) {
    unanswered++;
    if (retryIsOver(Retry.Unanswered, unanswered)) machineFinish(Status.TimedOut);
  }
  machineBroken(Status.TimedOut);
  return true;
}

// The next request, when nothing is awaited.
function speak(): void {
  if (machinePhase() !== Phase.Ready) {
    if (lineGreeted()) loginGreet();
    return;
  }
  if (monitorIsWaiting()) {
    machineAsk(Expect.InKey, monitorKeyRequest());
    return;
  }
  if (monitorDue(machineNow()) === 0) {
    machineAsk(Expect.Monitor, monitorRequest(machineNow()));
    return;
  }
  if (issueIsDue(machineNow())) {
    issued(issueNext());
    return;
  }
  if (operationKind() === Operation.Enroll) {
    machineFinish(0);
    return;
  }
  if (operationKind() !== Operation.None) {
    const line = operationNext(machineNow());
    if (line < 0) machineFinish(line);
    else machineAsk(Expect.Operation, line);
    return;
  }
  if (machineSilence() >= QUIET) machineAsk(Expect.Noop, requestNoop());
}

// Takes one line. False: there is none. What opens keys or signs is called from here: it goes far down, and whatever is
// above it keeps its code in the board's memory.
function receive(): bool {
  const length = lineNext(configPtr(Config.AtSign), configLen(Config.AtSign));
  if (length === Status.Pending) return false;
  lineHeld = true;
  const line = takeLine(length);
  if (line === Line.Sealed) {
    let opened = monitorOpen(linkPending() === 0, machineNow());
    if (opened === Monitor.Wrapped) {
      sealedUnwrap(machineNow());
      opened = monitorResume(machineNow());
    }
    notified = opened === Monitor.Raised;
  } else if (line === Line.Key) {
    notified = monitorKeyReply(failed, machineNow());
    // The fields of a kept notification lie in the tx buffer, the line is free.
    if (notified) finishLine();
  } else if (line === Line.Issue) issued(issueReply(failed, machineNow()));
  else if (line === Line.Operation) operationReplied();
  else if (line === Line.Login) loginReply(whose, failed);
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
  } else if (machineExpects() === Expect.Operation) {
    machineAnswered();
    machineFinish(Status.LineTooLong);
  } else if (machineExpects() !== Expect.None) machineBroken(Status.LineTooLong);
}

function takeLine(length: i32): Line {
  if (length < 0) {
    tooLong();
    return Line.Done;
  }
  const response = responseParse(RX, length);
  if (response === Response.Notification) {
    const taken = monitorTake(responsePtr(), responseLen(), machineNow());
    notified = taken === Monitor.Raised;
    return taken === Monitor.Sealed ? Line.Sealed : Line.Done;
  }
  whose = machineExpects();
  if (whose === Expect.Directory) {
    machineAnswered();
    loginAddress(length);
    return Line.Done;
  }
  if (response === Response.Other) return Line.Done;
  failed = response === Response.Error;
  // After the monitor's error the reply to its noop is still to come.
  if (whose === Expect.Monitor && failed) {
    eventBegin();
    eventField(Field.Error, responsePtr(), responseLen());
    eventRaise(Event.Notice, Status.Refused, 0);
    return Line.Done;
  }
  machineAnswered();
  switch (whose) {
    case Expect.None:
    case Expect.Noop:
    case Expect.Monitor:
      return Line.Done;
    case Expect.Operation:
      return Line.Operation;
    case Expect.InKey:
      return Line.Key;
    case Expect.Issue:
      return Line.Issue;
  }
  return Line.Login;
}

// A line to be sent, nothing, or what is to be told; that something wasn't there is not.
function issued(line: i32): void {
  if (line > 0) machineAsk(Expect.Issue, line);
  else if (line < 0 && line !== Status.NotFound) {
    eventBegin();
    eventField(Field.From, issueAtsign(), issueAtsignLen());
    eventRaise(Event.Notice, line, 0);
  }
}

function operationReplied(): void {
  unanswered = 0;
  eventBegin();
  let status = operationReply(failed, machineNow());
  if (status === Status.Busy) {
    sealedUnwrap(machineNow());
    status = operationResume(machineNow());
  }
  if (status === Status.Pending) return;
  const number = operationNumber();
  operationEnd();
  eventRaise(Event.Operation, status, number);
}
