// SPDX-License-Identifier: BSD-3-Clause
#include "entropy.h"

#include "hal.h"
#include "mbedtls/ctr_drbg.h"

// SP 800-90B, 4.4, for bytes of at least 4 bits of entropy, false alarms below 2^-30: repetition count 1 + 30 / 4,
// adaptive proportion in a window of 512.
#define REPETITIONS 9u
#define WINDOW 512u
#define PROPORTION 77u
#define START_BYTES 1024u
#define CHUNK 32u

static mbedtls_ctr_drbg_context generator;
static int is_seeded;

static struct {
  uint8_t last;
  unsigned repetitions;
  uint8_t first;
  unsigned seen;
  unsigned same;
  int broken;
} health;

static void test_byte(uint8_t byte) {
  health.repetitions = byte == health.last ? health.repetitions + 1 : 1;
  health.last = byte;
  if (health.repetitions >= REPETITIONS) health.broken = 1;
  if (health.seen == 0) {
    health.first = byte;
    health.same = 0;
  }
  if (byte == health.first && ++health.same >= PROPORTION) health.broken = 1;
  health.seen = (health.seen + 1) % WINDOW;
}

// Raw bytes of the board, tested; what mbedTLS seeds and reseeds its generator from.
static int tested_bytes(void *context, unsigned char *out, size_t len) {
  (void)context;
  if (hal_entropy(out, len) != 0) health.broken = 1;
  for (size_t i = 0; i < len && !health.broken; i++) test_byte(out[i]);
  return health.broken ? MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED : 0;
}

int entropy_start(void) {
  unsigned char bytes[CHUNK];
  for (unsigned done = 0; done < START_BYTES; done += CHUNK) {
    if (tested_bytes(NULL, bytes, CHUNK) != 0) return ENTROPY_NONE;
  }
  mbedtls_ctr_drbg_init(&generator);
  is_seeded = mbedtls_ctr_drbg_seed(&generator, tested_bytes, NULL, NULL, 0) == 0;
  return is_seeded ? 0 : ENTROPY_NONE;
}

int entropy_for_tls(void *context, unsigned char *out, size_t len) {
  (void)context;
  if (!is_seeded || health.broken) return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
  return mbedtls_ctr_drbg_random(&generator, out, len);
}

int entropy_bytes(uint8_t *out, size_t len) {
  return entropy_for_tls(NULL, out, len) == 0 ? 0 : ENTROPY_NONE;
}
