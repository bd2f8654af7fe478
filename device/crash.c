// SPDX-License-Identifier: BSD-3-Clause
#include "crash.h"

#include <string.h>

#include "hal.h"
#include "json.h"
#include "store.h"

typedef struct {
  char reason[60];
  int32_t function;
} CrashRecord;

// The reset itself is reported once, however often the session begins again.
static int is_told;

void crash_remember(const char *reason, int32_t function) {
  CrashRecord record = {.function = function};
  size_t len = strlen(reason);
  if (len >= sizeof record.reason) len = sizeof record.reason - 1;
  memcpy(record.reason, reason, len);
  // When the store fails as well, only the reset cause is reported.
  store_write(STORE_CRASH, (const uint8_t *)&record, sizeof record);
}

static const char *cause(void) {
  switch (hal_reset_cause()) {
    case HAL_RESET_POWER: return "power";
    case HAL_RESET_WATCHDOG: return "watchdog";
    case HAL_RESET_REBOOT: return "reboot";
    default: return "crash";
  }
}

uint32_t crash_text(char *out) {
  CrashRecord record;
  const int has_record =
      store_read(STORE_CRASH, (uint8_t *)&record, sizeof record) == (int32_t)sizeof record;
  const uint32_t reset = hal_reset_cause();
  const int was_reset = reset == HAL_RESET_WATCHDOG || reset == HAL_RESET_CRASH;
  if (!has_record && (!was_reset || is_told)) return 0;
  JsonWriter json;
  json_open(&json, out, CRASH_TEXT_MAX);
  json_put_text(&json, "cause", text_of(cause()));
  if (has_record) {
    record.reason[sizeof record.reason - 1] = '\0';
    // What the flash kept may be cut in a character.
    for (char *x = record.reason; *x; x++) {
      if (*x < ' ' || *x >= 127) *x = '?';
    }
    json_put_text(&json, "reason", text_of(record.reason));
    json_put_integer(&json, "function", record.function);
  }
  const int32_t len = json_close(&json);
  return len > 0 ? (uint32_t)len : 0;
}

void crash_forget(void) {
  is_told = 1;
  store_write(STORE_CRASH, NULL, 0);
}
