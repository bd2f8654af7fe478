// SPDX-License-Identifier: BSD-3-Clause
#include "accelerators.h"

#include <string.h>

#include "mbedtls/aes.h"
#include "mbedtls/bignum.h"
#include "mbedtls/sha256.h"

#define AES_BLOCK 16u
#define SHA_BLOCK 64u
#define SHA_WORDS 8u

int32_t accelerator_mod_exp(uint8_t *out, const uint8_t *x, const uint8_t *e, uint32_t eLen,
                            const uint8_t *n, uint32_t nLen) {
  mbedtls_mpi base;
  mbedtls_mpi exponent;
  mbedtls_mpi modulus;
  mbedtls_mpi_init(&base);
  mbedtls_mpi_init(&exponent);
  mbedtls_mpi_init(&modulus);
  int error = mbedtls_mpi_read_binary(&base, x, nLen);
  if (error == 0) error = mbedtls_mpi_read_binary(&exponent, e, eLen);
  if (error == 0) error = mbedtls_mpi_read_binary(&modulus, n, nLen);
  if (error == 0) error = mbedtls_mpi_exp_mod(&base, &base, &exponent, &modulus, NULL);
  if (error == 0) error = mbedtls_mpi_write_binary(&base, out, nLen);
  // Freeing wipes.
  mbedtls_mpi_free(&base);
  mbedtls_mpi_free(&exponent);
  mbedtls_mpi_free(&modulus);
  return error == 0 ? 0 : -1;
}

void accelerator_aes256(uint8_t *out, const uint8_t *x, uint32_t count, const uint8_t *key) {
  mbedtls_aes_context aes;
  mbedtls_aes_init(&aes);
  mbedtls_aes_setkey_enc(&aes, key, 256);
  for (; count > 0; count--, x += AES_BLOCK, out += AES_BLOCK) {
    mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_ENCRYPT, x, out);
  }
  mbedtls_aes_free(&aes);
}

void accelerator_sha256(uint8_t *state, const uint8_t *blocks, uint32_t count) {
  mbedtls_sha256_context sha;
  mbedtls_sha256_init(&sha);
  memcpy(sha.state, state, SHA_WORDS * 4);
  for (; count > 0; count--, blocks += SHA_BLOCK) {
    mbedtls_internal_sha256_process(&sha, blocks);
  }
  memcpy(state, sha.state, SHA_WORDS * 4);
  mbedtls_sha256_free(&sha);
}
