// SPDX-License-Identifier: BSD-3-Clause
// A flash in memory that loses power in the middle of an operation: hal_flash_* for the tests of the store.
#ifndef DEVICE_TEST_POWER_CUT_FLASH_H
#define DEVICE_TEST_POWER_CUT_FLASH_H

#include <setjmp.h>
#include <stdint.h>

#include "hal.h"

enum { SECTORS_MAX = 16 };

extern uint8_t flash[SECTORS_MAX * HAL_FLASH_SECTOR];
extern uint32_t sectors;
// Erases of each sector so far.
extern uint32_t wear[SECTORS_MAX];
// Operations until the power goes; negative: it stays. Then powerGone is jumped to.
extern long untilCut;
extern jmp_buf powerGone;
extern uint32_t randomState;

uint32_t randomNumber(uint32_t below);
// Prints what is wrong and ends the program with 1.
void fail(const char *what);

#endif
