// SPDX-License-Identifier: BSD-3-Clause
#include <time.h>

#include "board.h"
#include "device/hal.h"

static uint32_t speed = 1;
static struct timespec started;

void clock_start(uint32_t times) {
  speed = times;
  clock_gettime(CLOCK_MONOTONIC, &started);
}

uint64_t hal_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t seconds = now.tv_sec - started.tv_sec;
  const int64_t nanoseconds = now.tv_nsec - started.tv_nsec;
  return (uint64_t)((seconds * 1000000 + nanoseconds / 1000) * (int64_t)speed / 1000);
}

int clock_real_ms(uint32_t ms) {
  const uint32_t real = (ms + speed - 1) / speed;
  return real > 3600000 ? 3600000 : (int)real;
}
