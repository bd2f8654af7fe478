// SPDX-License-Identifier: BSD-3-Clause
#include "powerCutFlash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint8_t flash[SECTORS_MAX * HAL_FLASH_SECTOR];
uint32_t sectors;
uint32_t wear[SECTORS_MAX];
long untilCut = -1;
jmp_buf powerGone;
uint32_t randomState;

uint32_t randomNumber(uint32_t below) {
    randomState = randomState * 1664525u + 1013904223u;
    return (randomState >> 8) % below;
}

void fail(const char *what) {
    printf("%s\n", what);
    exit(1);
}

// Whether the power goes in this operation.
static int isCut(void) { return untilCut >= 0 && untilCut-- == 0; }

void hal_watchdog_feed(void) {}

uint32_t hal_flash_sectors(void) { return sectors; }

int hal_flash_read(uint32_t offset, uint8_t *out, size_t len) {
    if (offset + len > sectors * HAL_FLASH_SECTOR) fail("read beyond the flash");
    memcpy(out, flash + offset, len);
    return 0;
}

int hal_flash_erase(uint32_t sector) {
    uint8_t *start = flash + sector * HAL_FLASH_SECTOR;
    wear[sector]++;
    if (isCut()) {
        // Some bits are ones already, others not.
        for (uint32_t i = 0; i < HAL_FLASH_SECTOR; i++) {
            if (randomNumber(3) != 0) start[i] |= (uint8_t)randomNumber(256);
            if (i > HAL_FLASH_SECTOR / 2 && randomNumber(2) == 0) start[i] = 0xff;
        }
        longjmp(powerGone, 1);
    }
    memset(start, 0xff, HAL_FLASH_SECTOR);
    return 0;
}

int hal_flash_program(uint32_t offset, const uint8_t *page) {
    if (offset % HAL_FLASH_PAGE != 0) fail("program off a page");
    const int cut = isCut();
    const uint32_t len = cut ? randomNumber(HAL_FLASH_PAGE + 1) : HAL_FLASH_PAGE;
    for (uint32_t i = 0; i < len; i++) {
        if ((page[i] & ~flash[offset + i]) != 0) fail("program of zeros into ones");
        flash[offset + i] = page[i];
    }
    if (cut && len < HAL_FLASH_PAGE) flash[offset + len] &= (uint8_t)(page[len] | randomNumber(256));
    if (cut) longjmp(powerGone, 1);
    return 0;
}
