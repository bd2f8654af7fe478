// SPDX-License-Identifier: BSD-3-Clause
// Time, and sleeping until the time or the W5500 comes.
#include "board.h"
#include "pins.h"
#include "registers.h"
#include "w5500.h"

// Longest sleep: the alarm compares 32 bits of microseconds.
#define LONGEST_SLEEP_US 0x40000000u

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

void timer_sleep(uint32_t us) {
  if (us > LONGEST_SLEEP_US) us = LONGEST_SLEEP_US;
  REGISTER(TIMER_INTR) = 1;
  REGISTER(TIMER_INTE) = 1;
  REGISTER(TIMER_ALARM0) = REGISTER(TIMER_RAWL) + us;
  if (w5500_is_started()) {
    REGISTER_SET(GPIO_PROC0_INTE(W5500_PIN_INTERRUPT)) = GPIO_LEVEL_LOW(W5500_PIN_INTERRUPT);
  }
  REGISTER(NVIC_ICPR) = IRQ_TIMER0 | IRQ_IO_BANK0;
  REGISTER(NVIC_ISER) = IRQ_TIMER0 | IRQ_IO_BANK0;
  // An alarm that was due before the interrupts were on is not armed any more.
  if (REGISTER(TIMER_ARMED) & 1u) __asm volatile("wfi");
  REGISTER_CLEAR(GPIO_PROC0_INTE(W5500_PIN_INTERRUPT)) = GPIO_LEVEL_LOW(W5500_PIN_INTERRUPT);
  REGISTER(TIMER_ARMED) = 1;
  REGISTER(TIMER_INTE) = 0;
  REGISTER(TIMER_INTR) = 1;
  REGISTER(NVIC_ICPR) = IRQ_TIMER0 | IRQ_IO_BANK0;
}

void hal_wait(uint32_t ms) {
  link_step();
  if (ms == 0 || w5500_has_event()) return;
  timer_sleep(ms > LONGEST_SLEEP_US / 1000u ? LONGEST_SLEEP_US : ms * 1000u);
  link_step();
}
