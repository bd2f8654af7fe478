// SPDX-License-Identifier: BSD-3-Clause
#include "address.h"

#include <string.h>

#define LITERAL_MIN 2u
#define LITERAL_MAX 45u
#define PORT_DIGITS 5u
#define PORT_MAX 65535u

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static int is_letter(char c, char last) { return (c | 32) >= 'a' && (c | 32) <= last; }

static int is_of_literal(char c) { return is_digit(c) || is_letter(c, 'f') || c == ':' || c == '.'; }

static int is_of_name(char c) {
  return is_digit(c) || is_letter(c, 'z') || c == '.' || c == '-' || c == '_';
}

// ":1" to ":65535", no zero first.
static int read_port(const char *x, uint32_t len, uint16_t *port) {
  uint32_t value = 0;
  if (len < 2 || len > PORT_DIGITS + 1 || x[0] != ':' || x[1] == '0') return -1;
  for (uint32_t i = 1; i < len; i++) {
    if (!is_digit(x[i])) return -1;
    value = value * 10 + (uint32_t)(x[i] - '0');
  }
  if (value > PORT_MAX) return -1;
  *port = (uint16_t)value;
  return 0;
}

int address_read(const char *x, uint32_t len, char host[ADDRESS_HOST_MAX + 1], uint16_t *port) {
  const int is_literal = len > 0 && x[0] == '[';
  const char *from = is_literal ? x + 1 : x;
  const uint32_t most = (uint32_t)(x + len - from);
  uint32_t n = 0;
  while (n < most && (is_literal ? is_of_literal(from[n]) : is_of_name(from[n]))) n++;
  if (is_literal) {
    if (n < LITERAL_MIN || n > LITERAL_MAX || n == most || from[n] != ']') return -1;
  } else if (n == 0 || n > ADDRESS_HOST_MAX || (!is_digit(x[0]) && !is_letter(x[0], 'z'))) {
    return -1;
  }
  const uint32_t end = is_literal ? n + 2 : n;
  if (read_port(x + end, len - end, port) != 0) return -1;
  memcpy(host, from, n);
  host[n] = '\0';
  return 0;
}
