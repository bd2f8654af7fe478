// SPDX-License-Identifier: BSD-3-Clause
// Native primitives of mbedTLS for the core. ACCELERATORS, set by the build from board.json, is the set offered: 1
// modular exponentiation, 2 AES-256, 4 SHA-256; 0 leaves everything to the core.
#ifndef DEVICE_ACCELERATORS_H
#define DEVICE_ACCELERATORS_H

#include <stdint.h>

// out = x^e mod n, big-endian; out, x and n are nLen bytes. 0 or negative.
int32_t accelerator_mod_exp(uint8_t *out, const uint8_t *x, const uint8_t *e, uint32_t eLen,
                            const uint8_t *n, uint32_t nLen);
// Encrypts blocks of 16 bytes; out may equal x.
void accelerator_aes256(uint8_t *out, const uint8_t *x, uint32_t count, const uint8_t *key);
// Compresses blocks of 64 bytes into eight words in memory order.
void accelerator_sha256(uint8_t *state, const uint8_t *blocks, uint32_t count);

#endif
