// SPDX-License-Identifier: BSD-3-Clause
// Microseconds since the reset (RP2040 datasheet, 4.6.2).
#include "board.h"
#include "registers.h"

uint64_t timer_us(void) {
  uint32_t high = REGISTER(TIMER_RAWH);
  for (;;) {
    const uint32_t low = REGISTER(TIMER_RAWL);
    const uint32_t again = REGISTER(TIMER_RAWH);
    if (again == high) return (uint64_t)high << 32 | low;
    high = again;
  }
}

uint64_t hal_now_ms(void) { return timer_us() / 1000u; }
