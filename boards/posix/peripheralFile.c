// SPDX-License-Identifier: BSD-3-Clause
#include "peripheralFile.h"

#include <stdio.h>
#include <string.h>

#include "device/hal.h"

#define TEXT_MAX 1024
#define SENT_MAX 64u
#define ANSWER_MAX 256u

typedef struct {
  char kind[8];
  unsigned number;
  // Value of a pin or channel, address on a bus.
  unsigned value;
  uint8_t sent[SENT_MAX];
  size_t sent_len;
  uint8_t answer[ANSWER_MAX];
  size_t answer_len;
} Line;

static const char *path;

void peripheral_file_start(const char *name) { path = name; }

int peripheral_file_is_named(void) { return path != NULL; }

static const char *skip_space(const char *text) { return text + strspn(text, " \t\r\n"); }

// Bytes as pairs of hexadecimal digits. What is behind them; NULL: they are more than cap.
static const char *read_bytes(const char *text, uint8_t *out, size_t cap, size_t *len) {
  unsigned byte;
  int used;
  while (sscanf(text, " %2x%n", &byte, &used) == 1) {
    if (*len == cap) return NULL;
    out[(*len)++] = (uint8_t)byte;
    text += used;
  }
  return skip_space(text);
}

// 1, or 0: it can't be read.
static int read_line(const char *text, Line *line) {
  int used = 0;
  memset(line, 0, sizeof *line);
  if (sscanf(text, "%7s %u%n", line->kind, &line->number, &used) != 2) return 0;
  text += used;
  const int is_bus = strcmp(line->kind, "spi") == 0;
  if (!is_bus) {
    const int is_i2c = strcmp(line->kind, "i2c") == 0;
    if (!is_i2c && strcmp(line->kind, "gpio") != 0 && strcmp(line->kind, "adc") != 0) return 0;
    if (sscanf(text, is_i2c ? "%x%n" : "%u%n", &line->value, &used) != 1) return 0;
    text += used;
    if (!is_i2c) return *skip_space(text) == '\0';
  }
  text = read_bytes(text, line->sent, SENT_MAX, &line->sent_len);
  if (!text || *text != ':') return 0;
  text = read_bytes(text + 1, line->answer, ANSWER_MAX, &line->answer_len);
  return text && *text == '\0';
}

static void complain(int number) {
  char text[64];
  const int len = snprintf(text, sizeof text, "line %d of the peripherals can't be read", number);
  hal_log(1, text, (size_t)len);
}

// Hands every line of the kind and number to `take`.
static void each_line(const char *kind, unsigned number, void (*take)(const Line *line, void *context), void *context) {
  char text[TEXT_MAX];
  Line line;
  FILE *file = path ? fopen(path, "re") : NULL;
  for (int at = 1; file && fgets(text, sizeof text, file); at++) {
    const char first = *skip_space(text);
    if (first == '\0' || first == '#') continue;
    if (!read_line(text, &line)) complain(at);
    else if (line.number == number && strcmp(line.kind, kind) == 0) take(&line, context);
  }
  if (file) fclose(file);
}

typedef struct {
  int is_found;
  unsigned value;
} Value;

static void take_value(const Line *line, void *context) {
  *(Value *)context = (Value){1, line->value};
}

int peripheral_value(const char *kind, unsigned number, unsigned *value) {
  Value found = {0, 0};
  each_line(kind, number, take_value, &found);
  if (found.is_found) *value = found.value;
  return found.is_found;
}

typedef struct {
  unsigned address;
  const uint8_t *sent;
  size_t len;
  uint8_t *out;
  size_t outLen;
  int result;
} Question;

static void take_answer(const Line *line, void *context) {
  Question *question = context;
  if (line->value != question->address) return;
  if (question->result < 0) question->result = 0;
  if (line->sent_len != question->len || memcmp(line->sent, question->sent, question->len) != 0) return;
  for (size_t i = 0; i < question->outLen; i++) {
    question->out[i] = i < line->answer_len ? line->answer[i] : 0xff;
  }
  question->result = 1;
}

int peripheral_answer(const char *kind, unsigned bus, unsigned address, const uint8_t *sent, size_t len, uint8_t *out,
                      size_t outLen) {
  static const uint8_t nothing[1];
  Question question = {address, sent ? sent : nothing, len, out, outLen, -1};
  for (size_t i = 0; i < outLen; i++) out[i] = 0xff;
  each_line(kind, bus, take_answer, &question);
  return question.result;
}
