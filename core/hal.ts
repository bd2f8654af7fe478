// SPDX-License-Identifier: BSD-3-Clause
// The import list: everything the core may ask of the outside. An import `x` of module `hal` is the C function
// `hal_x`. Used by session/ alone, except the accel_* functions, which crypto/accelerator.ts guards: a primitive
// has to reach its accelerator from inside.

/** Milliseconds since some fixed moment, never going back. Not wall-clock time: the protocol needs none. */
export declare function now_ms(): i64;

/** Fills `len` (1..256) bytes at `out` with entropy. 0 done, negative when the board has none. */
export declare function entropy(out: usize, len: u32): i32;

/** Reads the value of slot `id` into `out`, at most `cap` bytes. Its length, 0 when there is none, negative on failure. */
export declare function store_read(id: u32, out: usize, cap: u32): i32;

/** Replaces slot `id` by `len` bytes (0 erases it), all or nothing and durable before it returns. 0 or negative. */
export declare function store_write(id: u32, x: usize, len: u32): i32;

/** One line of UTF-8 for the board's log, never a secret. level: 0 error, 1 warning, 2 information, 3 debug. */
export declare function log(level: u32, text: usize, len: u32): void;

/** Bit set of the accelerators the board offers: 1 modular exponentiation, 2 AES-256, 4 SHA-256. Asked once. */
export declare function accelerators(): i32;

/** out = x^e mod n, all big-endian; out, x and n are `nLen` bytes, e is `eLen`. Constant time in x and e. 0 or negative. */
export declare function accel_mod_exp(
  out: usize,
  x: usize,
  e: usize,
  eLen: u32,
  n: usize,
  nLen: u32,
): i32;

/** Encrypts `count` blocks of 16 bytes with the 32-byte key (FIPS 197); out may equal x. */
export declare function accel_aes256(out: usize, x: usize, count: u32, key: usize): void;

/** Compresses `count` blocks of 64 bytes into the state of eight 32-bit words in memory order (FIPS 180-4 §6.2.2). */
export declare function accel_sha256(state: usize, blocks: usize, count: u32): void;
