// SPDX-License-Identifier: BSD-3-Clause
// One WebAssembly module in wasm3, in one static heap of INTERPRETER_HEAP bytes: linear memory, wasm3's own structures
// and the code it makes of the module. The module's bytes are executed where they lie, for example in flash. Code is a
// cache of what ran last: when the heap is full, functions that are not running lose theirs and get it again when
// called. Not reentrant: an import must not call interpreter_call. What else a module may use is limited by
// wasm3/settings.h; README.md has the errors it ends with, and what the limits come to on the native stack.
//
// Set by the build (board.json):
//   INTERPRETER_HEAP          bytes of the heap
//   INTERPRETER_MEMORY_LIMIT  bytes of linear memory, a multiple of 8
//   INTERPRETER_STACK         bytes of wasm3's value stack, a multiple of 8
//   INTERPRETER_CODE_LIMIT    most bytes of code at a time; 0: as many as the heap leaves

#ifndef ATMICRO_INTERPRETER_H
#define ATMICRO_INTERPRETER_H

#include <stdint.h>

enum {
    INTERPRETER_FAILED = -1,  // interpreter_trap() says why
    INTERPRETER_TRAP = -2,
    INTERPRETER_ARGS_MAX = 8,
    INTERPRETER_NO_FUNCTION = -1,
};

// Bytes of the heap, headers of its blocks included, except `module`.
typedef struct InterpreterUsage {
    uint32_t linear;     // linear memory
    uint32_t code;       // compiled code now
    uint32_t codeMost;   // the most there was at a time
    uint32_t functions;  // the function table
    uint32_t stack;      // the value stack
    uint32_t stackMost;  // bytes of it ever used
    uint32_t module;     // the module's bytes where they lie, outside the heap
    uint32_t heapUsed;   // everything
    uint32_t heapMost;   // the most there was at a time
    uint32_t compiled;   // how often a function was compiled
    uint32_t evicted;    // how often a function lost its code
} InterpreterUsage;

// Opens the module, which stays where it is until interpreter_close. 0 or INTERPRETER_FAILED.
int interpreter_open(const uint8_t *module, uint32_t len);

// The handle of an exported function; negative when there is none of this name.
int interpreter_find(const char *name);

// Calls a function with `count` arguments, an i32 in the low half. 0 with the result (an i32 extended by its sign, 0
// when the function has none), INTERPRETER_FAILED when the handle or the count is wrong, or INTERPRETER_TRAP. After a
// trap globals and linear memory are as it left them: close and open again.
int interpreter_call(int handle, const uint64_t *args, uint32_t count, int64_t *result);

// Why the last call or opening failed: static text, never NULL.
const char *interpreter_trap(void);

// Number of the wasm function that trapped last (imports counted), or INTERPRETER_NO_FUNCTION.
int32_t interpreter_trap_function(void);

// Linear memory and its length; the place stays the same until interpreter_close.
uint8_t *interpreter_memory(uint32_t *len);

// Forgets all compiled code; linear memory and globals stay. Only between calls.
void interpreter_drop_code(void);

// Fills usage with what the heap holds now and held at most.
void interpreter_usage(InterpreterUsage *usage);

// Wipes the heap.
void interpreter_close(void);

#endif
