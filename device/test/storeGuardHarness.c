// SPDX-License-Identifier: BSD-3-Clause
// What the store says of its guarded value when cells of the flash wear out. Prints "guarded", or what was wrong.
#include <stdio.h>
#include <string.h>

#include "powerCutFlash.h"
#include "store.h"

enum { OTHER = 2 };

static void put(uint32_t number, const char *text) {
    if (store_write(number, (const uint8_t *)text, (uint32_t)strlen(text)) != 0) fail("a write failed");
}

static int holds(uint32_t number, const char *text) {
    uint8_t read[64];
    const int32_t len = store_read(number, read, sizeof read);
    return len == (int32_t)strlen(text) && memcmp(read, text, (size_t)len) == 0;
}

static void expect(int condition, const char *what) {
    if (!condition) fail(what);
}

static void reopen(void) { expect(store_open() == 0, "the store does not open"); }

static void expectUnreadable(const char *when) {
    uint8_t read[64];
    expect(store_read(STORE_GUARDED, read, sizeof read) < 0, when);
    reopen();
    expect(store_read(STORE_GUARDED, read, sizeof read) < 0, when);
    expect(holds(OTHER, "other") || holds(OTHER, "any"), "another value is lost");
}

// Some bits of the first page with this text fall.
static void wearOut(const char *text) {
    const size_t len = strlen(text);
    for (size_t i = 0; i + len <= sizeof flash; i++) {
        if (memcmp(flash + i, text, len) != 0) continue;
        memset(flash + i, 0, len);
        return;
    }
    fail("the text to wear out is not there");
}

// The first page of the half with the higher generation, which is low here.
static uint8_t *newestHalf(void) {
    uint8_t *second = flash + sectors / 2 * HAL_FLASH_SECTOR;
    return flash[4] > second[4] ? flash : second;
}

// Writes until the other half is the valid one, so often.
static void compact(unsigned times) {
    for (uint32_t before = wear[0] + wear[sectors / 2]; wear[0] + wear[sectors / 2] < before + times;) {
        put(OTHER, "any");
        put(OTHER, "other");
    }
}

int main(void) {
    sectors = 4;
    memset(flash, 0xff, sizeof flash);
    reopen();
    put(OTHER, "other");
    put(STORE_GUARDED, "older");
    put(STORE_GUARDED, "newest");
    expect(holds(STORE_GUARDED, "newest"), "not kept");
    wearOut("newest");
    reopen();
    expectUnreadable("an older value is believed");
    compact(1);
    expectUnreadable("an older value is believed after a copy");
    compact(2);
    expectUnreadable("an older value is believed after more copies");
    put(STORE_GUARDED, "again");
    reopen();
    expect(holds(STORE_GUARDED, "again"), "not kept again");

    // A newer half than the one that is found.
    compact(1);
    put(STORE_GUARDED, "behind");
    *newestHalf() = 0;
    reopen();
    expectUnreadable("an older half is believed");
    compact(2);
    expectUnreadable("an older half is believed after copies");
    if (store_write(STORE_GUARDED, NULL, 0) != 0) fail("not erased");
    reopen();
    expect(holds(STORE_GUARDED, ""), "not erased");
    printf("guarded\n");
    return 0;
}
