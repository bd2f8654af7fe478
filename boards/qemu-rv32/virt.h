// SPDX-License-Identifier: BSD-3-Clause
// What the board uses of QEMU's `virt` machine.

#ifndef ATMICRO_VIRT_H
#define ATMICRO_VIRT_H

#include <stdint.h>

/** Waits for a byte of the NS16550 UART. */
uint8_t virt_uart_read(void);

/** Whether a byte waits. */
int virt_uart_ready(void);

void virt_uart_write(uint8_t byte);

/** Instructions executed, exact with QEMU's -icount shift=0 (there mcycle and minstret count virtual nanoseconds). */
uint64_t virt_instructions(void);

/** Microseconds since the start (mtime counts ten a microsecond). */
uint64_t virt_time_us(void);

/** Sleeps for `us` microseconds. No interrupt is taken. */
void virt_sleep_us(uint32_t us);

/** Ends QEMU with this exit code (the test finisher). */
void virt_exit(int code) __attribute__((noreturn));

#endif
