// SPDX-License-Identifier: BSD-3-Clause
// The store on a flash in memory that loses power: storeHarness <sectors> <values> <seed> <writes> <cuts>
// A random script of writes is run again and again; in run n the power goes at flash operation n, in the middle of a page
// or a sector, and again while the store recovers. After each cut every value has to be the old one or the new one;
// the guarded one may be unreadable instead, until it is written.
// Prints the number of runs and how unevenly the sectors were erased; stops with a message at the first difference.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "powerCutFlash.h"
#include "store.h"

enum { IDS = 8, LONGEST = 700 };

static uint32_t ids;
static uint8_t values[IDS][LONGEST];
static uint32_t lengths[IDS];
// The power went since the guarded value was written: it may be unreadable.
static int isDoubtful;

static int isGuarded(uint32_t id) { return id + 1 == STORE_GUARDED; }

static int isValue(uint32_t id, const uint8_t *x, uint32_t len) {
    static uint8_t read[LONGEST];
    const int32_t got = store_read(id + 1, read, sizeof read);
    if (isGuarded(id) && isDoubtful && got < 0) return 1;
    return got == (int32_t)len && memcmp(read, x, len) == 0;
}

static void makeValue(uint8_t *out, uint32_t *len) {
    *len = randomNumber(5) == 0 ? 0 : 1 + randomNumber(randomNumber(4) == 0 ? LONGEST : 40);
    for (uint32_t i = 0; i < *len; i++) out[i] = (uint8_t)randomNumber(256);
}

static void keepValue(uint32_t id, const uint8_t *x, uint32_t len) {
    if (store_write(id + 1, x, len) != 0) fail("a write failed");
    memcpy(values[id], x, len);
    lengths[id] = len;
    if (isGuarded(id)) isDoubtful = 0;
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
    isDoubtful = 1;
    if (store_open() != 0) fail("the store does not open after a cut");
    checkAll(id);
    if (isValue(id, next, nextLen)) {
        memcpy(values[id], next, nextLen);
        lengths[id] = nextLen;
    } else if (!isValue(id, values[id], lengths[id])) {
        fail("the value is neither old nor new");
    }
    keepValue(id, next, nextLen);
    untilCut = -1;
    checkAll(IDS);
}

// True when the power went.
static int run(uint32_t seed, uint32_t writes, long cutAt) {
    static uint8_t next[LONGEST];
    static uint32_t nextLen;
    static volatile uint32_t id;
    memset(flash, 0xff, sizeof flash);
    memset(lengths, 0, sizeof lengths);
    isDoubtful = 0;
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
        keepValue(id, next, nextLen);
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
