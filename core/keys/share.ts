// SPDX-License-Identifier: BSD-3-Clause
// Shared keys, one a peer and direction, and the values encrypted with them. Four peers are
// remembered, the one unused longest gives way. atProtocol: sharing with another atSign; AES, IV
// and padding of values.
import { bytesEqual, bytesHex, bytesWipe } from "../bytes";
import { base64Decode, base64Encode } from "../codec/base64";
import { derReadRsaPublic, derWriteSpki } from "../codec/derRsa";
import { aesCtrCrypt, pkcs7Pad, pkcs7Unpad } from "../crypto/aesCtr";
import { drbgGenerate } from "../crypto/drbg";
import { md5Hex } from "../crypto/md5";
import { RSA_PUBLIC } from "../crypto/rsa/rsaKey";
import { sha256 } from "../crypto/sha256";
import { sha512 } from "../crypto/sha512";
import { KEY_WORK, KEY_WORK_LEN, PEERS, SCRATCH } from "../memory";
import { Retry, retryBound, retryPause } from "../retries";
import { Status } from "../status";
import {
  metadataChecksum,
  metadataChecksumLen,
  metadataHash,
  metadataHashLen,
} from "../wire/metadata";
import { keyringPublic, keyringUnwrap, keyringWrap } from "./keyring";

/** The key for the peer is stored at my atServer. */
export const SHARE_OUT: u32 = 1;
/** The key for the peer was made here and is not stored yet. */
export const SHARE_CANDIDATE: u32 = 2;
/** It is wrapped for the peer's present public key. */
export const SHARE_WRAPPED: u32 = 4;
/** The peer's copy is in place. */
export const SHARE_COPY: u32 = 8;
/** The key the peer made for me was fetched. */
export const SHARE_IN: u32 = 16;
/** One came with a value of his. */
const SHARE_CARRIED: u32 = 32;

/** Fields of a peer: the time before which the key he made for me, and his public key, are not asked for again. */
export const SHARE_IN_DUE: u32 = 168;
export const SHARE_PUBLIC_DUE: u32 = 172;

const PEER_COUNT: u32 = 4;
const PEER_LEN: u32 = 440;
const NAME_LEN: u32 = 16;
// Fields of a peer; the name is the beginning of the atSign's SHA-256.
const FLAGS: u32 = 16;
const USED: u32 = 20;
const IN_TEXT: u32 = 24; // beginning of the SHA-256 of the wrapped text the fetched key came from
const CHECKSUM: u32 = 32;
const OUT: u32 = 64;
const IN: u32 = 96;
const CARRIED: u32 = 128;
const CARRIED_TEXT: u32 = 160;
const CARRIED_UNTIL: u32 = 176; // when every key that came with a value could be opened again
const WRAPPED: u32 = 180; // 256 bytes; while one is made, the RSA_PUBLIC bytes of the peer's public key
const OWN_CHECKSUM: usize = PEERS + PEER_COUNT * PEER_LEN;
const SPKI_TEXT: u32 = 392;

let clock: u32 = 0;

/** Forgets all peers: keys of another identity. */
export function shareClear(): void {
  bytesWipe(PEERS, PEER_COUNT * PEER_LEN + 32);
}

/** The peer with this atSign, remembered or new. */
export function sharePeer(atsign: usize, len: u32): usize {
  sha256(KEY_WORK, atsign, len);
  let oldest = PEERS;
  let peer: usize = 0;
  for (let i: u32 = 0; i < PEER_COUNT; i++) {
    const at = PEERS + i * PEER_LEN;
    if (bytesEqual(at, KEY_WORK, NAME_LEN)) peer = at;
    if (load<u32>(at + USED) < load<u32>(oldest + USED)) oldest = at;
  }
  if (!peer) {
    peer = oldest;
    bytesWipe(peer, PEER_LEN);
    memory.copy(peer, KEY_WORK, NAME_LEN);
  }
  bytesWipe(KEY_WORK, 32);
  clock++;
  store<u32>(peer + USED, clock);
  return peer;
}

/** Whether all of these flags are set. */
export function shareHas(peer: usize, flags: u32): bool {
  return (load<u32>(peer + FLAGS) & flags) === flags;
}

/** Sets a flag; to be called when the atServer has acknowledged what it says. */
export function shareSet(peer: usize, flags: u32): void {
  store<u32>(peer + FLAGS, load<u32>(peer + FLAGS) | flags);
}

/** Takes flags away. */
export function shareUnset(peer: usize, flags: u32): void {
  store<u32>(peer + FLAGS, load<u32>(peer + FLAGS) & ~flags);
}

/**
 * The link broke: keys that may or may not have reached the atServer are forgotten, it is asked
 * again.
 */
export function shareForgetCandidates(): void {
  for (let i: u32 = 0; i < PEER_COUNT; i++) {
    const peer = PEERS + i * PEER_LEN;
    if (shareHas(peer, SHARE_CANDIDATE)) bytesWipe(peer, PEER_LEN);
  }
}

/** A new connection: known keys are fetched anew when they are needed, missing ones when it is their time. */
export function shareConnected(): void {
  for (let i: u32 = 0; i < PEER_COUNT; i++) {
    const peer = PEERS + i * PEER_LEN;
    if (shareHas(peer, SHARE_IN)) store<u32>(peer + SHARE_IN_DUE, 0);
    if (shareHas(peer, SHARE_WRAPPED)) store<u32>(peer + SHARE_PUBLIC_DUE, 0);
  }
}

/** Whether it is time to ask for a key. due: SHARE_IN_DUE or SHARE_PUBLIC_DUE; now: milliseconds. */
export function shareIsDue(peer: usize, due: u32, now: i64): bool {
  return seconds(now) >= load<u32>(peer + due);
}

/** A key was asked for, and is known or isn't: when it is to be asked for again. */
export function shareAsked(peer: usize, due: u32, known: bool, now: i64): void {
  const pause = retryPause(known ? Retry.KnownKey : Retry.MissingKey, 0);
  store<u32>(peer + due, seconds(now + pause));
}

/**
 * The 32 hexadecimal digits naming the public key that wrapped the peer's copy; the 256 wrapped
 * bytes; the two keys.
 */
export function shareChecksum(peer: usize): usize {
  return peer + CHECKSUM;
}

export function shareWrapped(peer: usize): usize {
  return peer + WRAPPED;
}

export function shareOut(peer: usize): usize {
  return peer + OUT;
}

/** Makes a key for the peer. 0 or NoEntropy. */
export function shareMake(peer: usize): i32 {
  const status = drbgGenerate(peer + OUT, 32);
  if (status >= 0) shareSet(peer, SHARE_CANDIDATE);
  return status;
}

/**
 * Takes my own copy of the key for the peer: base64 of the wrapped key, decoded in place. 0 or
 * negative.
 */
export function shareTakeOut(peer: usize, x: usize, len: u32): i32 {
  const status = unwrapText(peer + OUT, x, len);
  if (status === 0) shareSet(peer, SHARE_OUT);
  return status;
}

/**
 * Takes the key the peer made, as fetched: base64 of the wrapped key, decoded in place, unless it is the text of before.
 * 0, or negative: then the key known stays.
 */
export function shareTakeIn(peer: usize, x: usize, len: u32): i32 {
  const text = nameOf(x, len);
  if (isFrom(peer, SHARE_IN, IN_TEXT, text)) return 0;
  return take(peer, SHARE_IN, IN, IN_TEXT, text, x, len);
}

/**
 * The key for a value of the peer: the one that came with it (base64 of the wrapped key, decoded in place; len 0: none)
 * when it is known or may be opened now, else the one that was fetched or came before. Negative when the text is none, and
 * NoSharedKey. now: milliseconds.
 */
export function shareKeyFor(peer: usize, x: usize, len: u32, now: i64): i32 {
  if (len > 0) {
    const text = nameOf(x, len);
    if (isFrom(peer, SHARE_CARRIED, CARRIED_TEXT, text)) return (peer + CARRIED) as i32;
    if (!isFrom(peer, SHARE_IN, IN_TEXT, text) && mayOpen(peer, now)) {
      const status = take(peer, SHARE_CARRIED, CARRIED, CARRIED_TEXT, text, x, len);
      return status < 0 ? status : ((peer + CARRIED) as i32);
    }
  }
  if (shareHas(peer, SHARE_IN)) return (peer + IN) as i32;
  return shareHas(peer, SHARE_CARRIED) ? ((peer + CARRIED) as i32) : Status.NoSharedKey;
}

/**
 * Wraps the key for the peer with the public key in this text, decoded in place, unless it is that of before. 0 or
 * negative.
 */
export function shareWrapFor(peer: usize, x: usize, len: u32): i32 {
  md5Hex(KEY_WORK, x, len);
  const same = bytesEqual(peer + CHECKSUM, KEY_WORK, 32) !== 0;
  if (same && shareHas(peer, SHARE_WRAPPED)) return 0;
  shareUnset(peer, SHARE_WRAPPED | SHARE_COPY);
  memory.copy(peer + CHECKSUM, KEY_WORK, 32);
  const n = base64Decode(x, len, x, len);
  if (n < 0) return n;
  // Behind the DER text there is no room to count on, so the key goes where its copy will go.
  let status = derReadRsaPublic(peer + WRAPPED, x, n);
  if (status < 0) return status;
  memory.copy(x, peer + WRAPPED, RSA_PUBLIC);
  status = keyringWrap(peer + WRAPPED, peer + OUT, x);
  if (status === 0) shareSet(peer, SHARE_WRAPPED);
  return status;
}

/** Wraps the key for the peer for ourselves: my own copy. 0 or negative. */
export function shareWrapOwn(out256: usize, peer: usize): i32 {
  return keyringWrap(out256, peer + OUT, keyringPublic());
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

/**
 * Encrypts `len` bytes at x in place, padded; x has room for 16 more. The new length, or negative.
 * secret: x, key32.
 */
export function shareEncrypt(x: usize, len: u32, key32: usize, iv: usize): i32 {
  const n = pkcs7Pad(x, len, len + 16);
  if (n < 0) return n;
  aesCtrCrypt(x, x, n, key32, iv);
  return n;
}

/** Undoes shareEncrypt: the `n` bytes are the padded plaintext again. */
export function shareRestore(x: usize, n: u32, key32: usize, iv: usize): void {
  aesCtrCrypt(x, x, n, key32, iv);
}

/**
 * Decrypts base64 text in place. ivText: base64 of the IV, ivLen 0: zero IV. The plaintext's
 * length, or negative.
 */
export function shareDecrypt(x: usize, len: u32, key32: usize, ivText: usize, ivLen: u32): i32 {
  bytesWipe(KEY_WORK, 16);
  if (ivLen > 0) {
    const ivBytes = base64Decode(KEY_WORK, 24, ivText, ivLen);
    if (ivBytes !== 16) return Status.BadBase64;
  }
  const n = base64Decode(x, len, x, len);
  if (n < 0) return n;
  if (n === 0 || (n & 15) !== 0) return Status.BadPadding;
  aesCtrCrypt(x, x, n, key32, KEY_WORK);
  bytesWipe(KEY_WORK, 24);
  return pkcs7Unpad(x, n);
}

// Eight bytes that stand for a text.
function nameOf(x: usize, len: u32): u64 {
  sha256(KEY_WORK, x, len);
  const name = load<u64>(KEY_WORK);
  bytesWipe(KEY_WORK, 32);
  return name;
}

function isFrom(peer: usize, flag: u32, field: u32, text: u64): bool {
  return shareHas(peer, flag) && load<u64>(peer + field) === text;
}

function take(peer: usize, flag: u32, key: u32, field: u32, text: u64, x: usize, len: u32): i32 {
  const status = unwrapText(peer + key, x, len);
  if (status < 0) return status;
  store<u64>(peer + field, text);
  shareSet(peer, flag);
  return 0;
}

// Counts one that came with a value, whatever becomes of it.
function mayOpen(peer: usize, now: i64): bool {
  const pause = seconds(retryPause(Retry.WrappedKey, 0));
  const from = max<u32>(load<u32>(peer + CARRIED_UNTIL), seconds(now));
  if (from - seconds(now) > (retryBound(Retry.WrappedKey) - 1) * pause) return false;
  store<u32>(peer + CARRIED_UNTIL, from + pause);
  return true;
}

function seconds(milliseconds: i64): u32 {
  return (milliseconds / 1000) as u32;
}

// Base64 of the wrapped key, decoded in place, opened into out32.
function unwrapText(out32: usize, x: usize, len: u32): i32 {
  const n = base64Decode(x, len, x, len);
  if (n < 0) return n;
  return n === 256 ? keyringUnwrap(out32, x) : Status.BadArgument;
}

// The text our public key is published as, at SCRATCH.
function ownText(): void {
  const der = derWriteSpki(KEY_WORK, KEY_WORK_LEN, keyringPublic());
  base64Encode(SCRATCH, SPKI_TEXT, KEY_WORK, der);
  bytesWipe(KEY_WORK, KEY_WORK_LEN);
}
