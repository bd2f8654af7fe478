// SPDX-License-Identifier: BSD-3-Clause

#include "interpreter.h"

#include <stddef.h>
#include <string.h>

#include "imports.h"
#include "interpreterHeap.h"
#include "wasm3.h"

#include "names.h"

// What the value stack is filled with, to see later how much of it was used.
static const uint8_t UNUSED = 0xa5;
static const char OUT_OF_MEMORY[] = "no memory for the interpreter";

static struct {
    IM3Environment environment;
    IM3Runtime runtime;
    IM3Module module;
    const char *trap;
    int32_t trapFunction;
} interpreter;

// The argument `index` of an import, counted from 0; wasm3 leaves the result's slot, if any, first.
static uint32_t argument(const uint64_t *slots, uint32_t index) { return (uint32_t)slots[index]; }

static void giveResult(uint64_t *slots, int32_t result) { slots[0] = (uint32_t)result; }

// The part [ptr, ptr + len) of linear memory, or NULL when it is not all there.
static uint8_t *part(IM3Runtime runtime, uint32_t ptr, uint32_t len) {
    uint32_t total = 0;
    uint8_t *memory = m3_GetMemory(runtime, &total, 0);
    return memory != NULL && ptr <= total && len <= total - ptr ? memory + ptr : NULL;
}

static const void *callNowMs(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
    (void)runtime, (void)context, (void)memory;
    slots[0] = (uint64_t)import_now_ms();
    return m3Err_none;
}

static const void *callEntropy(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
    (void)context, (void)memory;
    const uint32_t len = argument(slots, 2);
    uint8_t *out = part(runtime, argument(slots, 1), len);
    if (out == NULL) return m3Err_trapOutOfBoundsMemoryAccess;
    giveResult(slots, import_entropy(out, len));
    return m3Err_none;
}

static const void *callStoreRead(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
    (void)context, (void)memory;
    const uint32_t cap = argument(slots, 3);
    uint8_t *out = part(runtime, argument(slots, 2), cap);
    if (out == NULL) return m3Err_trapOutOfBoundsMemoryAccess;
    giveResult(slots, import_store_read(argument(slots, 1), out, cap));
    return m3Err_none;
}

static const void *callStoreWrite(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
    (void)context, (void)memory;
    const uint32_t len = argument(slots, 3);
    const uint8_t *x = part(runtime, argument(slots, 2), len);
    if (x == NULL) return m3Err_trapOutOfBoundsMemoryAccess;
    giveResult(slots, import_store_write(argument(slots, 1), x, len));
    return m3Err_none;
}

static const void *callLog(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
    (void)context, (void)memory;
    const uint32_t len = argument(slots, 2);
    const uint8_t *text = part(runtime, argument(slots, 1), len);
    if (text == NULL) return m3Err_trapOutOfBoundsMemoryAccess;
    import_log(argument(slots, 0), (const char *)text, len);
    return m3Err_none;
}

static const void *callAccelerators(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
    (void)runtime, (void)context, (void)memory;
    giveResult(slots, import_accelerators());
    return m3Err_none;
}

static const void *callModExp(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
    (void)context, (void)memory;
    const uint32_t eLen = argument(slots, 4);
    const uint32_t nLen = argument(slots, 6);
    uint8_t *out = part(runtime, argument(slots, 1), nLen);
    const uint8_t *x = part(runtime, argument(slots, 2), nLen);
    const uint8_t *e = part(runtime, argument(slots, 3), eLen);
    const uint8_t *n = part(runtime, argument(slots, 5), nLen);
    if (out == NULL || x == NULL || e == NULL || n == NULL) return m3Err_trapOutOfBoundsMemoryAccess;
    giveResult(slots, import_accel_mod_exp(out, x, e, eLen, n, nLen));
    return m3Err_none;
}

static const void *callAes256(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
    (void)context, (void)memory;
    const uint32_t count = argument(slots, 2);
    if (count > UINT32_MAX / 16) return m3Err_trapOutOfBoundsMemoryAccess;
    uint8_t *out = part(runtime, argument(slots, 0), count * 16);
    const uint8_t *x = part(runtime, argument(slots, 1), count * 16);
    const uint8_t *key = part(runtime, argument(slots, 3), 32);
    if (out == NULL || x == NULL || key == NULL) return m3Err_trapOutOfBoundsMemoryAccess;
    import_accel_aes256(out, x, count, key);
    return m3Err_none;
}

static const void *callSha256(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
    (void)context, (void)memory;
    const uint32_t count = argument(slots, 2);
    if (count > UINT32_MAX / 64) return m3Err_trapOutOfBoundsMemoryAccess;
    uint8_t *state = part(runtime, argument(slots, 0), 32);
    const uint8_t *blocks = part(runtime, argument(slots, 1), count * 64);
    if (state == NULL || blocks == NULL) return m3Err_trapOutOfBoundsMemoryAccess;
    import_accel_sha256(state, blocks, count);
    return m3Err_none;
}

// The functions of module `hal`. Signatures are wasm3's: result, then arguments, i for i32 and I for i64.
static const struct {
    const char *name;
    const char *signature;
    M3RawCall call;
} IMPORTS[] = {
    {"now_ms", "I()", callNowMs},
    {"entropy", "i(ii)", callEntropy},
    {"store_read", "i(iii)", callStoreRead},
    {"store_write", "i(iii)", callStoreWrite},
    {"log", "v(iii)", callLog},
    {"accelerators", "i()", callAccelerators},
    {"accel_mod_exp", "i(iiiiii)", callModExp},
    {"accel_aes256", "v(iiii)", callAes256},
    {"accel_sha256", "v(iii)", callSha256},
};

static int fail(const char *trap) {
    interpreter_close();
    interpreter.trap = trap;
    return INTERPRETER_FAILED;
}

static M3Result linkImports(void) {
    for (size_t i = 0; i < sizeof IMPORTS / sizeof IMPORTS[0]; i++) {
        M3Result refused =
            m3_LinkRawFunction(interpreter.module, "hal", IMPORTS[i].name, IMPORTS[i].signature, IMPORTS[i].call);
        if (refused != m3Err_none && refused != m3Err_functionLookupFailed) return refused;
    }
    for (uint32_t i = 0; i < interpreter.module->numFuncImports; i++) {
        if (interpreter.module->functions[i].compiled == NULL) return m3Err_functionImportMissing;
    }
    return m3Err_none;
}

int interpreter_open(const uint8_t *module, uint32_t len) {
    heap_reset();
    interpreter.trap = m3Err_none;
    interpreter.trapFunction = INTERPRETER_NO_FUNCTION;
    interpreter.environment = m3_NewEnvironment();
    if (interpreter.environment == NULL) return fail(OUT_OF_MEMORY);
    interpreter.runtime = m3_NewRuntime(interpreter.environment, INTERPRETER_STACK, NULL);
    if (interpreter.runtime == NULL) return fail(OUT_OF_MEMORY);
    memset(interpreter.runtime->stack, UNUSED, INTERPRETER_STACK);
    interpreter.runtime->memoryLimit = INTERPRETER_MEMORY_LIMIT;
    interpreter.runtime->codeLimit = INTERPRETER_CODE_LIMIT;
    M3Result refused = m3_ParseModule(interpreter.environment, &interpreter.module, module, len);
    if (refused != m3Err_none) return fail(refused);
    // wasm3 never allocates an imported memory, yet uses it.
    if (interpreter.module->memoryImported) return fail(m3Err_wasmMalformed);
    refused = m3_LoadModule(interpreter.runtime, interpreter.module);
    if (refused == m3Err_none) refused = linkImports();
    return refused == m3Err_none ? 0 : fail(refused);
}

int interpreter_find(const char *name) {
    if (interpreter.module == NULL) return INTERPRETER_FAILED;
    const IM3Function function = Module_FindExport(interpreter.module, name);
    return function == NULL ? INTERPRETER_FAILED : (int)(function - interpreter.module->functions);
}

static int64_t resultOf(IM3Function function) {
    if (m3_GetRetCount(function) == 0) return 0;
    const uint64_t *slots = interpreter.runtime->stack;
    return m3_GetRetType(function, 0) == c_m3Type_i64 ? (int64_t)slots[0] : (int32_t)(uint32_t)slots[0];
}

int interpreter_call(int handle, const uint64_t *args, uint32_t count, int64_t *result) {
    interpreter.trapFunction = INTERPRETER_NO_FUNCTION;
    interpreter.trap = m3Err_functionLookupFailed;
    if (interpreter.module == NULL || handle < 0 || (uint32_t)handle >= interpreter.module->numFunctions) {
        return INTERPRETER_FAILED;
    }
    IM3Function function = &interpreter.module->functions[handle];
    interpreter.trap = m3Err_argumentCountMismatch;
    if (count > INTERPRETER_ARGS_MAX || count != m3_GetArgCount(function)) return INTERPRETER_FAILED;
    const void *pointers[INTERPRETER_ARGS_MAX];
    for (uint32_t i = 0; i < count; i++) pointers[i] = &args[i];
    interpreter.trap = m3_Call(function, count, pointers);
    if (interpreter.trap != m3Err_none) {
        const IM3Function trapped = interpreter.runtime->trapped;
        if (trapped != NULL) interpreter.trapFunction = (int32_t)(trapped - interpreter.module->functions);
        return INTERPRETER_TRAP;
    }
    *result = resultOf(function);
    return 0;
}

const char *interpreter_trap(void) { return interpreter.trap == NULL ? "" : interpreter.trap; }

int32_t interpreter_trap_function(void) { return interpreter.trapFunction; }

uint8_t *interpreter_memory(uint32_t *len) {
    *len = 0;
    return interpreter.runtime == NULL ? NULL : m3_GetMemory(interpreter.runtime, len, 0);
}

void interpreter_drop_code(void) {
    if (interpreter.module != NULL) DropCode(interpreter.module, false);
}

static uint32_t stackMost(void) {
    const uint8_t *stack = interpreter.runtime->stack;
    uint32_t most = INTERPRETER_STACK;
    while (most > 0 && stack[most - 1] == UNUSED) most--;
    return most;
}

void interpreter_usage(InterpreterUsage *usage) {
    memset(usage, 0, sizeof *usage);
    usage->heapUsed = (uint32_t)heap_used();
    usage->heapMost = (uint32_t)heap_most();
    if (interpreter.module == NULL) return;
    usage->linear = (uint32_t)(sizeof(M3MemoryHeader) + interpreter.runtime->memory.mallocated->length);
    usage->code = interpreter.runtime->codeBytes;
    usage->codeMost = interpreter.runtime->codeMost;
    usage->functions = (uint32_t)(interpreter.module->allFunctions * sizeof(M3Function));
    usage->stack = INTERPRETER_STACK;
    usage->stackMost = stackMost();
    usage->module = (uint32_t)(interpreter.module->wasmEnd - interpreter.module->wasmStart);
    usage->compiled = interpreter.runtime->compiled;
    usage->evicted = interpreter.runtime->evicted;
}

void interpreter_close(void) {
    heap_reset();
    memset(&interpreter, 0, sizeof interpreter);
    interpreter.trapFunction = INTERPRETER_NO_FUNCTION;
}
