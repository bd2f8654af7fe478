// SPDX-License-Identifier: BSD-3-Clause
// Numbers as decimal text, without floating point: 26.4 is 264 with one place.
#ifndef DEVICE_DECIMAL_H
#define DEVICE_DECIMAL_H

#include <stdint.h>

#include "text.h"

// Most bytes decimal() writes: "-2147483648"; decimal_fixed() has a point as well.
#define DECIMAL_MAX 11u
#define DECIMAL_FIXED_MAX 12u
// Most places behind the point.
#define DECIMAL_PLACES_MAX 9u

// decimal_read: the text is not such a number; the number does not fit.
#define DECIMAL_SYNTAX (-1)
#define DECIMAL_RANGE (-2)

// Writes the digits of a number, at most DECIMAL_MAX bytes, not terminated; how many.
uint32_t decimal(char *out, int32_t value);

// Writes value / 10^places with all its places ("26.0", "-0.5"), at most DECIMAL_FIXED_MAX bytes, not terminated; how
// many. places: 0 to DECIMAL_PLACES_MAX, more count as that.
uint32_t decimal_fixed(char *out, int32_t value, unsigned places);

// Reads [-]digits[.digits], nothing else around it, as value * 10^places. Further digits are rounded, a half away from
// zero. 0, or DECIMAL_SYNTAX, or DECIMAL_RANGE when the result has no 32 bits; then *value is untouched.
int decimal_read(AtText text, unsigned places, int32_t *value);

// value / unit, rounded to the nearest, a half away from zero. unit is at least 1.
int32_t decimal_round(int32_t value, int32_t unit);

#endif
