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
  "NotAuthentic",
  "PeerKeyChanged",
  "OtherIssuer",
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

/** What its operator has to do about a status he can do something about. */
const SENTENCES: Partial<Record<string, string>> = {
  InsecureAnswer:
    "the approving client sent the keys without IVs, so the atServer can read them: approve with a newer client, or start the device with --accept-legacy-answer",
  NotEncrypted: "it was not encrypted: anybody on its way may have written it",
  NotAuthentic:
    "nobody vouches for it, or it was seen or overtaken: for a sender whose software can't vouch for values, start the device with --accept-unauthenticated",
  PeerKeyChanged:
    "the peer's key is another one: the peer was reset, or somebody is in between; a device is provisioned anew to accept it",
  OtherIssuer:
    "another device or program of this atSign answers for the peer in this namespace: give each its own",
  BadChallenge: "what the atServer wanted signed is no login challenge for this atSign",
};

/** "Done", a status' name, or "status -99" for one that is not known here. */
export function statusName(status: number): string {
  if (status >= 0) return "Done";
  return STATUS_NAMES[-status - 1] ?? `status ${status}`;
}

/** Its name, and what is to be done about it where that is known. */
export function statusText(status: number): string {
  const name = statusName(status);
  const sentence = SENTENCES[name];
  return sentence === undefined ? name : `${name}: ${sentence}`;
}
