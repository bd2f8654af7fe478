// SPDX-License-Identifier: BSD-3-Clause
// Watchdog, restarts, and why the last one was.
#include "board.h"
#include "registers.h"

// The longest the counter holds: 0xffffff, lost two a microsecond (RP2040-E1), 8.3 s.
#define LOAD 0xffffffu
// Everything but the oscillators (2.13.5), so that the chip starts as after power.
#define WATCHDOG_DOMAINS 0x0001fffcu
#define REASON_TIMER 1u
#define REASON_FORCED 2u
#define HAD_POWER_ON (1u << 8)

// Scratch 0: why the restart was asked for; 1 and 2: where a crash was. 4 to 7 are the boot ROM's.
#define SCRATCH_CAUSE 0u
#define SCRATCH_PC 1u
#define SCRATCH_LR 2u
#define CAUSE_REBOOT 0xa7000001u
#define CAUSE_CRASH 0xa7000002u

static uint32_t cause = HAL_RESET_POWER;
static uint32_t crash_pc;
static uint32_t crash_lr;

static uint32_t find_cause(void) {
  const uint32_t scratch = REGISTER(WATCHDOG_SCRATCH(SCRATCH_CAUSE));
  const uint32_t reason = REGISTER(WATCHDOG_REASON);
  if (reason == 0) return HAL_RESET_POWER;
  if (scratch == CAUSE_CRASH) return HAL_RESET_CRASH;
  if (scratch == CAUSE_REBOOT) return HAL_RESET_REBOOT;
  return HAL_RESET_WATCHDOG;
}

__attribute__((noreturn)) static void restart(uint32_t why) {
  REGISTER(WATCHDOG_SCRATCH(SCRATCH_CAUSE)) = why;
  REGISTER(PSM_WDSEL) = WATCHDOG_DOMAINS;
  REGISTER(WATCHDOG_CTRL) = WATCHDOG_CTRL_TRIGGER;
  for (;;) {
  }
}

void board_start(void) {
  cause = find_cause();
  if (cause == HAL_RESET_CRASH) {
    crash_pc = REGISTER(WATCHDOG_SCRATCH(SCRATCH_PC));
    crash_lr = REGISTER(WATCHDOG_SCRATCH(SCRATCH_LR));
  }
  REGISTER(WATCHDOG_SCRATCH(SCRATCH_CAUSE)) = 0;
  REGISTER(PSM_WDSEL) = WATCHDOG_DOMAINS;
  REGISTER(WATCHDOG_LOAD) = LOAD;
  REGISTER(WATCHDOG_CTRL) = WATCHDOG_CTRL_ENABLE;
  uart_start();
  spi_start();
  adc_start();
}

void board_stop(void) {
  MARK(MARK_STOP);
  for (;;) {
  }
}

void board_crash(const uint32_t *frame) {
  REGISTER(WATCHDOG_SCRATCH(SCRATCH_PC)) = frame[6];
  REGISTER(WATCHDOG_SCRATCH(SCRATCH_LR)) = frame[5];
  restart(CAUSE_CRASH);
}

int board_crash_place(uint32_t *pc, uint32_t *lr) {
  if (cause != HAL_RESET_CRASH) return 0;
  *pc = crash_pc;
  *lr = crash_lr;
  return 1;
}

void hal_watchdog_feed(void) { REGISTER(WATCHDOG_LOAD) = LOAD; }

void hal_reboot(void) { restart(CAUSE_REBOOT); }

uint32_t hal_reset_cause(void) { return cause; }
