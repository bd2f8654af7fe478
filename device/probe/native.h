// SPDX-License-Identifier: BSD-3-Clause
// The same operations by mbedTLS, compiled for the same chip: what the core under the interpreter is measured against.

#ifndef ATMICRO_ENGINE_NATIVE_H
#define ATMICRO_ENGINE_NATIVE_H

#include <stdint.h>

/** Numbers of the operations, with their inputs one after the other; integers big-endian. */
enum {
    NATIVE_P256_SIGN = 1,   // scalar 32, hash 32
    NATIVE_P256_VERIFY,     // point 65, hash 32, r 32, s 32
    NATIVE_P256_ECDH,       // scalar 32, point 65
    NATIVE_SHA256_BLOCK,    // block 64
    NATIVE_AES256_BLOCK,    // key 32, block 16
    NATIVE_RSA2048_PRIVATE, // x 256, then the core's private structure: n 256, e 4, p, q, dp, dq, qinv 128 each, d 256
    NATIVE_RSA2048_PUBLIC,  // x 256, n 256, e 4
};

/**
 * Runs an operation once; keys are read before the count begins. The result is what the board's counter went on by, or
 * negative: mbedTLS's error, or -1 for inputs of another length or an operation not known.
 */
int64_t native_run(uint8_t operation, const uint8_t *input, uint32_t len);

#endif
