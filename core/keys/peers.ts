// SPDX-License-Identifier: BSD-3-Clause
// What is remembered of peers. Five of them, the one unused longest gives way; those on the list (session/peers/trust.ts) never do,
// and what is known of them is stored. core/AUTHENTICITY.md, section 7.
import { bytesEqual, bytesWipe } from "../bytes";
import { sha256 } from "../crypto/sha256";
import { KEY_WORK, PEERS } from "../memory";
import { Retry, retryPause, retrySeconds } from "../retries";

/** The key for the peer is stored at my atServer. */
export const PEER_OUT: u32 = 1;
/** The key for the peer was made here and is not stored yet. */
export const PEER_CANDIDATE: u32 = 2;
/** It is wrapped for the peer's present public key. */
export const PEER_WRAPPED: u32 = 4;
/** The peer's copy is in place. */
export const PEER_COPY: u32 = 8;
/** The key the peer made for me is known. */
export const PEER_IN: u32 = 16;
/** Another one came with a value of his, or in its place. */
export const PEER_CARRIED: u32 = 32;
/** He is on the list; with a fingerprint; with leave to send what can't be verified. */
export const PEER_LISTED: u32 = 64;
export const PEER_PROVISIONED: u32 = 128;
export const PEER_LENIENT: u32 = 256;
/** His public key is pinned. */
export const PEER_PINNED: u32 = 512;
/** He was issued a key and an epoch; what tells him so was confirmed; the record for him holds that key. */
export const PEER_ISSUED: u32 = 1024;
export const PEER_PUBLISHED: u32 = 2048;
export const PEER_WRITTEN: u32 = 4096;
/** He issued a key to me. */
export const PEER_TAKEN: u32 = 8192;
/** A value of his was verified. */
export const PEER_VERIFIED: u32 = 16384;
/** My own copy of the key for him was looked at since the login. */
export const PEER_READ: u32 = 32768;
/** Another client issues to him. */
export const PEER_OTHER: u32 = 65536;

/** Flags that are stored. */
export const PEER_STORED_FLAGS: u32 = 0x7e19;
/** How many can be on the list. */
export const PEER_LIST: u32 = 4;

const COUNT: u32 = PEER_LIST + 1;
/** Bytes of a peer, and of what comes first and is stored. */
export const PEER_LEN: u32 = 376;
export const PEER_STORED: u32 = 240;

// Fields. The name is the beginning of the atSign's SHA-256; an issued key and the shared key of the same direction, which
// are hashed together, lie together.
const NAME_LEN: u32 = 16;
export const PEER_FLAGS: u32 = 16;
/** Generation of the key for him, big-endian; 0: it has no seal. */
export const PEER_GENERATION: u32 = 20;
export const PEER_PIN: u32 = 24;
/** The key issued to him, and the key he made for me. */
export const PEER_ISSUED_KEY: u32 = 56;
export const PEER_IN_KEY: u32 = 88;
/** The key he issued to me, and the key for him. */
export const PEER_TAKEN_KEY: u32 = 120;
export const PEER_OUT_KEY: u32 = 152;
/** The epoch he was given, and the one he gave. */
export const PEER_EPOCH: u32 = 184;
export const PEER_THEIR_EPOCH: u32 = 200;
/** Beginnings of the SHA-256 of the texts those keys came in: 8 and 16 bytes. */
export const PEER_IN_TEXT: u32 = 216;
export const PEER_TAKEN_TEXT: u32 = 224;
const USED: u32 = 240;
/** Before these times the key he made for me, his public key, the one he issued, and mine to him aren't looked after again. */
export const PEER_IN_DUE: u32 = 244;
export const PEER_PUBLIC_DUE: u32 = 248;
export const PEER_TAKEN_DUE: u32 = 252;
export const PEER_ISSUE_DUE: u32 = 256;
/** When all that came with values, all he issued could be opened again, and all epochs made again (retryMay). */
export const PEER_CARRIED_UNTIL: u32 = 260;
export const PEER_TAKEN_UNTIL: u32 = 264;
export const PEER_EPOCH_UNTIL: u32 = 268;
/** His atSign in the list: pointer and length; and the digits of the fingerprint there. */
const ATSIGN: u32 = 272;
const ATSIGN_LEN: u32 = 276;
export const PEER_DIGITS: u32 = 280;
export const PEER_CARRIED_KEY: u32 = 300;
export const PEER_CARRIED_TEXT: u32 = 332;
/** 32 hexadecimal digits that name the public key he has. */
export const PEER_CHECKSUM: u32 = 340;

let clock: u32 = 0;

/** Forgets all peers: keys of another identity. */
export function peersClear(): void {
  bytesWipe(PEERS, COUNT * PEER_LEN);
}

/** The peer in this place, 0 to PEER_LIST - 1. */
export function peersAt(place: u32): usize {
  return PEERS + place * PEER_LEN;
}

/** Which place he has. */
export function peersPlace(peer: usize): u32 {
  return ((peer - PEERS) as u32) / PEER_LEN;
}

/** The peer with this atSign, remembered or new. */
export function peersFind(atsign: usize, len: u32): usize {
  return find(atsign, len, COUNT);
}

/** The same for the list: his place is one of those stored. atsign: it has to stay. */
export function peersEnlist(atsign: usize, len: u32): usize {
  const peer = find(atsign, len, PEER_LIST);
  peersSet(peer, PEER_LISTED);
  store<u32>(peer + ATSIGN, atsign as u32);
  store<u32>(peer + ATSIGN_LEN, len);
  return peer;
}

/** Takes everybody off the list; who was on it gives way last. */
export function peersDismiss(): void {
  for (let i: u32 = 0; i < PEER_LIST; i++) {
    const peer = peersAt(i);
    peersUnset(peer, PEER_LISTED | PEER_PROVISIONED | PEER_LENIENT);
    if (peersHas(peer, PEER_PINNED)) store<u32>(peer + USED, 0xfffffffe);
  }
}

/** Forgets what is known of him. */
export function peersForget(peer: usize): void {
  bytesWipe(peer + PEER_FLAGS, PEER_LEN - PEER_FLAGS);
}

/** The atSign of one on the list. */
export function peersAtsign(peer: usize): usize {
  return load<u32>(peer + ATSIGN) as usize;
}

export function peersAtsignLen(peer: usize): u32 {
  return load<u32>(peer + ATSIGN_LEN);
}

/** Whether all of these flags are set. */
export function peersHas(peer: usize, flags: u32): bool {
  return (load<u32>(peer + PEER_FLAGS) & flags) === flags;
}

/** Sets flags; what they say of the atServer it has acknowledged. */
export function peersSet(peer: usize, flags: u32): void {
  store<u32>(peer + PEER_FLAGS, load<u32>(peer + PEER_FLAGS) | flags);
}

/** Takes flags away. */
export function peersUnset(peer: usize, flags: u32): void {
  store<u32>(peer + PEER_FLAGS, load<u32>(peer + PEER_FLAGS) & ~flags);
}

/**
 * The link broke: keys that may or may not have reached the atServer are forgotten, it is asked
 * again.
 */
export function peersForgetCandidates(): void {
  for (let i: u32 = 0; i < COUNT; i++) {
    const peer = peersAt(i);
    if (peersHas(peer, PEER_CANDIDATE)) {
      peersUnset(peer, PEER_CANDIDATE | PEER_WRAPPED);
      store<u32>(peer + PEER_PUBLIC_DUE, 0);
    }
  }
}

/** A new connection: known keys are fetched anew when they are needed, missing ones when it is their time. */
export function peersConnected(): void {
  for (let i: u32 = 0; i < COUNT; i++) {
    const peer = peersAt(i);
    if (peersHas(peer, PEER_IN)) store<u32>(peer + PEER_IN_DUE, 0);
    if (peersHas(peer, PEER_OUT)) store<u32>(peer + PEER_PUBLIC_DUE, 0);
    store<u32>(peer + PEER_TAKEN_DUE, 0);
    store<u32>(peer + PEER_ISSUE_DUE, 0);
    peersUnset(peer, PEER_READ);
  }
}

/** Whether it is time to ask for something. due: one of the fields; now: milliseconds. */
export function peersIsDue(peer: usize, due: u32, now: i64): bool {
  return retrySeconds(now) >= load<u32>(peer + due);
}

/** It was asked for, and is known or isn't: when it is to be asked for again. */
export function peersAsked(peer: usize, due: u32, known: bool, now: i64): void {
  const pause = retryPause(known ? Retry.KnownKey : Retry.MissingKey, 0);
  store<u32>(peer + due, retrySeconds(now + pause));
}

function find(atsign: usize, len: u32, count: u32): usize {
  sha256(KEY_WORK, atsign, len);
  let peer: usize = 0;
  let oldest = PEERS;
  let least: u32 = 0xffffffff;
  for (let i: u32 = 0; i < count; i++) {
    const at = peersAt(i);
    const used = load<u32>(at + USED);
    if (bytesEqual(at, KEY_WORK, NAME_LEN)) peer = at;
    if (used < least && !peersHas(at, PEER_LISTED)) {
      least = used;
      oldest = at;
    }
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
