// SPDX-License-Identifier: BSD-3-Clause
#ifndef DEVICE_ENTROPY_H
#define DEVICE_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

#define ENTROPY_NONE (-1)

// Tests the board's entropy at start (SP 800-90B, 4.4) and seeds the generator. 0, or ENTROPY_NONE: the source is
// missing or broken, and every later call fails.
int entropy_start(void);
// Fills out from the generator (CTR_DRBG, SP 800-90A). 0 or ENTROPY_NONE.
int entropy_bytes(uint8_t *out, size_t len);
// The same for mbedTLS: context unused, a negative result is an mbedTLS error.
int entropy_for_tls(void *context, unsigned char *out, size_t len);

#endif
