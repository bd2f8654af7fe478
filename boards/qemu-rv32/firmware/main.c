// SPDX-License-Identifier: BSD-3-Clause
// The device on a bare RV32 machine: log, time, entropy, restarts, and the application.
#include <string.h>

#include "../virt.h"
#include "device/at.h"
#include "device/hal.h"
#include "frames.h"

// The UART wakes nobody, so sleep is short.
#define NAP_MS 2u
#define STACK_PAINT 0x57ac57acu

extern uint32_t __stack_bottom[], __stack_top[];
// Written by QEMU's loader before the start: one of HAL_RESET_*.
extern uint32_t reset_cause;

uint64_t hal_now_ms(void) { return virt_time_us() / 1000u; }

int hal_entropy(uint8_t *out, size_t len) {
  const uint8_t wanted[2] = {(uint8_t)len, (uint8_t)(len >> 8)};
  frames_write(FRAME_NOISE, wanted, sizeof wanted, NULL, 0);
  return frames_await(FRAME_RANDOM, out, len) == len ? 0 : -1;
}

const char *hal_entropy_source(void) { return "the host, over the UART"; }

void hal_log(int level, const char *text, size_t len) {
  const uint8_t head[1] = {(uint8_t)level};
  frames_write(FRAME_LOG, head, sizeof head, text, len);
}

void hal_wait(uint32_t ms) {
  for (const uint64_t end = hal_now_ms() + ms; hal_now_ms() < end;) {
    const int before = frames_link_state;
    frames_step();
    if (frames_waiting() > 0 || frames_link_state != before) return;
    virt_sleep_us(NAP_MS * 1000u);
  }
}

// QEMU's virt has no watchdog.
void hal_watchdog_feed(void) {}

static void restart(uint8_t cause) {
  frames_write(FRAME_REBOOT, &cause, 1, NULL, 0);
  virt_exit(0);
}

void hal_reboot(void) { restart(HAL_RESET_REBOOT); }

uint32_t hal_reset_cause(void) { return reset_cause; }

uint32_t hal_stack_high_water(void) {
  const uint32_t *word = __stack_bottom;
  while (word < __stack_top && *word == STACK_PAINT) word++;
  return (uint32_t)((const uint8_t *)__stack_top - (const uint8_t *)word);
}

int main(void) {
  static const char *const causes[] = {"power", "watchdog", "reboot", "crash"};
  const uint32_t *here = __builtin_frame_address(0);
  for (uint32_t *word = __stack_bottom; word < here - 64; word++) *word = STACK_PAINT;
  const char *cause = causes[hal_reset_cause() & 3u];
  hal_log(2, cause, strlen(cause));
  at_restart(at_start() != 0 ? 0 : at_run(at_application()));
  return 1;
}
