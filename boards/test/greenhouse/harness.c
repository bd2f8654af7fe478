// SPDX-License-Identifier: BSD-3-Clause
// The greenhouse without a runtime: a step a line, then what it submitted and a dot. The argument is what a BME280's
// registers hold, 512 hexadecimal digits; without it there is no sensor.
//   ready 0|1 | note key value from isDelete verdict (texts in hexadecimal) | pass ms | finish status | xrefuse count
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/at.h"
#include "device/hal.h"

#define TEXT_MAX 4096
// Turns at one moment: more than there are things to send.
#define TURNS_MAX 20

static uint64_t now;
static int is_in_turn;
static int32_t running;
static int32_t operations;
static int refusals;
static const char *registers;

uint64_t hal_now_ms(void) { return now; }

int hal_temperature(int32_t *milliCelsius) {
  (void)milliCelsius;
  return HAL_ABSENT;
}

int hal_i2c_open(unsigned bus, uint32_t hertz) { return registers && bus == 0 && hertz == 100000 ? 0 : HAL_ABSENT; }

int hal_i2c_transfer(unsigned bus, unsigned address, const uint8_t *x, size_t len, uint8_t *out, size_t outLen) {
  if (!registers || bus != 0 || address != 0x76 || len == 0) return HAL_NO_ANSWER;
  for (size_t i = 0; i < outLen; i++) {
    unsigned byte;
    sscanf(registers + 2 * ((x[0] + i) & 0xff), "%2x", &byte);
    out[i] = (uint8_t)byte;
  }
  return 0;
}

AtText at_configuration(unsigned field) {
  switch (field) {
    case PROVISIONED_ATSIGN: return text_of("@greenhouse");
    case PROVISIONED_NAMESPACE: return text_of("green");
    case PROVISIONED_PEER: return text_of("@alice");
    case PROVISIONED_INTERVAL: return text_of("1000");
    default: return text_of("");
  }
}

void at_log(int level, const char *text) { (void)level, (void)text; }

void at_log_text(int level, const char *name, AtText text) { (void)level, (void)name, (void)text; }

int32_t at_submit(int32_t kind, const char *key, const char *value, uint32_t valueLen, int64_t ttlMs) {
  if (!is_in_turn) return AT_NOT_READY;
  if (running > 0) return AT_BUSY;
  if (refusals > 0 && refusals--) return -4;
  printf("%s %s %lld ", kind == AT_PUT ? "put" : "notify", key, (long long)ttlMs);
  for (uint32_t i = 0; i < valueLen; i++) printf("%02x", (uint8_t)value[i]);
  printf("\n");
  return running = ++operations;
}

static uint32_t turn(const AtApplication *application) {
  is_in_turn = 1;
  const uint32_t wanted = application->turn();
  is_in_turn = 0;
  return wanted;
}

static void settle(const AtApplication *application) {
  for (int i = 0; i < TURNS_MAX && turn(application) == 0; i++) continue;
}

static void pass(const AtApplication *application, uint32_t ms) {
  for (uint32_t step; ms > 0; ms -= step, now += step) {
    const uint32_t wanted = turn(application);
    step = wanted == 0 ? 1 : wanted < ms ? wanted : ms;
  }
}

static AtText unhex(const char *text) {
  const size_t len = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;
  char *bytes = malloc(len);
  for (size_t i = 0; i < len; i++) {
    unsigned byte;
    sscanf(text + 2 * i, "%2x", &byte);
    bytes[i] = (char)byte;
  }
  return (AtText){bytes, (uint32_t)len};
}

static void note(const AtApplication *application, const char *words) {
  static char key[TEXT_MAX], value[TEXT_MAX], from[TEXT_MAX];
  int is_delete;
  unsigned verdict;
  if (sscanf(words, "%4095s %4095s %4095s %d %u", key, value, from, &is_delete, &verdict) != 5) abort();
  const AtNotification notification = {.key = unhex(key),
                                       .value = unhex(value),
                                       .from = unhex(from),
                                       .is_delete = is_delete,
                                       .verdict = verdict};
  application->notified(&notification);
  free((void *)notification.key.bytes);
  free((void *)notification.value.bytes);
  free((void *)notification.from.bytes);
}

int main(int argc, char **argv) {
  static char line[4 * TEXT_MAX];
  registers = argc > 1 ? argv[1] : NULL;
  const AtApplication *application = at_application();
  while (fgets(line, sizeof line, stdin)) {
    const char *words = line + strcspn(line, " ") + 1;
    if (line[0] == 'r') application->ready(atoi(words));
    if (line[0] == 'x') refusals = atoi(words);
    if (line[0] == 'n') note(application, words);
    if (line[0] == 'p') pass(application, (uint32_t)atoi(words));
    if (line[0] == 'f') {
      const int32_t ended = running;
      running = 0;
      application->finished(ended, atoi(words), text_of(""), 0);
    }
    settle(application);
    printf(".\n");
  }
  return 0;
}
