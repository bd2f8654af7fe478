// SPDX-License-Identifier: BSD-3-Clause
// One module in one wasm3 runtime, without Node: what the addon wraps and the sanitizer harness tests.
// Failures come back as text, valid until the next call on the same instance.

#ifndef ATMICRO_INSTANCE_H
#define ATMICRO_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    // Longest module: places in it are kept in 16 bits.
    INSTANCE_MODULE_MAX = 65536,
    // wasm3's own stack, in bytes. The native stack is bounded by ../wasm3/settings.h.
    INSTANCE_STACK_MIN = 1024,
    INSTANCE_STACK_MAX = 65536,
    // Most arguments of an import or of an export called from outside.
    INSTANCE_ARGS_MAX = 16,
    INSTANCE_IMPORTS_MAX = 64,
    INSTANCE_ERROR_CAP = 256,
};

typedef enum ValueType { VALUE_NONE, VALUE_I32, VALUE_I64 } ValueType;

typedef struct Signature {
    uint32_t count;
    ValueType args[INSTANCE_ARGS_MAX];
    ValueType result;
} Signature;

// An import offered to the module. `signature` is wasm3's: "i(iI)" is a function of an i32 and an i64 giving an i32.
typedef struct Import {
    const char *module;
    const char *name;
    const char *signature;
} Import;

// Runs import `index` of the list given at opening. Returns NULL, or a text that ends the running call as a trap.
typedef const char *(*HostCall)(void *context, uint32_t index, const Signature *signature, const uint64_t *args,
                                uint64_t *result);

// Bytes: linear memory with its header, wasm3's compiled code, everything wasm3 allocated, and its maximum.
typedef struct Usage {
    size_t linear;
    size_t codePages;
    size_t total;
    size_t highWater;
} Usage;

typedef struct Instance Instance;

// Bytes: wasm3's own stack; linear memory, 0 for whole pages; compiled code at a time, 0 for any amount.
typedef struct Limits {
    uint32_t stack;
    uint32_t memory;
    uint32_t code;
} Limits;

// Parses, loads and links a module; `bytes` and `imports` are copied. NULL with a text in `error` (INSTANCE_ERROR_CAP
// bytes) on failure. An import the module does not name is ignored.
Instance *instance_open(const uint8_t *bytes, size_t len, const Limits *limits, const Import *imports,
                        uint32_t importCount, char *error);

// Frees everything. Must not be called from inside a host call: ask instance_busy.
void instance_close(Instance *instance);

// True while instance_call runs, that is, inside a host call.
bool instance_busy(const Instance *instance);

// The signature of an exported function, compiling it if need be. NULL done, else a text.
const char *instance_signature(Instance *instance, const char *name, Signature *signature);

// Calls an export with as many arguments as its signature has. NULL done, else a text; *trapped tells a trap from a
// refusal to start.
const char *instance_call(Instance *instance, const char *name, const uint64_t *args, HostCall host, void *context,
                          uint64_t *result, bool *trapped);

// Compiles every function of the module. NULL done, else a text with the index of the function.
const char *instance_compile(Instance *instance);

// Linear memory and its length; valid until the next instance_call.
uint8_t *instance_memory(Instance *instance, uint32_t *len);

Usage instance_usage(const Instance *instance);

#endif
