// SPDX-License-Identifier: BSD-3-Clause
// Reads a command: one flat JSON object of strings and numbers.
#include "command.h"

#include <string.h>

#define INTERVAL_MIN_MS 200u
#define INTERVAL_MAX_MS 3600000u

typedef struct {
  const char *at;
  const char *end;
} Reader;

static void skip_space(Reader *reader) {
  while (reader->at < reader->end && strchr(" \t\r\n", *reader->at)) reader->at++;
}

// Takes one character; 0 when another one is there.
static int take(Reader *reader, char wanted) {
  skip_space(reader);
  if (reader->at == reader->end || *reader->at != wanted) return 0;
  reader->at++;
  return 1;
}

// One string with its quotes, or one number. Its length, 0 when there is neither.
static uint32_t take_value(Reader *reader, const char **value) {
  skip_space(reader);
  *value = reader->at;
  if (!take(reader, '"')) {
    while (reader->at < reader->end && strchr("+-.0123456789Ee", *reader->at) && *reader->at) {
      reader->at++;
    }
    return (uint32_t)(reader->at - *value);
  }
  for (; reader->at < reader->end; reader->at++) {
    if (*reader->at == '"') {
      reader->at++;
      return (uint32_t)(reader->at - *value);
    }
    if (*reader->at == '\\') reader->at++;
  }
  return 0;
}

static int equals(const char *x, uint32_t len, const char *word) {
  return len == strlen(word) && memcmp(x, word, len) == 0;
}

uint32_t command_interval(const char *x, uint32_t len) {
  uint32_t value = 0;
  if (len == 0 || len > 7) return 0;
  for (uint32_t i = 0; i < len; i++) {
    if (x[i] < '0' || x[i] > '9') return 0;
    value = value * 10 + (uint32_t)(x[i] - '0');
  }
  return value >= INTERVAL_MIN_MS && value <= INTERVAL_MAX_MS ? value : 0;
}

int command_read(Command *command, const char *x, uint32_t len) {
  Reader reader = {x, x + len};
  uint32_t interval = 0;
  int sets_interval = 0;
  memset(command, 0, sizeof *command);
  if (!take(&reader, '{')) return 0;
  do {
    const char *name;
    const char *value;
    const uint32_t nameLen = take_value(&reader, &name);
    if (nameLen == 0 || !take(&reader, ':')) return 0;
    const uint32_t valueLen = take_value(&reader, &value);
    if (valueLen == 0) return 0;
    if (equals(name, nameLen, "\"id\"")) {
      if (valueLen > COMMAND_ID_MAX) return 0;
      memcpy(command->id, value, valueLen);
      command->id_len = valueLen;
    }
    if (equals(name, nameLen, "\"set\"")) sets_interval = equals(value, valueLen, "\"interval\"");
    if (equals(name, nameLen, "\"ms\"")) interval = command_interval(value, valueLen);
  } while (take(&reader, ','));
  if (!take(&reader, '}') || command->id_len == 0) return 0;
  command->interval_ms = sets_interval ? interval : 0;
  return 1;
}
