// SPDX-License-Identifier: BSD-3-Clause
// Every i32 result of the core: negative is one of these, 0 is done, positive is a length.
// This is the only list; device/at.h and the host's texts are compared with it by a test.

export const enum Status {
  /** Done. */
  Done = 0,
  /** Nothing to do yet: more input or time is needed. */
  Pending = -1,
  /** Another operation is running; wait for its event. */
  Busy = -2,
  /** The call does not fit the present state (for example an operation before the session started). */
  WrongState = -3,
  /** An argument is outside its documented range. */
  BadArgument = -4,
  /** The output does not fit the buffer given. */
  NoRoom = -5,
  /** The line is longer than LINE_MAX bytes; it was skipped to its end. */
  LineTooLong = -6,
  /** The value is longer than VALUE_MAX bytes. */
  ValueTooLong = -7,
  /** The atKey is longer than KEY_MAX bytes. */
  KeyTooLong = -8,
  /** The atSign is longer than its limit or holds a character that is not allowed. */
  BadAtSign = -9,
  /** The atKey does not follow the grammar. */
  BadAtKey = -10,
  /** Text that should be base64 is not. */
  BadBase64 = -11,
  /** Text that should be JSON is not, or is nested too deeply. */
  BadJson = -12,
  /** Bytes that should be a DER key are not, or are of another kind. */
  BadDer = -13,
  /** The padding of a decrypted value is impossible: wrong key or damaged ciphertext. */
  BadPadding = -14,
  /** The signature does not verify. */
  BadSignature = -15,
  /** The bytes are not a point of the curve P-256, or the scalar is out of range. */
  BadPoint = -16,
  /** The RSA key is not 2048 bits, or its parts do not belong together. */
  BadRsaKey = -17,
  /** A result failed its own check (a computation fault); nothing was released. */
  Fault = -18,
  /** The board gave no entropy, so no key, nonce or padding may be made. */
  NoEntropy = -19,
  /** The board's store could not read or write a value. */
  StoreFailed = -20,
  /** No keys are stored: the device has to be enrolled first. */
  NotEnrolled = -21,
  /** The atDirectory does not know the atSign. */
  UnknownAtSign = -22,
  /** The link could not be opened, or broke. */
  LinkFailed = -23,
  /** Nothing was heard within the time allowed. */
  TimedOut = -24,
  /** A reply does not have the shape the protocol gives it. */
  BadReply = -25,
  /** The atServer refused the login: wrong key or enrollment. */
  AuthFailed = -26,
  /** The enrollment is waiting for approval. */
  EnrollmentPending = -27,
  /** The enrollment was denied. */
  EnrollmentDenied = -28,
  /** The enrollment was revoked. */
  EnrollmentRevoked = -29,
  /** The enrollment expired or is not known. */
  EnrollmentExpired = -30,
  /** The one-time passcode is wrong or used up. */
  BadPasscode = -31,
  /** No record has this key. */
  NotFound = -32,
  /** The atServer refused the request; the error code and text are in the event. */
  Refused = -33,
  /** The peer's atServer cannot be reached. */
  PeerUnreachable = -34,
  /** The value was encrypted for a public key that is no longer ours. */
  PublicKeyChanged = -35,
  /** The value names an encryption this core does not have. */
  UnknownAlgorithm = -36,
  /** A record is not readable now (not yet born, expired, or null). */
  NoValue = -37,
  /** The approving client sent the keys without IVs of their own: who holds the atServer can read the self key. */
  InsecureAnswer = -38,
  /** A peer's value came unencrypted: anybody on its way may have written it. It is not delivered unless asked for. */
  NotEncrypted = -39,
  /** The peer's key is not known, and not asked for again before its time. */
  NoSharedKey = -40,
  /** It was tried as often as retries.ts allows. */
  GivenUp = -41,
  /** The login challenge is not one for this atSign; nothing was signed. */
  BadChallenge = -42,
  /** It isn't certain who wrote the value or that it is new, and the peer isn't one who may do without. */
  NotAuthentic = -43,
  /** The peer's public key isn't the pinned one: he was reset, or somebody is in between. Nothing is written for him. */
  PeerKeyChanged = -44,
  /** Another client issues to this peer in this namespace; nothing of his is obeyed. */
  OtherIssuer = -45,
}
