// SPDX-License-Identifier: BSD-3-Clause
// From a fresh link to Ready: the atDirectory's answer, the login, the enrollment of a new device.
// atProtocol: the atDirectory; from and pkam; APKAM enrollment.
import { authRequest } from "../keys/auth";
import { keyringIdLen, keyringIsComplete } from "../keys/keyring";
import { RX } from "../memory";
import { Status } from "../status";
import { addressIsValid } from "../wire/address";
import { challengeIsFor } from "../wire/challenge";
import { requestDirectory, requestKey, requestPublicKey } from "../wire/request";
import {
  responseCode,
  responseIsNull,
  responseLen,
  responsePtr,
  responseStatus,
} from "../wire/response";
import { FROM, LOOKUP } from "../wire/words";
import {
  enrollAskKey,
  enrollMakeKeys,
  enrollMayExist,
  enrollRefused,
  enrollRejected,
  enrollRequest,
  enrollTakeKey,
  enrollTaken,
} from "./enroll";
import {
  Expect,
  machineApproved,
  machineAsk,
  machineAwaitApproval,
  machineBroken,
  machineEnd,
  machineEndWithText,
  machineEnter,
  machineFound,
  machinePhase,
  machineReady,
  Phase,
} from "./machine";
import { storedErase } from "./peers/stored";
import { Config, configLen, configPtr, configSet } from "./state/config";
import { watermarkErase } from "./state/watermark";

/** AT0028. */
const TOO_MANY_REQUESTS: i32 = 28;

/** Whether an enrollment was asked for before the request under way. */
let earlier: bool = false;

/** The other side has spoken: the first request. */
export function loginGreet(): void {
  const me = configPtr(Config.AtSign);
  const meLen = configLen(Config.AtSign);
  if (machinePhase() === Phase.Directory) {
    machineAsk(Expect.Directory, requestDirectory(me, meLen));
    return;
  }
  machineEnter(Phase.Talking);
  if (keyringIsComplete() || keyringIdLen() > 0) {
    machineAsk(Expect.From, requestKey(FROM, me, meLen));
    return;
  }
  const status = enrollMakeKeys();
  machineAsk(Expect.PublicKey, status < 0 ? status : requestPublicKey(LOOKUP, me, meLen));
}

/** Takes the atDirectory's answer: `host:port`, or `null` for an atSign it does not know. */
export function loginAddress(len: u32): void {
  if (responseIsNull()) {
    machineEnd(Status.UnknownAtSign, Status.UnknownAtSign);
    return;
  }
  if (addressIsValid(RX, len) && configSet(Config.Address, RX, len) >= 0) machineFound();
  else machineBroken(Status.BadReply);
}

/** Takes the reply to one of the requests on the way to Ready. */
export function loginReply(whose: Expect, isError: bool): void {
  if (isError) refused(whose);
  else proceed(whose);
}

function proceed(whose: Expect): void {
  const x = responsePtr();
  const len = responseLen();
  switch (whose) {
    case Expect.From: {
      const ours = challengeIsFor(x, len, configPtr(Config.AtSign), configLen(Config.AtSign));
      machineAsk(Expect.Pkam, ours ? authRequest(x, len) : Status.BadChallenge);
      return;
    }
    case Expect.Pkam:
      machineApproved();
      if (keyringIsComplete()) machineReady();
      else machineAsk(Expect.KeyEncryption, enrollAskKey(true));
      return;
    case Expect.PublicKey:
      earlier = enrollMayExist();
      machineAsk(Expect.Enroll, enrollRequest(x, len));
      return;
    case Expect.Enroll:
      approval(enrollTaken(x, len));
      return;
    case Expect.KeyEncryption:
      enrollTakeKey(true, x, len);
      machineAsk(Expect.KeySelf, enrollAskKey(false));
      return;
  }
  const status = enrollTakeKey(false, x, len);
  if (status < 0) {
    machineEnd(status, status);
    return;
  }
  // It has done its work.
  configSet(Config.Passcode, RX, 0);
  watermarkErase();
  storedErase();
  machineReady();
}

function refused(whose: Expect): void {
  const status = responseStatus();
  switch (whose) {
    case Expect.Enroll: {
      // Others guess: the passcode was not looked at, and is as good as before.
      if (responseCode() === TOO_MANY_REQUESTS) {
        machineBroken(status);
        return;
      }
      const taken = enrollRefused(responsePtr(), responseLen(), earlier);
      if (taken === 0) machineAwaitApproval();
      else machineEndWithText(taken);
      return;
    }
    case Expect.PublicKey:
      if (status === Status.NotFound) machineEndWithText(status);
      else machineBroken(status);
      return;
    case Expect.Pkam:
      loginRefused(responseCode() === 401 ? Status.AuthFailed : status);
      return;
  }
  machineBroken(status);
}

function loginRefused(status: i32): void {
  switch (status) {
    case Status.EnrollmentPending:
      machineAwaitApproval();
      return;
    case Status.AuthFailed:
    case Status.EnrollmentDenied:
    case Status.EnrollmentRevoked:
    case Status.EnrollmentExpired:
      machineEndWithText(keyringIsComplete() ? status : enrollRejected(status));
      return;
  }
  machineBroken(status);
}

function approval(status: i32): void {
  if (status < 0) machineEnd(status, status);
  else machineAwaitApproval();
}
