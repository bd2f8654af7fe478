// SPDX-License-Identifier: BSD-3-Clause
#ifndef BOARDS_APP_COMMAND_H
#define BOARDS_APP_COMMAND_H

#include <stdint.h>

#define COMMAND_ID_MAX 80u

typedef struct {
  // The id as it was written: a JSON number or a string in its quotes.
  char id[COMMAND_ID_MAX];
  uint32_t id_len;
  // 200 to 3,600,000; 0: it asks for something else.
  uint32_t interval_ms;
} Command;

// Reads {"id":…,"set":"interval","ms":…}. 1, or 0 when it is no JSON object with an id.
int command_read(Command *command, const char *x, uint32_t len);
// Milliseconds from decimal digits; 0 when they are none or out of range.
uint32_t command_interval(const char *x, uint32_t len);

#endif
