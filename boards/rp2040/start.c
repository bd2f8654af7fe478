// SPDX-License-Identifier: BSD-3-Clause
// Reset, vectors and clocks. No interrupt is ever taken: PRIMASK stays set, and interrupts only end WFI.
#include "board.h"
#include "registers.h"

// Places of the linker script.
extern uint32_t ramtext_start[], ramtext_end[], ramtext_load[];
extern uint32_t data_start[], data_end[], data_load[];
extern uint32_t bss_start[], bss_end[];
extern uint32_t stack_bottom[], stack_top[];

#define XOSC_MHZ 12u

void reset_handler(void);
void fault_handler(void);

static void copy_words(uint32_t *to, const uint32_t *end, const uint32_t *from) {
  while (to < end) *to++ = *from++;
}

__attribute__((always_inline)) static inline uint32_t *stack_pointer(void) {
  uint32_t *sp;
  __asm volatile("mov %0, sp" : "=r"(sp));
  return sp;
}

static void start_pll(uint32_t pll, uint32_t multiplier, uint32_t divider1, uint32_t divider2) {
  REGISTER(pll + PLL_CS) = 1;
  REGISTER(pll + PLL_FBDIV_INT) = multiplier;
  REGISTER_CLEAR(pll + PLL_PWR) = PLL_PWR_PD | PLL_PWR_VCOPD;
  while (!(REGISTER(pll + PLL_CS) & PLL_CS_LOCK)) {
  }
  REGISTER(pll + PLL_PRIM) = divider1 << 16 | divider2 << 12;
  REGISTER_CLEAR(pll + PLL_PWR) = PLL_PWR_POSTDIVPD;
}

static void start_clocks(void) {
  REGISTER(XOSC_CTRL) = 0xaa0;
  // 1 ms: 47 times 256 cycles (2.16.3).
  REGISTER(XOSC_STARTUP) = 47;
  REGISTER_SET(XOSC_CTRL) = 0xfab000;
  while (!(REGISTER(XOSC_STATUS) >> 31)) {
  }
  REGISTER(CLK_REF_CTRL) = CLK_REF_SRC_XOSC;
  while (REGISTER(CLK_REF_SELECTED) != 1u << CLK_REF_SRC_XOSC) {
  }
  // 12 MHz * 125 / (6 * 2) = 125 MHz; 12 MHz * 100 / (5 * 5) = 48 MHz for the ADC.
  start_pll(PLL_SYS, 125, 6, 2);
  start_pll(PLL_USB, 100, 5, 5);
  REGISTER(CLK_SYS_CTRL) = 0;
  REGISTER_SET(CLK_SYS_CTRL) = CLK_SYS_SRC_AUX;
  while (REGISTER(CLK_SYS_SELECTED) != 1u << CLK_SYS_SRC_AUX) {
  }
  REGISTER(CLK_PERI_CTRL) = CLK_ENABLE;
  REGISTER(CLK_ADC_CTRL) = CLK_ENABLE;
  // The timer counts microseconds made from clk_ref.
  REGISTER(WATCHDOG_TICK) = 1u << 9 | XOSC_MHZ;
}

void board_release(uint32_t blocks) {
  REGISTER_CLEAR(RESETS_RESET) = blocks;
  while ((REGISTER(RESETS_DONE) & blocks) != blocks) {
  }
}

void reset_handler(void) {
  __asm volatile("cpsid i");
  // From a debugger or by a jump the clocks may be anything; the PLLs start from reset, when nothing runs from them.
  REGISTER_CLEAR(CLK_SYS_CTRL) = CLK_SYS_SRC_AUX;
  while (REGISTER(CLK_SYS_SELECTED) != 1) {
  }
  REGISTER_SET(RESETS_RESET) = RESET_PLL_SYS | RESET_PLL_USB;
  board_release(RESET_PLL_SYS | RESET_PLL_USB | RESET_IO_BANK0 | RESET_PADS_BANK0);
  for (uint32_t *word = stack_bottom; word < stack_pointer(); word++) *word = STACK_PAINT;
  copy_words(ramtext_start, ramtext_end, ramtext_load);
  copy_words(data_start, data_end, data_load);
  for (uint32_t *word = bss_start; word < bss_end; word++) *word = 0;
  start_clocks();
  board_release(RESET_UART0 | RESET_SPI0 | RESET_TIMER | RESET_ADC);
  board_start();
  main();
  board_stop();
}

uint32_t hal_stack_high_water(void) {
  const uint32_t *word = stack_bottom;
  while (word < stack_top && *word == STACK_PAINT) word++;
  return (uint32_t)((const uint8_t *)stack_top - (const uint8_t *)word);
}

// HardFault, or an interrupt that was never enabled: the watchdog's scratch keeps where, the next start reports it.
// Naked: the stack pointer has to be the exception frame's.
__attribute__((naked)) void fault_handler(void) {
  __asm volatile(
      "mrs r0, msp\n"
      "ldr r1, =board_crash\n"
      "bx r1\n");
}

__attribute__((section(".vectors"), used)) void *const vectors[48] = {
    stack_top, (void *)(uintptr_t)reset_handler, [2 ... 47] = (void *)(uintptr_t)fault_handler};
