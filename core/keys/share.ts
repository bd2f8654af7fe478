// SPDX-License-Identifier: BSD-3-Clause
// Shared keys, one a peer and direction: made, wrapped, opened and sealed. atProtocol: sharing with another atSign; AES, IV and
// padding of values. core/AUTHENTICITY.md: sections 2, 3.1 and 6.
import { bytesEqual, bytesHex, bytesLoad32, bytesWipe } from "../bytes";
import { base64Decode, base64Encode } from "../codec/base64";
import { CODE_LEN, codeWrite } from "../codec/code";
import { derReadRsaPublic, derWriteSpki } from "../codec/derRsa";
import { drbgGenerate } from "../crypto/drbg";
import { md5Hex } from "../crypto/md5";
import { RSA_E, RSA_PUBLIC } from "../crypto/rsa/rsaKey";
import { sha256 } from "../crypto/sha256";
import { sha512 } from "../crypto/sha512";
import { KEY_WORK, KEY_WORK_LEN, SCRATCH, SHARE_IV, WRAPPED } from "../memory";
import { Retry, retryMay } from "../retries";
import { Status } from "../status";
import {
  metadataChecksum,
  metadataChecksumLen,
  metadataHash,
  metadataHashLen,
} from "../wire/metadata";
import { SEAL as SEAL_WORD } from "../wire/words";
import {
  keyringAtsign,
  keyringAtsignLen,
  keyringPublic,
  keyringSelf,
  keyringUnwrap,
  keyringWrap,
} from "./keyring";
import {
  PEER_CANDIDATE,
  PEER_CARRIED,
  PEER_CARRIED_KEY,
  PEER_CARRIED_TEXT,
  PEER_CARRIED_UNTIL,
  PEER_CHECKSUM,
  PEER_COPY,
  PEER_DIGITS,
  PEER_FLAGS,
  PEER_IN,
  PEER_IN_KEY,
  PEER_IN_TEXT,
  PEER_ISSUED,
  PEER_LISTED,
  PEER_OUT_KEY,
  PEER_PIN,
  PEER_PINNED,
  PEER_PROVISIONED,
  PEER_WRAPPED,
  peersAtsign,
  peersAtsignLen,
  peersClear,
  peersHas,
  peersSet,
  peersUnset,
} from "./peers";
import {
  SEAL_OUT,
  sealBegin,
  sealBytes,
  sealEnd,
  sealExpand,
  sealFrom,
  sealPart,
  sealPin,
  sealWipe,
  sealWord,
} from "./seal";

/** MD5 of our public key's text, behind the one key that is wrapped at a time. */
const OWN_CHECKSUM: usize = WRAPPED + 256;
const SPKI_TEXT: u32 = 392;
/** The one form of a public key that can be pinned: rsaEncryption, NULL, 2,048 bits, 65537. */
const SPKI_LEN: i32 = 294;
const EXPONENT: u32 = 65537;

/** Whose key WRAPPED is. */
let wrappedFor: usize = 0;

/** Forgets all peers, and our own key: another identity. */
export function shareClear(): void {
  peersClear();
  bytesWipe(OWN_CHECKSUM, 32);
}

/** The 32 hexadecimal digits naming the public key that wrapped the peer's copy, and the 256 wrapped bytes. */
export function shareChecksum(peer: usize): usize {
  return peer + PEER_CHECKSUM;
}

/** Makes a key for the peer. 0 or NoEntropy. */
export function shareMake(peer: usize): i32 {
  peersUnset(peer, PEER_COPY | PEER_WRAPPED);
  const status = drbgGenerate(peer + PEER_OUT_KEY, 32);
  if (status >= 0) peersSet(peer, PEER_CANDIDATE);
  return status;
}

/**
 * Takes the key the peer made, as fetched: base64 of the wrapped key, decoded in place, unless it is the text of before. For
 * one who was issued a key it doesn't take the known one's place: a value that verifies does that. 0, or negative: then the
 * key known stays.
 */
export function shareTakeIn(peer: usize, x: usize, len: u32): i32 {
  const text = nameOf(x, len);
  if (isFrom(peer, PEER_IN, PEER_IN_TEXT, text)) return 0;
  return peersHas(peer, PEER_LISTED | PEER_ISSUED | PEER_IN)
    ? take(peer, PEER_CARRIED, PEER_CARRIED_KEY, PEER_CARRIED_TEXT, text, x, len)
    : take(peer, PEER_IN, PEER_IN_KEY, PEER_IN_TEXT, text, x, len);
}

/**
 * The key that came with a value of the peer, base64 of the wrapped key, decoded in place, is at PEER_CARRIED_KEY afterwards:
 * 1. 0: it isn't, because it is the one fetched or may not be opened now. Negative when the text is none. now: milliseconds.
 */
export function shareCarried(peer: usize, x: usize, len: u32, now: i64): i32 {
  const text = nameOf(x, len);
  if (isFrom(peer, PEER_CARRIED, PEER_CARRIED_TEXT, text)) return 1;
  if (isFrom(peer, PEER_IN, PEER_IN_TEXT, text)) return 0;
  if (!retryMay(peer + PEER_CARRIED_UNTIL, Retry.WrappedKey, now)) return 0;
  const status = take(peer, PEER_CARRIED, PEER_CARRIED_KEY, PEER_CARRIED_TEXT, text, x, len);
  return status < 0 ? status : 1;
}

/** The key for a value with which none came: where it is, or NoSharedKey. */
export function shareKnown(peer: usize): i32 {
  if (peersHas(peer, PEER_IN)) return (peer + PEER_IN_KEY) as i32;
  return peersHas(peer, PEER_CARRIED) ? ((peer + PEER_CARRIED_KEY) as i32) : Status.NoSharedKey;
}

/** Exchanges the peer's known key and the one that came with a value. */
export function shareExchange(peer: usize): void {
  exchange(peer + PEER_IN_KEY, peer + PEER_CARRIED_KEY, 32);
  exchange(peer + PEER_IN_TEXT, peer + PEER_CARRIED_TEXT, 8);
  const flags = load<u32>(peer + PEER_FLAGS);
  const both: u32 = PEER_IN | PEER_CARRIED;
  store<u32>(
    peer + PEER_FLAGS,
    (flags & ~both) | ((flags & PEER_IN) << 1) | ((flags & PEER_CARRIED) >>> 1),
  );
}

/**
 * Takes the text of the peer's public key: its RSA_PUBLIC bytes come to lie at x. One on the list is pinned by it, or held to
 * his pin. 0; PeerKeyChanged; else negative.
 */
export function sharePublic(peer: usize, x: usize, len: u32): i32 {
  md5Hex(peer + PEER_CHECKSUM, x, len);
  const n = base64Decode(x, len, x, len);
  if (n < 0) return n;
  // Behind the DER text there is no room to count on, so the key goes where its copy will go.
  if (wrappedFor) peersUnset(wrappedFor, PEER_WRAPPED);
  let status = derReadRsaPublic(WRAPPED, x, n);
  if (status >= 0 && peersHas(peer, PEER_LISTED)) {
    const fits = n === SPKI_LEN && bytesLoad32(WRAPPED + RSA_E) === EXPONENT;
    status = fits ? pin(peer, x, n) : Status.BadRsaKey;
  }
  if (status >= 0) memory.copy(x, WRAPPED, RSA_PUBLIC);
  return status;
}

/**
 * Wraps the key for the peer with the public key in this text, decoded in place, unless it is that of before. 0 or
 * negative.
 */
export function shareWrapFor(peer: usize, x: usize, len: u32): i32 {
  md5Hex(KEY_WORK, x, len);
  const same = bytesEqual(peer + PEER_CHECKSUM, KEY_WORK, 32) !== 0;
  if (same && peersHas(peer, PEER_WRAPPED)) return 0;
  if (!peersHas(peer, PEER_LISTED)) peersUnset(peer, PEER_COPY);
  const status = sharePublic(peer, x, len);
  // What is in place for a pinned key is for this one.
  if (status < 0 || peersHas(peer, PEER_LISTED | PEER_COPY)) return status;
  const wrapped = keyringWrap(WRAPPED, peer + PEER_OUT_KEY, x);
  if (wrapped === 0) peersSet(peer, PEER_WRAPPED);
  wrappedFor = peer;
  return wrapped;
}

/** Wraps the key for the peer for ourselves: my own copy. 0 or negative. */
export function shareWrapOwn(out256: usize, peer: usize): i32 {
  return keyringWrap(out256, peer + PEER_OUT_KEY, keyringPublic());
}

/** Opens a key of 32 bytes from base64 of its wrapped text, decoded in place: it comes to lie at out32. 0 or negative. */
export function shareUnwrap(out32: usize, x: usize, len: u32): i32 {
  const n = base64Decode(x, len, x, len);
  if (n < 0) return n;
  return n === 256 ? keyringUnwrap(out32, x) : Status.BadArgument;
}

/** Writes the seal of my own copy of a key for the peer, 16 bytes. generation: 4 bytes, big-endian. */
export function shareSeal(out16: usize, peer: usize, generation: usize, key32: usize): void {
  sealFrom(keyringSelf(), 32);
  sealWord(SEAL_WORD);
  sealPart(keyringAtsign(), keyringAtsignLen());
  sealExpand();
  sealBegin(SEAL_OUT);
  sealPart(peersAtsign(peer), peersAtsignLen(peer));
  sealBytes(peer + PEER_PIN, 32);
  sealBytes(generation, 4);
  sealBytes(key32, 32);
  sealEnd();
  memory.copy(out16, generation, 4);
  memory.copy(out16 + 4, SEAL_OUT, 12);
  sealWipe();
}

/**
 * Whether the checksum of the metadata read last, or with none its SHA-512 in hexadecimal, is that of our public key; with
 * neither it is.
 */
export function shareIsForUs(): bool {
  const checksumLen = metadataChecksumLen();
  if (checksumLen > 0) {
    if (load<u8>(OWN_CHECKSUM) === 0) {
      ownText();
      md5Hex(OWN_CHECKSUM, SCRATCH, SPKI_TEXT);
      bytesWipe(SCRATCH, SPKI_TEXT);
    }
    return checksumLen === 32 && bytesEqual(metadataChecksum(), OWN_CHECKSUM, 32) !== 0;
  }
  if (metadataHashLen() !== 128) return true;
  ownText();
  // The hash keeps its own state at the far end of the scratch.
  sha512(KEY_WORK, SCRATCH, SPKI_TEXT);
  bytesWipe(SCRATCH, SPKI_TEXT);
  bytesHex(KEY_WORK + 64, KEY_WORK, 64);
  const same = bytesEqual(KEY_WORK + 64, metadataHash(), 128) !== 0;
  bytesWipe(KEY_WORK, 192);
  return same;
}

/** Takes the IV of a value to SHARE_IV: base64; len 0: the zero IV. Its length, 16 or 0, or BadBase64. */
export function shareIv(x: usize, len: u32): i32 {
  bytesWipe(SHARE_IV, 24);
  if (len === 0) return 0;
  return base64Decode(SHARE_IV, 24, x, len) === 16 ? 16 : Status.BadBase64;
}

/** Decodes the base64 of a ciphertext in place: its length, a multiple of 16, or negative. */
export function shareDecode(x: usize, len: u32): i32 {
  const n = base64Decode(x, len, x, len);
  if (n < 0) return n;
  return n === 0 || (n & 15) !== 0 ? Status.BadPadding : n;
}

// Eight bytes that stand for a text.
function nameOf(x: usize, len: u32): u64 {
  sha256(KEY_WORK, x, len);
  const name = load<u64>(KEY_WORK);
  bytesWipe(KEY_WORK, 32);
  return name;
}

function isFrom(peer: usize, flag: u32, field: u32, text: u64): bool {
  return peersHas(peer, flag) && load<u64>(peer + field) === text;
}

function take(peer: usize, flag: u32, key: u32, field: u32, text: u64, x: usize, len: u32): i32 {
  const status = shareUnwrap(peer + key, x, len);
  if (status < 0) return status;
  store<u64>(peer + field, text);
  peersSet(peer, flag);
  return 0;
}

function exchange(a: usize, b: usize, len: u32): void {
  for (let i: u32 = 0; i < len; i += 8) {
    const kept = load<u64>(a + i);
    store<u64>(a + i, load<u64>(b + i));
    store<u64>(b + i, kept);
  }
}

// Pins the key in these bytes, or holds it to the pin.
function pin(peer: usize, der: usize, len: u32): i32 {
  const digits = KEY_WORK + 32;
  sealPin(KEY_WORK, peersAtsign(peer), peersAtsignLen(peer), der, len);
  codeWrite(digits, KEY_WORK);
  const known = peersHas(peer, PEER_PINNED);
  const same = known
    ? bytesEqual(KEY_WORK, peer + PEER_PIN, 32)
    : bytesEqual(digits, peer + PEER_DIGITS, CODE_LEN);
  if (!same && (known || peersHas(peer, PEER_PROVISIONED))) return Status.PeerKeyChanged;
  memory.copy(peer + PEER_PIN, KEY_WORK, 32);
  peersSet(peer, PEER_PINNED);
  return 0;
}

// The text our public key is published as, at SCRATCH.
function ownText(): void {
  const der = derWriteSpki(KEY_WORK, KEY_WORK_LEN, keyringPublic());
  base64Encode(SCRATCH, SPKI_TEXT, KEY_WORK, der);
  bytesWipe(KEY_WORK, KEY_WORK_LEN);
}
