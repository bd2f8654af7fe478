// SPDX-License-Identifier: BSD-3-Clause
// Allocates, resizes, shrinks and frees in an order that is the same in every run, with a pattern in every block; at the
// end the heap has to be one piece again. Ends with the line that failed.

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "interpreterHeap.h"

enum { BLOCKS = 64, ROUNDS = 200000, LARGEST = 700 };

#define CHECK(condition)                       \
    do {                                       \
        if (!(condition)) {                    \
            printf("line %d\n", __LINE__);     \
            return 1;                          \
        }                                      \
    } while (0)

static struct {
    uint8_t *at;
    size_t len;
} blocks[BLOCKS];

static uint32_t state = 1;

static uint32_t draw(uint32_t below) {
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

static int holds(const uint8_t *at, size_t len, uint8_t pattern) {
    for (size_t i = 0; i < len; i++) {
        if (at[i] != pattern) return 0;
    }
    return 1;
}

// One step on one block: 1 when everything is as it should be.
static int step(uint32_t i) {
    const uint8_t pattern = (uint8_t)(i + 1);
    const size_t len = draw(LARGEST);
    if (blocks[i].at == NULL) {
        blocks[i].at = heap_calloc(1, len);
        if (blocks[i].at == NULL) return 1;
        if (!holds(blocks[i].at, len, 0)) return 0;
    } else if (!holds(blocks[i].at, blocks[i].len, pattern)) {
        return 0;
    } else if (draw(3) == 0) {
        heap_free(blocks[i].at);
        blocks[i].at = NULL;
        return 1;
    } else if (len < blocks[i].len && draw(2) == 0) {
        heap_shrink(blocks[i].at, len);
    } else {
        uint8_t *moved = heap_realloc(blocks[i].at, len);
        if (moved == NULL) return 1;
        const size_t kept = len < blocks[i].len ? len : blocks[i].len;
        if (!holds(moved, kept, pattern)) return 0;
        blocks[i].at = moved;
    }
    blocks[i].len = len;
    memset(blocks[i].at, pattern, len);
    return heap_used() <= heap_most() && heap_most() <= INTERPRETER_HEAP;
}

int main(void) {
    const size_t whole = INTERPRETER_HEAP - sizeof(size_t);
    heap_reset();
    CHECK(heap_used() == 0 && heap_most() == 0);
    void *all = heap_calloc(1, whole);
    CHECK(all != NULL && heap_used() == INTERPRETER_HEAP);
    CHECK(heap_calloc(1, 0) == NULL);
    heap_free(all);
    CHECK(heap_used() == 0 && heap_most() == INTERPRETER_HEAP);
    CHECK(heap_calloc(1, whole + 1) == NULL);
    CHECK(heap_calloc(SIZE_MAX / 2, 3) == NULL);
    CHECK(heap_calloc(1, SIZE_MAX) == NULL);
    heap_free(NULL);

    for (uint32_t round = 0; round < ROUNDS; round++) CHECK(step(draw(BLOCKS)));
    for (uint32_t i = 0; i < BLOCKS; i++) heap_free(blocks[i].at);
    CHECK(heap_used() == 0);
    all = heap_calloc(1, whole);
    CHECK(all != NULL && holds(all, whole, 0));

    heap_reset();
    uint8_t *grows = heap_calloc(1, 8);
    CHECK(heap_realloc(grows, 1000) == grows);
    CHECK(heap_realloc(grows, whole) == grows);
    CHECK(heap_realloc(grows, whole + 1) == NULL && heap_used() == INTERPRETER_HEAP);
    memset(grows, 1, whole);
    heap_reset();
    CHECK(holds(heap_calloc(1, whole), whole, 0));
    puts("good");
    return 0;
}
