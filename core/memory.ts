// SPDX-License-Identifier: BSD-3-Clause
// The memory map: every static buffer of the core, its size and its owner, and the one list of capacities.
// Constant tables stay beside their algorithm. Nothing is allocated; linear memory never grows.
//
//   low  | constant tables (data segments)
//        | IO: rx line, tx line                     session/; the argument area of the crypto and codec exports
//        | OP: atKey, value, small fields           session/: the one operation in progress
//        | KEYS: own keys, peers' shared keys       keys/
//        | SCRATCH: overlaid by the primitives      crypto/: zero again after every exported operation
//   high | MEMORY_LIMIT

/** Linear memory a board has to give the core, in bytes; a test holds the module's data against it. */
export const MEMORY_LIMIT: u32 = 31232;

/** Longest line received or sent, without its line feed. */
export const LINE_MAX: u32 = 4096;
/** Longest plaintext value. */
export const VALUE_MAX: u32 = 2048;
/** Longest atKey (atProtocol: 248 characters; here bytes). */
export const KEY_MAX: u32 = 248;
/** Longest atSign with its leading @: 55 characters of at most 3 bytes. */
export const ATSIGN_MAX: u32 = 166;

/** rx line then tx line, contiguous: 2 x (LINE_MAX + 64). */
export const IO_LEN: u32 = 2 * (LINE_MAX + 64);
export const IO: usize = memory.data(8320, 16);

/** Shared by the primitives below; each file says which part it uses. No two uses overlap in time. */
export const SCRATCH_LEN: u32 = 7744;
export const SCRATCH: usize = memory.data(7744, 16);
/** The part for primitives that call the hashes, HMAC, the DRBG or AES in their middle. */
export const SCRATCH_OUTER_LEN: u32 = 7168;
/** Public keys, all within SCRATCH_OUTER. P-256: temporaries of the point formulas (p256Pt.ts, 552 bytes). */
export const P256_WORK: usize = SCRATCH;
/** P-256: table, accumulator and digits of a scalar multiplication (p256.ts, 1,272 bytes). */
export const P256_ROOM: usize = SCRATCH + 552;
/** P-256: a candidate scalar (32 bytes). */
export const P256_SCALAR: usize = SCRATCH + 1824;
/** ECDSA, ECDH: scalars, nonce and HMAC context (ecdsa.ts, 1,056 bytes). */
export const ECDSA_ROOM: usize = SCRATCH + 1856;
/** From P256_WORK to the end of ECDSA_ROOM: what an operation of P-256 wipes. */
export const P256_LEN: u32 = 2912;
/** RSA-2048: numbers, columns and two tables of powers (rsa.ts, 6,776 bytes). */
export const RSA_ROOM: usize = SCRATCH;
/** PKCS#1: the padded block, 256 bytes at the end of SCRATCH_OUTER. */
export const PKCS1_BLOCK: usize = SCRATCH + 6912;
/** SHA message schedules (256 bytes) over the AES-CTR schedule, counter and keystream (320 bytes). */
export const SCRATCH_BLOCK: usize = SCRATCH + 7168;
/** Hash context of a one-shot hash or of a long HMAC key (104 bytes). */
export const SCRATCH_HASH: usize = SCRATCH + 7488;
/** HMAC context of the DRBG (136 bytes). */
export const SCRATCH_HMAC: usize = SCRATCH + 7592;

/** HMAC-DRBG: K[32], V[32], requests since the last seed as u32; 0 = never seeded. */
export const DRBG: usize = memory.data(72, 8);

// What follows belongs to the session and what it stands on.

/** Room of the rx and the tx line each: LINE_MAX and prompts, CR, LF. */
export const LINE_CAP: u32 = LINE_MAX + 64;
/** The received bytes; the line being looked at begins here. */
export const RX: usize = IO;
/** The line to send. While a notification waits for its key, its upper part keeps that notification. */
export const TX: usize = IO + LINE_CAP;
/** How much of a line that is too long is kept to say which notification it was. */
export const LINE_HEAD: u32 = 512;

/** The operation's atKey, and its plaintext value with room for PKCS#7; config_ptr() while the session is stopped. */
export const OP_KEY: usize = memory.data(256, 8);
export const OP_VALUE: usize = memory.data(2064, 8);
/** Room of OP_VALUE: VALUE_MAX and one block of padding. */
export const OP_VALUE_CAP: u32 = VALUE_MAX + 16;

/** Configuration values one after the other, each in the room session/state/config.ts gives it. */
export const CONFIG: usize = memory.data(1192, 8);
/** Own keys, as they are stored: keys/keyring.ts has the fields. */
export const KEYRING: usize = memory.data(2696, 8);
/** Five peers, their keys and pins: keys/peers.ts has the fields. */
export const PEERS: usize = memory.data(1880, 8);
/** The shared key wrapped last, and the checksum of our own public key. */
export const WRAPPED: usize = memory.data(288, 8);
/** IV of the value at hand, with room for what decodes it. */
export const SHARE_IV: usize = memory.data(24, 8);
/** Numbers of what is sent and was received: session/peers/numbers.ts has the fields. */
export const NUMBERS: usize = memory.data(360, 8);
/** Wrapped keys and key texts in passing; zero between calls. */
export const KEY_WORK_LEN: u32 = 304;
export const KEY_WORK: usize = memory.data(304, 8);
/** Last notification's time and the identifiers of the last 16: session/state/watermark.ts has the fields. */
export const WATERMARK: usize = memory.data(168, 8);
/** Pointer and length of the event's fields 1 to 7. */
export const EVENT: usize = memory.data(64, 8);
/** IV (16) and notification id (36) of the operation in progress: made once, whatever happens to the link. */
export const OP_NONCE: usize = memory.data(56, 8);
