// SPDX-License-Identifier: BSD-3-Clause
// Addresses as in QEMU's hw/riscv/virt memory map; UART registers as in the NS16550A datasheet.

#include "virt.h"

#include <stddef.h>

#define UART ((volatile uint8_t *)0x10000000)
#define UART_DATA 0
#define UART_LINE_STATUS 5
#define UART_DATA_READY 0x01
#define UART_TRANSMIT_EMPTY 0x20

#define MTIME ((volatile uint32_t *)0x0200bff8)
#define MTIMECMP ((volatile uint32_t *)0x02004000)
#define MTIME_PER_US 10u
#define MIE_MTIE 0x80u

#define FINISHER ((volatile uint32_t *)0x00100000)
#define FINISHER_PASS 0x5555u
#define FINISHER_FAIL 0x3333u

int virt_uart_ready(void) { return (UART[UART_LINE_STATUS] & UART_DATA_READY) != 0; }

uint8_t virt_uart_read(void) {
    while (!virt_uart_ready()) continue;
    return UART[UART_DATA];
}

void virt_uart_write(uint8_t byte) {
    while ((UART[UART_LINE_STATUS] & UART_TRANSMIT_EMPTY) == 0) continue;
    UART[UART_DATA] = byte;
}

uint64_t virt_instructions(void) {
    uint32_t high, low, again;
    do {
        __asm volatile("csrr %0, minstreth\n csrr %1, minstret\n csrr %2, minstreth" : "=r"(high), "=r"(low), "=r"(again));
    } while (high != again);
    return (uint64_t)high << 32 | low;
}

static uint64_t mtime(void) {
    uint32_t high, low;
    do {
        high = MTIME[1];
        low = MTIME[0];
    } while (high != MTIME[1]);
    return (uint64_t)high << 32 | low;
}

uint64_t virt_time_us(void) { return mtime() / MTIME_PER_US; }

// A pending interrupt that is enabled ends WFI also when mstatus keeps it from being taken (privileged ISA, 3.3.3).
void virt_sleep_us(uint32_t us) {
    uint64_t end = mtime() + (uint64_t)us * MTIME_PER_US;
    MTIMECMP[1] = UINT32_MAX;
    MTIMECMP[0] = (uint32_t)end;
    MTIMECMP[1] = (uint32_t)(end >> 32);
    __asm volatile("csrs mie, %0\n wfi\n csrc mie, %0" : : "r"(MIE_MTIE) : "memory");
}

void virt_exit(int code) {
    *FINISHER = code == 0 ? FINISHER_PASS : FINISHER_FAIL | (uint32_t)code << 16;
    for (;;) continue;
}

static void writeText(const char *text) {
    while (*text != 0) virt_uart_write((uint8_t)*text++);
}

static void writeHex(uint32_t word) {
    for (int shift = 28; shift >= 0; shift -= 4) virt_uart_write((uint8_t)"0123456789abcdef"[word >> shift & 15]);
}

void virt_trapped(uint32_t cause, uint32_t at, uint32_t value) __attribute__((noreturn));

/** An exception of the chip: says which and where, and ends. */
void virt_trapped(uint32_t cause, uint32_t at, uint32_t value) {
    writeText("\nexception ");
    writeHex(cause);
    writeText(" at ");
    writeHex(at);
    writeText(" value ");
    writeHex(value);
    writeText("\n");
    virt_exit(1);
}
