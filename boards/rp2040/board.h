// SPDX-License-Identifier: BSD-3-Clause
// What the files of this board know of each other. What device/ knows of it is device/hal.h.
#ifndef BOARDS_RP2040_BOARD_H
#define BOARDS_RP2040_BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "../../device/hal.h"

// Runs from SRAM, and never calls what does not.
#define IN_RAM __attribute__((section(".ramtext"), noinline))
// Keeps its value over a reset by the watchdog, has none after power came.
#define RETAINED __attribute__((section(".retained")))

// BKPT codes that mean something to the emulator; without a debugger a BKPT is a fault, so they are only executed
// when the firmware is built for measuring (MARKS).
#ifdef MARKS
#define MARK(code) __asm volatile("bkpt %0" : : "i"(code) : "memory")
#else
#define MARK(code) ((void)0)
#endif
#define MARK_STOP 250

// What unused stack is filled with.
#define STACK_PAINT 0x57ac57acu

int main(void);

// Pins, UART, SPI and ADC; called once, before main.
void board_start(void);
// Ends the reset of blocks (RESET_*, registers.h) and waits until they are ready.
void board_release(uint32_t blocks);
// The program is over: waits for the watchdog. Never returns.
__attribute__((noreturn)) void board_stop(void);
// Remembers the exception frame r0..r3, r12, lr, pc, psr and restarts. Never returns.
__attribute__((noreturn)) void board_crash(const uint32_t *frame);
// pc and lr of the crash before this start; 0 and untouched when there was none.
int board_crash_place(uint32_t *pc, uint32_t *lr);

void uart_start(void);
void uart_write(const char *text, size_t len);

void adc_start(void);

// The pin is no longer an application's GPIO: a bus or the converter has it.
void gpio_take(unsigned pin);

// SPI 0, which the W5500 has.
void spi_start(void);

// Microseconds since the reset.
uint64_t timer_us(void);

#endif
