// SPDX-License-Identifier: BSD-3-Clause
// Sleeping until the time or the W5500 comes.
#include "board.h"
#include "boards/w5500/link.h"
#include "boards/w5500/w5500.h"
#include "pins.h"
#include "registers.h"

// Longest sleep: the alarm compares 32 bits of microseconds.
#define LONGEST_SLEEP_US 0x40000000u

// Sleeps for us microseconds, or until the W5500 asks for attention.
static void timer_sleep(uint32_t us) {
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
