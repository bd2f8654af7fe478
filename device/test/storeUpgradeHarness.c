// SPDX-License-Identifier: BSD-3-Clause
// The store is opened on a given flash: storeUpgradeHarness <flash file>, a multiple of 4,096 bytes.
// Once undisturbed, then again and again: in run n the power goes at flash operation n, and again while the store
// recovers. Prints what store_open answered and whether the flash was changed, how many runs there were, and every value
// with its number in hexadecimal; stops with a message when a run ends with other values than the undisturbed one.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "powerCutFlash.h"
#include "store.h"

enum { LONGEST = 4096, ALL = STORE_NUMBERS * LONGEST };

typedef struct {
    int32_t lengths[STORE_NUMBERS];
    uint8_t values[STORE_NUMBERS][LONGEST];
} Content;

static uint8_t given[sizeof flash];

static void load(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail("no flash file");
    sectors = (uint32_t)fread(given, 1, sizeof given, file) / HAL_FLASH_SECTOR;
    fclose(file);
}

static void readAll(Content *content) {
    memset(content, 0, sizeof *content);
    for (uint32_t number = 0; number < STORE_NUMBERS; number++) {
        content->lengths[number] = store_read(number, content->values[number], LONGEST);
    }
    // Something torn may lie behind it.
    if (content->lengths[STORE_GUARDED] < 0) content->lengths[STORE_GUARDED] = 0;
}

static void print(const Content *content) {
    for (uint32_t number = 0; number < STORE_NUMBERS; number++) {
        if (content->lengths[number] == 0) continue;
        printf("%u ", (unsigned)number);
        for (int32_t i = 0; i < content->lengths[number]; i++) printf("%02x", content->values[number][i]);
        printf("\n");
    }
}

// As in the undisturbed run, and nothing is left that could be taken for the store later.
static void compare(const Content *expected) {
    static Content found;
    for (uint32_t sector = 0; sector < sectors; sector++) {
        if (memcmp(flash + sector * HAL_FLASH_SECTOR, "atms", 4) == 0) fail("the old store is still there");
    }
    readAll(&found);
    if (memcmp(&found, expected, sizeof found) != 0) fail("other values after a cut");
}

// True when the power went.
static int run(long cutAt, const Content *expected) {
    static volatile int isCut;
    isCut = 0;
    memcpy(flash, given, sizeof flash);
    untilCut = cutAt;
    if (setjmp(powerGone) != 0) {
        untilCut = isCut ? -1 : (long)randomNumber(30);
        isCut = 1;
    }
    if (store_open() != 0) fail("the store does not open after a cut");
    untilCut = -1;
    compare(expected);
    if (store_write(STORE_CRASH, (const uint8_t *)"x", 1) != 0) fail("no write after a cut");
    if (store_open() != 0 || store_write(STORE_CRASH, NULL, 0) != 0) fail("the store does not open again");
    compare(expected);
    return isCut;
}

int main(int argc, char **argv) {
    static Content content;
    long runs = 0;
    if (argc != 2) return 2;
    load(argv[1]);
    memcpy(flash, given, sizeof flash);
    const int opened = store_open();
    printf("opened %d, %s\n", opened, memcmp(flash, given, sizeof flash) == 0 ? "unchanged" : "changed");
    if (opened != 0) return 0;
    readAll(&content);
    while (run(runs, &content)) runs++;
    printf("%ld cuts\n", runs);
    print(&content);
    return 0;
}
