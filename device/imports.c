// SPDX-License-Identifier: BSD-3-Clause
// What core.wasm asks of the board (core/hal.ts), on hal.h, the store and the generator.
#include "imports.h"

#include "accelerators.h"
#include "entropy.h"
#include "hal.h"
#include "store.h"

#define CORE_SLOTS 16u

int64_t import_now_ms(void) { return (int64_t)hal_now_ms(); }

int32_t import_entropy(uint8_t *out, uint32_t len) { return entropy_bytes(out, len); }

int32_t import_store_read(uint32_t id, uint8_t *out, uint32_t cap) {
  return id < CORE_SLOTS ? store_read(id, out, cap) : STORE_FAILED;
}

int32_t import_store_write(uint32_t id, const uint8_t *x, uint32_t len) {
  return id < CORE_SLOTS ? store_write(id, x, len) : STORE_FAILED;
}

void import_log(uint32_t level, const char *text, uint32_t len) { hal_log((int)level, text, len); }

int32_t import_accelerators(void) { return ACCELERATORS; }

int32_t import_accel_mod_exp(uint8_t *out, const uint8_t *x, const uint8_t *e, uint32_t eLen,
                             const uint8_t *n, uint32_t nLen) {
  return accelerator_mod_exp(out, x, e, eLen, n, nLen);
}

void import_accel_aes256(uint8_t *out, const uint8_t *x, uint32_t count, const uint8_t *key) {
  accelerator_aes256(out, x, count, key);
}

void import_accel_sha256(uint8_t *state, const uint8_t *blocks, uint32_t count) {
  accelerator_sha256(state, blocks, count);
}
