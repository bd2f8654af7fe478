// SPDX-License-Identifier: BSD-3-Clause
// A sensor and a command: copy this folder, change it, build it: node boards/build.mjs posix --app <folder>
#include "device/at.h"
#include "device/hal.h"

#define PROBE 0u  // analog input: a probe for the soil's moisture
#define LAMP 25u  // GPIO

static int is_ready;
static uint64_t next_at;

// The device is logged in (1), or not (0); it connects again by itself.
static void ready(int now_ready) { is_ready = now_ready; }

// Called often, the place to measure and send. Answers milliseconds until the next call, at the latest.
static uint32_t turn(void) {
  char value[64];
  JsonWriter json;
  if (!is_ready || hal_now_ms() < next_at) return 1000;
  json_open(&json, value, sizeof value);
  json_put_decimal(&json, "moistureVolts", hal_adc_read(PROBE), 3);
  // Encrypted for the peer the device was provisioned with.
  if (at_send(AT_NOTIFY, "reading", value, json_close(&json), 0) > 0) next_at = hal_now_ms() + 10000;
  return 1000;
}

// What was sent has arrived (0), or not (negative).
static void finished(int32_t operation, int32_t status, AtText value, unsigned verdict) {
  (void)operation, (void)value, (void)verdict;
  at_log(2, status < 0 ? "the reading was not sent" : "reading sent");
}

// at_is_command lets the peer's own record "command" through, when the peer vouches for it, and nothing else: {"lamp":true}
static void notified(const AtNotification *notification) {
  int on;
  if (at_is_command(notification, "command") && json_boolean(notification->value, "lamp", &on) == 0) hal_gpio_write(LAMP, on);
}

// Called once, at the start.
const AtApplication *at_application(void) {
  static const AtApplication application = {ready, turn, finished, notified};
  hal_gpio_open(LAMP, HAL_GPIO_LOW);
  return &application;
}
