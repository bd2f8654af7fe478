// SPDX-License-Identifier: BSD-3-Clause
// What the files of this board know of each other. What device/ knows of it is device/hal.h.
#ifndef BOARDS_POSIX_BOARD_H
#define BOARDS_POSIX_BOARD_H

#include <stdint.h>

// The argument by which a restarted process learns the cause.
#define CAUSE_OPTION "--cause"

// Remembers how to start this program again and why it was started; arms the watchdog.
void board_start(int argc, char **argv, uint32_t cause);
// Runs the program on a stack of its own, whose use can be counted, or on the system's, which sanitizers and valgrind
// want to see.
void board_run(void (*program)(void), int on_system_stack);

// Makes time pass `speed` times as fast as it does, for tests of long runs; 1 by itself.
void clock_start(uint32_t speed);
// Milliseconds of real time that ms of the device's time take, at least 1 unless ms is 0.
int clock_real_ms(uint32_t ms);

// Opens the file that is the flash: STORE_BYTES long, or an older version's of eight sectors, which is lengthened. cut_at:
// the flash operation, from 0, in whose middle the power goes and the process ends with FLASH_CUT_EXIT; negative: none.
// 0, or negative with errno.
#define FLASH_CUT_EXIT 99
int flash_start(const char *path, long cut_at);

#endif
