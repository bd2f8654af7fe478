// SPDX-License-Identifier: BSD-3-Clause
#include "decimal.h"

static uint32_t magnitude(int32_t value) { return value < 0 ? 0u - (uint32_t)value : (uint32_t)value; }

uint32_t decimal(char *out, int32_t value) { return decimal_fixed(out, value, 0); }

uint32_t decimal_fixed(char *out, int32_t value, unsigned places) {
  char digits[DECIMAL_MAX];
  unsigned count = 0;
  uint32_t len = 0;
  if (places > DECIMAL_PLACES_MAX) places = DECIMAL_PLACES_MAX;
  for (uint32_t rest = magnitude(value); rest > 0 || count <= places; rest /= 10) {
    digits[count++] = (char)('0' + rest % 10);
  }
  if (value < 0) out[len++] = '-';
  while (count > 0) {
    out[len++] = digits[--count];
    if (count > 0 && count == places) out[len++] = '.';
  }
  return len;
}

static int is_digit(AtText text, uint32_t at) {
  return at < text.len && text.bytes[at] >= '0' && text.bytes[at] <= '9';
}

// Appends a digit to a magnitude of at most 2^31. 0, or negative when it no longer fits.
static int append(uint32_t *sum, uint32_t digit) {
  if (*sum > (0x80000000u - digit) / 10) return -1;
  *sum = *sum * 10 + digit;
  return 0;
}

int decimal_read(AtText text, unsigned places, int32_t *value) {
  const int is_negative = text.len > 0 && text.bytes[0] == '-';
  uint32_t at = is_negative ? 1 : 0;
  uint32_t sum = 0;
  int fits = 1;
  unsigned rounds_up = 0;
  if (!is_digit(text, at)) return DECIMAL_SYNTAX;
  for (; is_digit(text, at); at++) fits &= append(&sum, (uint32_t)(text.bytes[at] - '0')) == 0;
  const int has_point = at < text.len && text.bytes[at] == '.';
  if (has_point && !is_digit(text, ++at)) return DECIMAL_SYNTAX;
  for (unsigned place = 0; place < places; place++) {
    const uint32_t digit = has_point && is_digit(text, at) ? (uint32_t)(text.bytes[at++] - '0') : 0;
    fits &= append(&sum, digit) == 0;
  }
  if (has_point && is_digit(text, at)) rounds_up = text.bytes[at] >= '5';
  while (has_point && is_digit(text, at)) at++;
  if (at != text.len) return DECIMAL_SYNTAX;
  sum += rounds_up;
  if (!fits || sum > (is_negative ? 0x80000000u : 0x7fffffffu)) return DECIMAL_RANGE;
  *value = (int32_t)(is_negative ? 0u - sum : sum);
  return 0;
}

int32_t decimal_round(int32_t value, int32_t unit) {
  const uint32_t by = (uint32_t)unit;
  const uint32_t rest = magnitude(value) % by;
  const uint32_t whole = magnitude(value) / by + (rest >= by - rest);
  return (int32_t)(value < 0 ? 0u - whole : whole);
}
