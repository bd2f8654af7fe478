// SPDX-License-Identifier: BSD-3-Clause
// The allocator of wasm3: it counts what an instance holds. wasm3 is compiled with calloc, realloc and free renamed to
// these.

#ifndef ATMICRO_HEAP_H
#define ATMICRO_HEAP_H

#include <stddef.h>

// Payload bytes of one instance: allocated now, and the most there ever were.
typedef struct Heap {
    size_t used;
    size_t highWater;
} Heap;

// Charges the calling thread's allocations to `heap` from now on, and returns the heap charged until now.
Heap *heap_enter(Heap *heap);

void *heap_calloc(size_t count, size_t size);
void *heap_realloc(void *block, size_t size);
void heap_free(void *block);

// Counts the block as `size` bytes from now on, as a board's heap would make it; it stays as it is.
void heap_shrink(void *block, size_t size);

#endif
