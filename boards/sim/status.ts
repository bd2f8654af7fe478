// SPDX-License-Identifier: BSD-3-Clause

/** Names of the core's negative results, -1 first; core/status.ts is the list that explains them. */
export const STATUS_NAMES = [
  "Pending",
  "Busy",
  "WrongState",
  "BadArgument",
  "NoRoom",
  "LineTooLong",
  "ValueTooLong",
  "KeyTooLong",
  "BadAtSign",
  "BadAtKey",
  "BadBase64",
  "BadJson",
  "BadDer",
  "BadPadding",
  "BadSignature",
  "BadPoint",
  "BadRsaKey",
  "Fault",
  "NoEntropy",
  "StoreFailed",
  "NotEnrolled",
  "UnknownAtSign",
  "LinkFailed",
  "TimedOut",
  "BadReply",
  "AuthFailed",
  "EnrollmentPending",
  "EnrollmentDenied",
  "EnrollmentRevoked",
  "EnrollmentExpired",
  "BadPasscode",
  "NotFound",
  "Refused",
  "PeerUnreachable",
  "PublicKeyChanged",
  "UnknownAlgorithm",
  "NoValue",
  "InsecureAnswer",
  "NotEncrypted",
  "NoSharedKey",
  "GivenUp",
  "BadChallenge",
] as const;

/** The results this program acts on. */
export const STATUS = {
  Busy: -2,
  WrongState: -3,
  BadArgument: -4,
  NoRoom: -5,
  StoreFailed: -20,
  NoEntropy: -19,
  NotEnrolled: -21,
} as const;

/** "Done", a status' name, or "status -99" for one that is not known here. */
export function statusName(status: number): string {
  if (status >= 0) return "Done";
  return STATUS_NAMES[-status - 1] ?? `status ${status}`;
}
