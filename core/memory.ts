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
export const MEMORY_LIMIT: u32 = 32768;

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
export const SCRATCH_LEN: u32 = 7168;
export const SCRATCH: usize = memory.data(7168, 16);
