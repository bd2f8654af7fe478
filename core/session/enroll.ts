// SPDX-License-Identifier: BSD-3-Clause
// APKAM enrollment, step by step. What the identity in the store says after a power cut: login key
// alone, ask again; with an enrollmentId, wait for approval; with all keys, done. atProtocol: APKAM
// enrollment; the enroll and keys verbs.
import { bytesEqual, bytesWipe } from "../bytes";
import { CODE_LEN } from "../codec/code";
import { aesCtrCrypt, pkcs7Unpad } from "../crypto/aesCtr";
import { log } from "../hal";
import {
  KEYRING_APKAM,
  KEYRING_CODED,
  KEYRING_P256,
  keyringApkam,
  keyringClear,
  keyringHas,
  keyringId,
  keyringIdLen,
  keyringMake,
  keyringPair,
  keyringPaired,
  keyringPoint,
  keyringSetId,
  keyringTakePrivate,
  keyringTakePublic,
  keyringTakeSelf,
  keyringWrapApkam,
} from "../keys/keyring";
import {
  SEAL_OUT,
  sealBegin,
  sealBytes,
  sealEnd,
  sealNumber,
  sealPart,
  sealWipe,
  sealWord,
} from "../keys/seal";
import { shareClear, shareDecode, shareIv } from "../keys/share";
import { KEY_WORK, SHARE_IV } from "../memory";
import { Status } from "../status";
import { memberFind, memberLen, memberPtr, memberUnescape } from "../wire/member";
import { requestEnroll, requestKeys } from "../wire/request";
import { wordFind } from "../wire/response";
import {
  ENROLL_KEY,
  ENROLL_MAC,
  ENROLLMENT_EXISTS,
  KEYS_ENC,
  KEYS_SELF,
  LOG_OTHER_KEY,
  NAME_ENROLLMENT_ID,
  NAME_IV,
  NAME_VALUE,
  OTP_INVALID,
  PRIVATE,
  SELF,
} from "../wire/words";
import { identityErase, identityLoad, identityStore } from "./identity";
import {
  Config,
  configCode,
  configIs,
  configLen,
  configPasscodeLen,
  configPtr,
} from "./state/config";

const SPACE: u8 = 0x20;
/** Level of hal.log. */
const WARNING: u32 = 1;

/**
 * An earlier request with these keys may have arrived, so an enrollment of our name may be ours.
 */
let mayExist: bool = false;
/** The enrollmentId was taken over from an error text: it may be another device's after all. */
let adopted: bool = false;
/** What the encryption key came to, and the beginning of its IV. */
let taken: i32 = 0;
let ivBefore: u64 = 0;
/** Where the key that was decrypted lies. */
let key: usize = 0;

/** Whether there are keys that wait for an enrollment, or for its approval. */
export function enrollIsStarted(): bool {
  return keyringHas(KEYRING_P256 | KEYRING_APKAM);
}

/** The identity has just been loaded. */
export function enrollLoaded(): void {
  mayExist = enrollIsStarted() && keyringIdLen() === 0;
  adopted = false;
}

/** Makes the keys, stores them and reads them back, unless that was done before. 0 or negative. */
export function enrollMakeKeys(): i32 {
  if (enrollIsStarted()) return 0;
  const status = keyringMake(configPtr(Config.AtSign), configLen(Config.AtSign));
  if (status < 0) return status;
  shareClear();
  mayExist = false;
  const stored = identityStore();
  if (stored < 0) keyringClear();
  return stored;
}

/**
 * Takes `publickey@me` and writes the request: the length of its line, or negative. x: the payload,
 * overwritten.
 */
export function enrollRequest(x: usize, len: u32): i32 {
  let status = pair();
  if (status >= 0) status = keyringTakePublic(x, len);
  if (status < 0) return status;
  // The text of a public key is 392 bytes; now it makes room for the wrapped key and the point.
  const wrapped = x;
  const point = x + 256;
  status = keyringWrapApkam(wrapped);
  if (status >= 0) status = keyringPoint(point);
  if (status < 0) return status;
  mayExist = true;
  return requestEnroll(
    configPtr(Config.App),
    configLen(Config.App),
    configPtr(Config.Device),
    configLen(Config.Device),
    configPtr(Config.Namespaces),
    configLen(Config.Namespaces),
    configPtr(Config.Passcode),
    configPasscodeLen(),
    wrapped,
    point,
  );
}

/** Whether an earlier request with these keys may have been heard. */
export function enrollMayExist(): bool {
  return mayExist;
}

/** Takes the reply to the request and stores the enrollmentId. 0 or negative. */
export function enrollTaken(x: usize, len: u32): i32 {
  if (!memberFind(x, len, NAME_ENROLLMENT_ID) || memberLen() === 0) return Status.BadReply;
  adopted = false;
  return keepId(memberPtr(), memberLen());
}

/**
 * Takes the refusal of the request. 0: the enrollment of our app and device is the one asked for
 * before and is taken over; BadPasscode; else Refused. earlier: whether one had been asked for
 * before this request.
 */
export function enrollRefused(x: usize, len: u32, earlier: bool): i32 {
  if (wordFind(OTP_INVALID, x, len) >= 0) return Status.BadPasscode;
  const at = wordFind(ENROLLMENT_EXISTS, x, len);
  if (at < 0 || !earlier) return Status.Refused;
  const from = (at as u32) + load<u8>(ENROLLMENT_EXISTS);
  let end = from;
  while (end < len && load<u8>(x + end) !== SPACE) end++;
  if (end === from) return Status.Refused;
  adopted = true;
  return keepId(x + from, end - from);
}

/**
 * The login with the enrollment was refused for good. A denied, revoked or expired enrollment takes
 * its keys with it; one taken over that is another device's is forgotten, the keys stay. status:
 * why; returned, or StoreFailed.
 */
export function enrollRejected(status: i32): i32 {
  let stored = 0;
  if (status !== Status.AuthFailed) stored = identityErase();
  else if (adopted) {
    keyringSetId(0, 0);
    stored = identityStore();
  }
  adopted = false;
  return stored < 0 ? stored : status;
}

/** Asks for the encryption key, or else the self key: the length of the line, or negative. */
export function enrollAskKey(encryption: bool): i32 {
  return requestKeys(
    encryption ? KEYS_ENC : KEYS_SELF,
    keyringId(),
    keyringIdLen(),
    configPtr(Config.AtSign),
    configLen(Config.AtSign),
  );
}

/**
 * Takes one of the two keys, the encryption key first: whatever it is, the self key is asked for as well. With the second
 * both are judged, and the identity is stored and read back. 0 or negative. x is wiped.
 */
export function enrollTakeKey(encryption: bool, x: usize, len: u32): i32 {
  let status = readKey(encryption, x, len);
  if (status >= 0) {
    // What checks it goes far down.
    status = encryption ? keyringTakePrivate(key, status) : keyringTakeSelf(key, status);
    if (status > 0) log(WARNING, LOG_OTHER_KEY + 1, load<u8>(LOG_OTHER_KEY));
  }
  bytesWipe(x, len);
  if (encryption || taken >= 0) taken = status;
  if (encryption) return 0;
  if (taken >= 0) taken = identityStore();
  // What is stored is still the enrollment without keys.
  if (taken < 0) identityLoad();
  return taken;
}

// Decrypts one of the two keys, at `key`: its length, or negative.
function readKey(encryption: bool, x: usize, len: u32): i32 {
  if (!memberFind(x, len, NAME_VALUE)) return Status.BadReply;
  const value = memberPtr();
  const valueLen = memberLen();
  const hasIv = memberFind(x, len, NAME_IV);
  const iv = hasIv ? memberPtr() : 0;
  const ivLen = hasIv ? memberUnescape(iv, memberLen()) : 0;
  let n = memberUnescape(value, valueLen);
  if ((n | ivLen) < 0) return Status.BadReply;
  // One keystream over both gives the self key to whoever knows how the other text begins.
  const first: u64 = ivLen >= 8 ? load<u64>(iv) : 0;
  const isAlone = first !== 0 && (encryption || first !== ivBefore);
  ivBefore = first;
  if (!isAlone && !configIs(Config.LegacyAnswer)) return Status.InsecureAnswer;
  const ivStatus = shareIv(iv, ivLen);
  if (ivStatus < 0) return ivStatus;
  n = shareDecode(value, n);
  key = value;
  return n < 0 ? n : decrypt(encryption, value, n);
}

// With a pairing code the IV vouches for the text and for which of the two it is.
function decrypt(encryption: bool, x: usize, n: u32): i32 {
  const coded = keyringHas(KEYRING_CODED);
  if (coded) keyringPaired(ENROLL_KEY);
  aesCtrCrypt(x, x, n, coded ? SEAL_OUT : keyringApkam(), SHARE_IV);
  if (coded) {
    keyringPaired(ENROLL_MAC);
    sealBegin(SEAL_OUT);
    sealWord(encryption ? PRIVATE : SELF);
    sealPart(keyringId(), keyringIdLen());
    sealNumber(n, 4);
    sealBytes(x, n);
    sealEnd();
    const good = bytesEqual(SEAL_OUT, SHARE_IV, 16) !== 0;
    sealWipe();
    if (!good) return Status.NotAuthentic;
  }
  return pkcs7Unpad(x, n);
}

// Takes the pairing code that was configured, which may be another one than before, and stores what comes of it.
function pair(): i32 {
  const coded = configCode(KEY_WORK);
  if (!coded && !keyringHas(KEYRING_CODED)) return 0;
  const status = keyringPair(coded ? KEY_WORK : 0);
  bytesWipe(KEY_WORK, CODE_LEN);
  return status < 0 ? status : identityStore();
}

function keepId(x: usize, len: u32): i32 {
  const status = keyringSetId(x, len);
  return status < 0 ? status : identityStore();
}
