// SPDX-License-Identifier: BSD-3-Clause
// The serial line is UART 0, of which the log has no need here.

#include "../../../device/probe/probeBoard.h"

#include "../board.h"
#include "../registers.h"

// Written by the emulator at every mark of this number.
#define MARK_COUNT 1
volatile uint64_t probe_cycles;

// A call may take as long as it takes.
void probe_board_start(void) { REGISTER_CLEAR(WATCHDOG_CTRL) = WATCHDOG_CTRL_ENABLE; }

uint8_t probe_board_read(void) {
  while (REGISTER(UART0_FR) & UART_FR_RXFE) {
  }
  return (uint8_t)REGISTER(UART0_DR);
}

void probe_board_write(uint8_t byte) { uart_write((const char *)&byte, 1); }

uint64_t probe_board_count(void) {
  MARK(MARK_COUNT);
  return probe_cycles;
}

extern uint32_t stack_bottom[];

uint32_t probe_board_stack(void) {
  static const uint32_t *from;
  const uint32_t *here = __builtin_frame_address(0);
  const uint32_t *low = stack_bottom;
  while (low < here && *low == STACK_PAINT) low++;
  const uint32_t used = from == NULL || low >= from ? 0 : (uint32_t)((const uint8_t *)from - (const uint8_t *)low);
  // 64 bytes below this frame stay, for the loop's own spills.
  for (uint32_t *at = stack_bottom; at < here - 16; at++) *at = STACK_PAINT;
  from = here;
  return used;
}

// malloc of the native anchors; the interpreter has a heap of its own.
void *_sbrk(int more);

void *_sbrk(int more) {
  static char heap[24 * 1024] __attribute__((aligned(8)));
  static int used;
  if (more < -used || more > (int)sizeof heap - used) return (void *)-1;
  used += more;
  return heap + used - more;
}
