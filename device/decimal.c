// SPDX-License-Identifier: BSD-3-Clause
#include "decimal.h"

uint32_t decimal(char *out, int32_t value) {
  char digits[10];
  uint32_t count = 0;
  uint32_t len = 0;
  uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
  if (value < 0) out[len++] = '-';
  do {
    digits[count++] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  while (count > 0) out[len++] = digits[--count];
  return len;
}
