// SPDX-License-Identifier: BSD-3-Clause
// The store on a flash in memory that loses power: storeHarness <sectors> <values> <seed> <writes> <cuts>
// A random script of writes is run again and again; in run n the power goes at flash operation n, in the middle of a page
// or a sector, and again while the store recovers. After each cut every value has to be the old one or the new one.
// Prints the number of runs and how unevenly the sectors were erased; stops with a message at the first difference.

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal.h"
#include "store.h"

enum { SECTORS_MAX = 16, IDS = 8, LONGEST = 700 };

static uint8_t flash[SECTORS_MAX * HAL_FLASH_SECTOR];
static uint32_t sectors;
static uint32_t ids;
static uint32_t wear[SECTORS_MAX];
static long untilCut;
static jmp_buf powerGone;
static uint32_t randomState;

static uint8_t values[IDS][LONGEST];
static uint32_t lengths[IDS];

static uint32_t randomNumber(uint32_t below) {
    randomState = randomState * 1664525u + 1013904223u;
    return (randomState >> 8) % below;
}

static void fail(const char *what) {
    printf("%s\n", what);
    exit(1);
}

// Whether the power goes in this operation.
static int isCut(void) { return untilCut >= 0 && untilCut-- == 0; }

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

static int isValue(uint32_t id, const uint8_t *x, uint32_t len) {
    static uint8_t read[LONGEST];
    const int32_t got = store_read(id + 1, read, sizeof read);
    return got == (int32_t)len && memcmp(read, x, len) == 0;
}

static void makeValue(uint8_t *out, uint32_t *len) {
    *len = randomNumber(5) == 0 ? 0 : 1 + randomNumber(randomNumber(4) == 0 ? LONGEST : 40);
    for (uint32_t i = 0; i < *len; i++) out[i] = (uint8_t)randomNumber(256);
}

static void checkAll(uint32_t besides) {
    for (uint32_t id = 0; id < IDS; id++) {
        if (id != besides && !isValue(id, values[id], lengths[id])) fail("a value that was not written is lost");
    }
}

// Opens the store after a cut while `id` was being written; the power may go again meanwhile.
static void recover(uint32_t id, const uint8_t *next, uint32_t nextLen) {
    untilCut = randomNumber(2) == 0 ? (long)randomNumber(6) : -1;
    setjmp(powerGone);
    if (store_open() != 0) fail("the store does not open after a cut");
    checkAll(id);
    if (isValue(id, next, nextLen)) {
        memcpy(values[id], next, nextLen);
        lengths[id] = nextLen;
    } else if (!isValue(id, values[id], lengths[id])) {
        fail("the value is neither old nor new");
    }
    if (store_write(id + 1, next, nextLen) != 0) fail("no write after a cut");
    untilCut = -1;
    memcpy(values[id], next, nextLen);
    lengths[id] = nextLen;
    checkAll(IDS);
}

// True when the power went.
static int run(uint32_t seed, uint32_t writes, long cutAt) {
    static uint8_t next[LONGEST];
    static uint32_t nextLen;
    static volatile uint32_t id;
    memset(flash, 0xff, sizeof flash);
    memset(lengths, 0, sizeof lengths);
    randomState = seed;
    untilCut = -1;
    if (store_open() != 0) fail("an erased flash does not open");
    untilCut = cutAt;
    if (setjmp(powerGone) != 0) {
        recover(id, next, nextLen);
        return 1;
    }
    for (volatile uint32_t i = 0; i < writes; i++) {
        id = randomNumber(ids);
        makeValue(next, &nextLen);
        if (store_write(id + 1, next, nextLen) != 0) fail("a write failed");
        memcpy(values[id], next, nextLen);
        lengths[id] = nextLen;
    }
    untilCut = -1;
    checkAll(IDS);
    if (store_open() != 0) fail("the store does not open again");
    checkAll(IDS);
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    sectors = (uint32_t)strtoul(argv[1], NULL, 10);
    ids = (uint32_t)strtoul(argv[2], NULL, 10);
    if (sectors > SECTORS_MAX || ids == 0 || ids > IDS) return 2;
    const uint32_t seed = (uint32_t)strtoul(argv[3], NULL, 10);
    const uint32_t writes = (uint32_t)strtoul(argv[4], NULL, 10);
    const long cuts = strtol(argv[5], NULL, 10);
    long runs = 0;
    while (runs < cuts && run(seed, writes, runs)) runs++;
    memset(wear, 0, sizeof wear);
    run(seed, writes, -1);
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    for (uint32_t i = 0; i < sectors; i++) {
        if (wear[i] < least) least = wear[i];
        if (wear[i] > most) most = wear[i];
    }
    printf("%ld cuts, %u to %u erases a sector\n", runs, (unsigned)least, (unsigned)most);
    return 0;
}
