// SPDX-License-Identifier: BSD-3-Clause
// What the `hal` module of core.wasm calls, as C functions: the interpreter has checked every pointer and length
// against linear memory, so these see ordinary memory. core/hal.ts has each contract; imports.c implements them.

#ifndef ATMICRO_IMPORTS_H
#define ATMICRO_IMPORTS_H

#include <stdint.h>

// Milliseconds since some fixed moment, never going back.
int64_t import_now_ms(void);

// Fills len (1..256) bytes with entropy. 0, or negative when the board has none.
int32_t import_entropy(uint8_t *out, uint32_t len);

// Reads the value of slot `id`, at most cap bytes. Its length, 0 when there is none, negative on failure.
int32_t import_store_read(uint32_t id, uint8_t *out, uint32_t cap);

// Replaces slot `id` (len 0 erases it), all or nothing and durable before it returns. 0 or negative.
int32_t import_store_write(uint32_t id, const uint8_t *x, uint32_t len);

// One line of UTF-8, not terminated. level: 0 error, 1 warning, 2 information, 3 debug.
void import_log(uint32_t level, const char *text, uint32_t len);

// Bit set of the accelerators offered: 1 modular exponentiation, 2 AES-256, 4 SHA-256. Asked once.
int32_t import_accelerators(void);

// out = x^e mod n, big-endian; out, x and n are nLen bytes, e is eLen. Constant time in x and e. 0 or negative.
int32_t import_accel_mod_exp(uint8_t *out, const uint8_t *x, const uint8_t *e, uint32_t eLen, const uint8_t *n,
                             uint32_t nLen);

// Encrypts `count` blocks of 16 bytes with the 32-byte key; out may equal x.
void import_accel_aes256(uint8_t *out, const uint8_t *x, uint32_t count, const uint8_t *key);

// Compresses `count` blocks of 64 bytes into the state: eight 32-bit words in memory order.
void import_accel_sha256(uint8_t *state, const uint8_t *blocks, uint32_t count);

#endif
