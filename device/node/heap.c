// SPDX-License-Identifier: BSD-3-Clause

#include "heap.h"

#include <stdint.h>
#include <stdlib.h>

// Stands before every block; as long as the strictest alignment, so that the payload keeps it.
typedef union Header {
    struct {
        Heap *heap;
        size_t size;
    } of;
    long double align;
} Header;

static __thread Heap *charged;

Heap *heap_enter(Heap *heap) {
    Heap *before = charged;
    charged = heap;
    return before;
}

static void charge(Heap *heap, size_t more) {
    if (heap == NULL) return;
    heap->used += more;
    if (heap->used > heap->highWater) heap->highWater = heap->used;
}

void *heap_calloc(size_t count, size_t size) {
    if (size != 0 && count > (SIZE_MAX - sizeof(Header)) / size) return NULL;
    Header *header = calloc(1, sizeof(Header) + count * size);
    if (header == NULL) return NULL;
    header->of.heap = charged;
    header->of.size = count * size;
    charge(charged, count * size);
    return header + 1;
}

void *heap_realloc(void *block, size_t size) {
    if (block == NULL) return heap_calloc(1, size);
    if (size > SIZE_MAX - sizeof(Header)) return NULL;
    Header *header = (Header *)block - 1;
    Heap *heap = header->of.heap;
    size_t before = header->of.size;
    header = realloc(header, sizeof(Header) + size);
    if (header == NULL) return NULL;
    header->of.size = size;
    if (heap != NULL) heap->used -= before;
    charge(heap, size);
    return header + 1;
}

void heap_shrink(void *block, size_t size) {
    Header *header = (Header *)block - 1;
    if (size >= header->of.size) return;
    if (header->of.heap != NULL) header->of.heap->used -= header->of.size - size;
    header->of.size = size;
}

void heap_free(void *block) {
    if (block == NULL) return;
    Header *header = (Header *)block - 1;
    if (header->of.heap != NULL) header->of.heap->used -= header->of.size;
    free(header);
}
