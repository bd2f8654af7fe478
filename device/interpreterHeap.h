// SPDX-License-Identifier: BSD-3-Clause
// The interpreter's allocator: blocks in one static array of INTERPRETER_HEAP bytes, first fit, free neighbours joined.
// A block begins with its size in one word of the machine, which is also the alignment.

#ifndef ATMICRO_INTERPRETER_HEAP_H
#define ATMICRO_INTERPRETER_HEAP_H

#include <stddef.h>

// Empties and wipes the heap.
void heap_reset(void);

// Zeroed memory, or NULL.
void *heap_calloc(size_t count, size_t size);

// Keeps the place when the block shrinks or is the last before free space; NULL leaves the block as it was.
void *heap_realloc(void *block, size_t size);

// Gives back what is beyond `size`, in place.
void heap_shrink(void *block, size_t size);

// Gives a block back; NULL is ignored.
void heap_free(void *block);

// Bytes in use now, headers included.
size_t heap_used(void);
// Most bytes in use at a time since heap_reset, headers included.
size_t heap_most(void);

#endif
