// SPDX-License-Identifier: BSD-3-Clause

#include "interpreterHeap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { WORD = sizeof(size_t), WORDS = INTERPRETER_HEAP / WORD };

static const size_t IN_USE = 1;

// Every block is a header, its size in bytes with the header and IN_USE, and what follows; one after the other.
static size_t heap[WORDS];
static size_t used;
static size_t most;

static size_t *following(size_t *header) { return header + (*header & ~IN_USE) / WORD; }

static bool isEnd(const size_t *header) { return header == heap + WORDS; }

// Joins a free block with the free ones behind it.
static void join(size_t *header) {
    size_t *next = following(header);
    while (!isEnd(next) && (*next & IN_USE) == 0) {
        *header += *next;
        next = following(header);
    }
}

// Makes a block of `size` bytes of one that is as long or longer, in use or not; the rest becomes free.
static void split(size_t *header, size_t size) {
    const size_t whole = *header & ~IN_USE;
    *header = size | IN_USE;
    if (whole == size) return;
    size_t *rest = following(header);
    *rest = whole - size;
    join(rest);
}

static void account(size_t more, size_t less) {
    used += more;
    used -= less;
    if (used > most) most = used;
}

// Bytes of a block for `size` bytes, or 0 when no block can be that large.
static size_t blockSize(size_t size) {
    if (size > sizeof heap - WORD) return 0;
    return (size + WORD + WORD - 1) / WORD * WORD;
}

void heap_reset(void) {
    memset(heap, 0, sizeof heap);
    heap[0] = sizeof heap;
    used = 0;
    most = 0;
}

void *heap_calloc(size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) return NULL;
    const size_t wanted = blockSize(count * size);
    if (wanted == 0) return NULL;
    for (size_t *header = heap; !isEnd(header); header = following(header)) {
        if ((*header & IN_USE) != 0) continue;
        join(header);
        if (*header < wanted) continue;
        split(header, wanted);
        account(wanted, 0);
        return memset(header + 1, 0, wanted - WORD);
    }
    return NULL;
}

void heap_shrink(void *block, size_t size) {
    size_t *header = (size_t *)block - 1;
    const size_t before = *header & ~IN_USE;
    const size_t wanted = blockSize(size);
    if (wanted == 0 || wanted >= before) return;
    split(header, wanted);
    account(0, before - wanted);
}

void *heap_realloc(void *block, size_t size) {
    if (block == NULL) return heap_calloc(1, size);
    size_t *header = (size_t *)block - 1;
    const size_t before = *header & ~IN_USE;
    const size_t wanted = blockSize(size);
    if (wanted == 0) return NULL;
    size_t *next = following(header);
    if (wanted > before && !isEnd(next) && (*next & IN_USE) == 0) {
        join(next);
        if (before + *next >= wanted) *header += *next;
    }
    if ((*header & ~IN_USE) >= wanted) {
        split(header, wanted);
        account(wanted, before);
        return block;
    }
    void *moved = heap_calloc(1, size);
    if (moved == NULL) return NULL;
    memcpy(moved, block, before - WORD);
    heap_free(block);
    return moved;
}

void heap_free(void *block) {
    if (block == NULL) return;
    size_t *header = (size_t *)block - 1;
    *header &= ~IN_USE;
    account(0, *header);
    join(header);
}

size_t heap_used(void) { return used; }

size_t heap_most(void) { return most; }
