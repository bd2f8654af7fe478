// SPDX-License-Identifier: BSD-3-Clause
#ifndef DEVICE_DECIMAL_H
#define DEVICE_DECIMAL_H

#include <stdint.h>

#define DECIMAL_MAX 11u

// Writes a number's decimal digits, at most DECIMAL_MAX; how many.
uint32_t decimal(char *out, int32_t value);

#endif
