// SPDX-License-Identifier: BSD-3-Clause
// Where the session stands and the ways from one state to the next; what is said in each is in
// login.ts and session.ts.
//
//   Off --start--> Directory --address--> Server --greeting--> Talking --success--> Ready
//                      ^                                          |                   |
//                      +------------- Pause <---- link or reply failed --------------+
//
// Talking is: from, pkam; or for a new device the public key, enroll:request, and after the login
// keys:get twice.
import { log, now_ms } from "../hal";
import { peersConnected, peersForgetCandidates } from "../keys/peers";
import { RX } from "../memory";
import { Retry, retryIsOver, retryPause } from "../retries";
import { Status } from "../status";
import { responseLen, responsePtr } from "../wire/response";
import { LOG_BROKEN, LOG_ENDED } from "../wire/words";
import { monitorBegin, monitorForget } from "./monitor";
import {
  Operation,
  operationEnd,
  operationKind,
  operationNumber,
  operationRestart,
} from "./operation";
import { issueBegin } from "./peers/issue";
import { trustBegin } from "./peers/trust";
import { Config, configSet } from "./state/config";
import { Event, eventBegin, eventField, eventRaise, Field } from "./state/event";
import { linkDrop, linkSend } from "./state/link";
import { randomJitter } from "./state/random";
import { watermarkStore } from "./state/watermark";

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

export const enum Phase {
  Off,
  /** The link to the atDirectory is wanted, opening or open. */
  Directory,
  /** The link to the atServer, until it has spoken. */
  Server,
  Talking,
  Ready,
  /** No link until the pause ends. */
  Pause,
}

/** Whose reply is awaited. */
export const enum Expect {
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
  /** What is issued to a peer. */
  Issue,
  Noop,
  /** As Noop, and an error before it is the monitor's. */
  Monitor,
}

/** Levels of hal.log. */
const ERROR: u32 = 0;
const WARNING: u32 = 1;

// Milliseconds.
const REPLY_LIMIT: i64 = 30000;
/** Tries after which a pause is at its longest. */
const MANY: u32 = 16;

let phase: Phase = Phase.Off;
let expect: Expect = Expect.None;
let announced: State = State.Stopped;
let reason: i32 = 0;
let monitoring: bool = false;

let now: i64 = 0;
/** The end of the present wait, for a link, a reply or a pause. */
let deadline: i64 = 0;
let heard: i64 = 0;
/** When the session became ready last. */
let readySince: i64 = 0;

let directoryTries: i32 = 0;
let failures: i32 = 0;
let waitingForApproval: bool = false;
let approvalPolls: i32 = 0;
/** The Status an operation ended with, until its event can be raised. Pending: none. */
let result: i32 = Status.Pending;

/** Leaves Off. */
export function machineStart(monitor: bool): void {
  monitoring = monitor;
  reason = 0;
  failures = directoryTries = approvalPolls = 0;
  waitingForApproval = false;
  phase = Phase.Directory;
  machineTick();
}

export function machinePhase(): Phase {
  return phase;
}

export function machineEnter(p: Phase): void {
  phase = p;
}

/** Whose reply is awaited. */
export function machineExpects(): Expect {
  return expect;
}

/** The reply is there. */
export function machineAnswered(): void {
  expect = Expect.None;
}

export function machineState(): State {
  if (phase === Phase.Off) return State.Stopped;
  if (phase === Phase.Ready) return State.Ready;
  if (waitingForApproval) return State.Approval;
  if (phase === Phase.Directory) return State.Directory;
  if (phase === Phase.Server) return State.Connecting;
  if (phase === Phase.Pause) return directoryTries > 0 ? State.Directory : State.Pausing;
  return expect === Expect.From || expect === Expect.Pkam ? State.Login : State.Enrolling;
}

/** Reads the clock. */
export function machineTick(): void {
  now = now_ms();
}

/** The clock as last read, milliseconds. */
export function machineNow(): i64 {
  return now;
}

/** Bytes were received. */
export function machineHear(): void {
  heard = now_ms();
}

/** Milliseconds without a byte. */
export function machineSilence(): i64 {
  return now - heard;
}

/** Begins a wait. */
export function machineWait(milliseconds: i64): void {
  deadline = now + milliseconds;
}

/** Milliseconds to the end of the wait. */
export function machineLeft(): i64 {
  return deadline - now;
}

/**
 * Sends the line just written and waits for its reply; a Status instead of a length ends the
 * session.
 */
export function machineAsk(whose: Expect, line: i32): void {
  if (line < 0) {
    machineEnd(line, line);
    return;
  }
  expect = whose;
  machineWait(REPLY_LIMIT);
  linkSend(line);
}

/** The link is of no use any more: what was under way begins again after a pause. */
export function machineBroken(status: i32): void {
  const before = phase;
  log(WARNING, LOG_BROKEN + 1, load<u8>(LOG_BROKEN));
  reason = status;
  if (before === Phase.Directory) {
    directoryTries++;
    if (!retryIsOver(Retry.Directory, directoryTries)) {
      pause(retryPause(Retry.Directory, directoryTries - 1));
      return;
    }
  }
  directoryTries = 0;
  // A link that worked may work again at the same place; one that never did sends us back to the
  // atDirectory.
  if (before !== Phase.Ready) configSet(Config.Address, RX, 0);
  else if (now - readySince >= retryPause(Retry.Link, MANY)) failures = 0;
  pause(randomJitter(retryPause(Retry.Link, failures)));
  failures++;
}

/** Waits for the approving client before the next login. */
export function machineAwaitApproval(): void {
  if (retryIsOver(Retry.Approval, approvalPolls)) {
    machineEndWithText(Status.EnrollmentPending);
    return;
  }
  waitingForApproval = true;
  pause(retryPause(Retry.Approval, approvalPolls));
  approvalPolls++;
}

/** The login succeeded: whatever was waited for, it is approved. */
export function machineApproved(): void {
  waitingForApproval = false;
}

/** The atDirectory has answered: on to the atServer. */
export function machineFound(): void {
  directoryTries = 0;
  linkDrop();
  phase = Phase.Server;
}

/** Logged in, with all keys. */
export function machineReady(): void {
  phase = Phase.Ready;
  reason = 0;
  heard = readySince = now;
  monitorBegin(monitoring);
  peersConnected();
  // An enrollment has forgotten all peers.
  trustBegin();
  issueBegin(monitoring);
}

/** The session is over: why (0: as asked), and what an operation ends with. */
export function machineEnd(why: i32, operation: i32): void {
  if (phase === Phase.Off) return;
  settle();
  if (why < 0) log(ERROR, LOG_ENDED + 1, load<u8>(LOG_ENDED));
  reason = why;
  phase = Phase.Off;
  watermarkStore();
  configSet(Config.Address, RX, 0);
  if (operationKind() !== Operation.None) machineFinish(operation);
}

/** The same, announced at once with the atServer's text. */
export function machineEndWithText(why: i32): void {
  machineEnd(why, why);
  machineAnnounce();
  eventField(Field.Error, responsePtr(), responseLen());
}

/** The operation ends without a reply to show. */
export function machineFinish(status: i32): void {
  result = status;
  operationEnd();
}

/** Whether the end of the last operation was not announced yet. */
export function machineHasResult(): bool {
  return result !== Status.Pending;
}

/** Raises what is to be told: a new state, then an operation's end. False: nothing. */
export function machineAnnounce(): bool {
  const state = machineState();
  if (state !== announced) {
    announced = state;
    eventBegin();
    eventRaise(Event.State, state, reason);
    return true;
  }
  if (result === Status.Pending) return false;
  eventBegin();
  eventRaise(Event.Operation, result, operationNumber());
  result = Status.Pending;
  return true;
}

function pause(milliseconds: i64): void {
  settle();
  phase = Phase.Pause;
  machineWait(milliseconds);
}

// Nothing is under way any more.
function settle(): void {
  linkDrop();
  expect = Expect.None;
  monitorForget();
  peersForgetCandidates();
  operationRestart();
}
