// SPDX-License-Identifier: BSD-3-Clause
// The only place where a verb's text is written. Each function writes one line into TX and returns
// its length with the line feed, or a negative Status. me, bob: atSigns with their @. atProtocol:
// one clause a verb.
import { LINE_MAX } from "../memory";
import {
  emitBase64,
  emitBegin,
  emitBytes,
  emitChar,
  emitDecimal,
  emitEnd,
  emitHex,
  emitJsonString,
  emitWord,
} from "./emit";
import { metadataEmit, metadataEmitTime } from "./metadata";
import * as words from "./words";

const COLON: u8 = 0x3a;
const DOT: u8 = 0x2e;
const LINE_FEED: u8 = 0x0a;
const SPACE: u8 = 0x20;

/** The atDirectory's only request: the atSign without its @. */
export function requestDirectory(me: usize, meLen: u32): i32 {
  emitBegin(LINE_MAX);
  emitBytes(me + 1, meLen - 1);
  return emitEnd();
}

/** The pkam verb, always explicit. algorithm: PKAM_P256 or PKAM_RSA; idLen 0: no enrollmentId. */
export function requestPkam(
  algorithm: usize,
  id: usize,
  idLen: u32,
  signature: usize,
  signatureLen: u32,
): i32 {
  emitBegin(LINE_MAX);
  emitWord(algorithm);
  if (idLen > 0) {
    emitWord(words.ENROLLMENT_ID);
    emitBytes(id, idLen);
    emitChar(COLON);
  }
  emitBase64(signature, signatureLen);
  return emitEnd();
}

/**
 * A verb with nothing but `public key of` an atSign: `lookup:publickey@me`,
 * `plookup:publickey@bob`.
 */
export function requestPublicKey(verb: usize, owner: usize, ownerLen: u32): i32 {
  emitBegin(LINE_MAX);
  emitWord(verb);
  emitWord(words.PUBLICKEY);
  emitBytes(owner, ownerLen);
  return emitEnd();
}

/** Reads my own copy of the key for bob. verb: LLOOKUP, or LLOOKUP_ALL for its seal as well. */
export function requestOwnKey(verb: usize, me: usize, meLen: u32, bob: usize, bobLen: u32): i32 {
  emitBegin(LINE_MAX);
  emitWord(verb);
  emitOwnKey(me, meLen, bob, bobLen);
  return emitEnd();
}

/** Writes my own copy of the key for bob: 256 wrapped bytes, and its seal of 16 (0: none). */
export function requestPutOwnKey(
  me: usize,
  meLen: u32,
  bob: usize,
  bobLen: u32,
  wrapped: usize,
  seal: usize,
): i32 {
  emitBegin(LINE_MAX);
  emitWord(words.UPDATE);
  metadataEmit(0, false, 0, 0, false, seal);
  emitChar(COLON);
  emitOwnKey(me, meLen, bob, bobLen);
  emitChar(SPACE);
  emitBase64(wrapped, 256);
  return emitEnd();
}

/** Reads what I left for bob, with metadata. */
export function requestPeerCopy(me: usize, meLen: u32, bob: usize, bobLen: u32): i32 {
  emitBegin(LINE_MAX);
  emitWord(words.LLOOKUP_ALL);
  emitPeerKey(bob, bobLen, me, meLen);
  return emitEnd();
}

/**
 * Writes bob's copy of the key for him: 256 wrapped bytes, and the checksum of the public key that
 * wrapped it.
 */
export function requestPutPeerCopy(
  me: usize,
  meLen: u32,
  bob: usize,
  bobLen: u32,
  wrapped: usize,
  checksum: usize,
): i32 {
  emitBegin(LINE_MAX);
  emitWord(words.UPDATE);
  metadataEmit(0, false, 0, checksum, false, 0);
  emitChar(COLON);
  emitPeerKey(bob, bobLen, me, meLen);
  emitChar(SPACE);
  emitBase64(wrapped, 256);
  return emitEnd();
}

/** Reads the key bob made for me, at his atServer or from my cache. */
export function requestInKey(me: usize, meLen: u32, bob: usize, bobLen: u32, cached: bool): i32 {
  emitBegin(LINE_MAX);
  if (cached) {
    emitWord(words.LLOOKUP_CACHED);
    emitPeerKey(me, meLen, bob, bobLen);
  } else {
    emitWord(words.LOOKUP);
    emitWord(words.SHARED_KEY);
    emitBytes(bob, bobLen);
  }
  return emitEnd();
}

/** A verb with nothing but an atKey, a part of one, or an atSign. */
export function requestKey(verb: usize, key: usize, keyLen: u32): i32 {
  emitBegin(LINE_MAX);
  emitWord(verb);
  emitBytes(key, keyLen);
  return emitEnd();
}

/**
 * The update verb. ttl: milliseconds, 0 for ever. signature, wrapped, checksum, iv as metadataEmit.
 * The value is written as base64 of its bytes when it is ciphertext (iv or isEncrypted) or
 * `isBase64`, else as it stands.
 */
export function requestUpdate(
  key: usize,
  keyLen: u32,
  ttl: i64,
  signature: usize,
  isEncrypted: bool,
  wrapped: usize,
  checksum: usize,
  isBase64: bool,
  iv: usize,
  value: usize,
  valueLen: u32,
): i32 {
  emitBegin(LINE_MAX);
  emitWord(words.UPDATE);
  metadataEmitTime(words.TTL, ttl);
  metadataEmit(signature, isEncrypted, wrapped, checksum, isBase64, iv);
  emitChar(COLON);
  emitBytes(key, keyLen);
  emitChar(SPACE);
  if (isEncrypted || isBase64) emitBase64(value, valueLen);
  else emitBytes(value, valueLen);
  return emitEnd();
}

/**
 * The notify verb, full form. id: 36 characters; ttln: milliseconds, 0 to leave it out; value:
 * ciphertext, else text as it stands.
 */
export function requestNotify(
  key: usize,
  keyLen: u32,
  id: usize,
  ttln: i64,
  isEncrypted: bool,
  wrapped: usize,
  checksum: usize,
  iv: usize,
  value: usize,
  valueLen: u32,
): i32 {
  emitBegin(LINE_MAX);
  emitWord(words.NOTIFY_ID);
  emitBytes(id, 36);
  emitWord(words.NOTIFY_UPDATE);
  metadataEmitTime(words.TTLN, ttln);
  metadataEmit(0, isEncrypted, wrapped, checksum, false, iv);
  emitChar(COLON);
  emitBytes(key, keyLen);
  emitChar(COLON);
  if (isEncrypted) emitBase64(value, valueLen);
  else emitBytes(value, valueLen);
  return emitEnd();
}

/** The scan verb; regexLen 0: all keys. */
export function requestScan(regex: usize, regexLen: u32): i32 {
  emitBegin(LINE_MAX);
  emitWord(words.SCAN);
  if (regexLen > 0) {
    emitChar(SPACE);
    emitBytes(regex, regexLen);
  }
  return emitEnd();
}

/** The noop verb: the heartbeat. */
export function requestNoop(): i32 {
  emitBegin(LINE_MAX);
  emitWord(words.NOOP);
  return emitEnd();
}

/**
 * The monitor verb on the connection that also carries requests. epoch 0: only what comes from now
 * on. It has no reply, so a noop follows in a line of its own: an error before the noop's reply is
 * the monitor's.
 */
export function requestMonitor(epoch: i64, regex: usize, regexLen: u32): i32 {
  emitBegin(LINE_MAX);
  emitWord(words.MONITOR);
  if (epoch > 0) {
    emitChar(COLON);
    emitDecimal(epoch as u64);
  }
  if (regexLen > 0) {
    emitChar(SPACE);
    emitBytes(regex, regexLen);
  }
  emitChar(LINE_FEED);
  emitWord(words.NOOP);
  return emitEnd();
}

/**
 * Ends in enroll:request's JSON. app, device, otp: text; namespaces: a JSON object; wrapped: 256
 * bytes; point: 65 bytes.
 */
export function requestEnroll(
  app: usize,
  appLen: u32,
  device: usize,
  deviceLen: u32,
  namespaces: usize,
  namespacesLen: u32,
  otp: usize,
  otpLen: u32,
  wrapped: usize,
  point: usize,
): i32 {
  emitBegin(LINE_MAX);
  emitWord(words.ENROLL_REQUEST);
  emitJsonString(app, appLen);
  emitWord(words.ENROLL_DEVICE);
  emitJsonString(device, deviceLen);
  emitWord(words.ENROLL_NAMESPACES);
  emitBytes(namespaces, namespacesLen);
  emitWord(words.ENROLL_OTP);
  emitJsonString(otp, otpLen);
  emitWord(words.ENROLL_SYMMETRIC);
  emitBase64(wrapped, 256);
  emitWord(words.ENROLL_PUBLIC);
  emitHex(point, 65);
  emitWord(words.ENROLL_END);
  return emitEnd();
}

/**
 * The keys verb: what the approving client left for this enrollment. name: KEYS_ENC or KEYS_SELF.
 */
export function requestKeys(name: usize, id: usize, idLen: u32, me: usize, meLen: u32): i32 {
  emitBegin(LINE_MAX);
  emitWord(words.KEYS_GET);
  emitBytes(id, idLen);
  emitWord(name);
  emitBytes(me, meLen);
  return emitEnd();
}

// `shared_key.bob@me`: no second @, no namespace.
function emitOwnKey(me: usize, meLen: u32, bob: usize, bobLen: u32): void {
  emitWord(words.SHARED_KEY);
  emitChar(DOT);
  emitBytes(bob + 1, bobLen - 1);
  emitBytes(me, meLen);
}

// `@reader:shared_key@maker`
function emitPeerKey(reader: usize, readerLen: u32, maker: usize, makerLen: u32): void {
  emitBytes(reader, readerLen);
  emitChar(COLON);
  emitWord(words.SHARED_KEY);
  emitBytes(maker, makerLen);
}
