// SPDX-License-Identifier: BSD-3-Clause

#include "instance.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "wasm3.h"

#include "names.h"

// What a raw wasm3 import carries: which import of which instance.
typedef struct Link {
    Instance *instance;
    uint32_t index;
} Link;

struct Instance {
    Heap heap;
    IM3Environment environment;
    IM3Runtime runtime;
    IM3Module module;
    uint8_t *bytes;
    Link links[INSTANCE_IMPORTS_MAX];
    bool busy;
    HostCall host;
    void *context;
    char error[INSTANCE_ERROR_CAP];
};

static const char *fail(Instance *instance, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(instance->error, sizeof instance->error, format, args);
    va_end(args);
    return instance->error;
}

static ValueType valueType(M3ValueType type) {
    switch (type) {
        case c_m3Type_i32: return VALUE_I32;
        case c_m3Type_i64: return VALUE_I64;
        default: return VALUE_NONE;
    }
}

// False when the function has more arguments or results, or other types, than this binding passes.
static bool describe(IM3Function function, Signature *signature) {
    signature->count = m3_GetArgCount(function);
    signature->result = VALUE_NONE;
    if (signature->count > INSTANCE_ARGS_MAX || m3_GetRetCount(function) > 1) return false;
    for (uint32_t i = 0; i < signature->count; i++) {
        signature->args[i] = valueType(m3_GetArgType(function, i));
        if (signature->args[i] == VALUE_NONE) return false;
    }
    if (m3_GetRetCount(function) == 0) return true;
    signature->result = valueType(m3_GetRetType(function, 0));
    return signature->result != VALUE_NONE;
}

// wasm3 leaves the result's slot first, then the arguments, each 8 bytes of which an i32 fills the low half.
static const void *enterHost(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
    (void)runtime;
    (void)memory;
    const Link *link = context->userdata;
    Instance *instance = link->instance;
    Signature signature;
    if (!describe(context->function, &signature)) return "an import has a type this binding does not pass";
    const uint64_t *from = slots + (signature.result == VALUE_NONE ? 0 : 1);
    uint64_t args[INSTANCE_ARGS_MAX];
    for (uint32_t i = 0; i < signature.count; i++) {
        uint32_t narrow = 0;
        memcpy(&narrow, &from[i], sizeof narrow);
        args[i] = narrow;
        if (signature.args[i] == VALUE_I64) args[i] = from[i];
    }
    uint64_t result = 0;
    const char *trap = instance->host(instance->context, link->index, &signature, args, &result);
    if (trap != NULL) return trap;
    uint32_t narrow = (uint32_t)result;
    if (signature.result == VALUE_I32) memcpy(slots, &narrow, sizeof narrow);
    if (signature.result == VALUE_I64) slots[0] = result;
    return m3Err_none;
}

static const char *linkImports(Instance *instance, const Import *imports, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const Import *import = &imports[i];
        instance->links[i] = (Link){instance, i};
        M3Result refused = m3_LinkRawFunctionEx(instance->module, import->module, import->name, import->signature,
                                                enterHost, &instance->links[i]);
        if (refused != m3Err_none && refused != m3Err_functionLookupFailed) {
            return fail(instance, "import %s.%s offered as %s: %s", import->module, import->name, import->signature,
                        refused);
        }
    }
    for (uint32_t i = 0; i < instance->module->numFuncImports; i++) {
        if (instance->module->functions[i].compiled != NULL) continue;
        Name module = {"", 0};
        Name field = {"", 0};
        Module_GetImport(instance->module, i, &module, &field);
        return fail(instance, "the module imports %.*s.%.*s, which was not offered", (int)module.length, module.text,
                    (int)field.length, field.text);
    }
    return NULL;
}

static const char *load(Instance *instance, size_t len, const Limits *limits) {
    instance->environment = m3_NewEnvironment();
    if (instance->environment == NULL) return fail(instance, "no memory for the interpreter");
    instance->runtime = m3_NewRuntime(instance->environment, limits->stack, NULL);
    if (instance->runtime == NULL) return fail(instance, "no memory for the interpreter");
    instance->runtime->memoryLimit = limits->memory;
    instance->runtime->codeLimit = limits->code;

    IM3Module module = NULL;
    M3Result refused = m3_ParseModule(instance->environment, &module, instance->bytes, (uint32_t)len);
    if (refused != m3Err_none) return fail(instance, "the module cannot be read: %s", refused);
    // wasm3 0.5 never allocates an imported memory, yet uses it.
    if (module->memoryImported) refused = "it imports its memory";
    if (refused == m3Err_none) refused = m3_LoadModule(instance->runtime, module);
    if (refused != m3Err_none) {
        m3_FreeModule(module);
        return fail(instance, "the module cannot be loaded: %s", refused);
    }
    instance->module = module;
    return NULL;
}

static const char *openWith(Instance *instance, const uint8_t *bytes, size_t len, const Limits *limits,
                            const Import *imports, uint32_t importCount) {
    if (len > INSTANCE_MODULE_MAX) return fail(instance, "the module is longer than %d bytes", INSTANCE_MODULE_MAX);
    if (limits->stack < INSTANCE_STACK_MIN || limits->stack > INSTANCE_STACK_MAX) {
        return fail(instance, "the stack must be %d to %d bytes", INSTANCE_STACK_MIN, INSTANCE_STACK_MAX);
    }
    if (limits->memory % 8 != 0) return fail(instance, "the memory limit must be a multiple of 8 bytes");
    if (importCount > INSTANCE_IMPORTS_MAX) return fail(instance, "more than %d imports", INSTANCE_IMPORTS_MAX);
    instance->bytes = malloc(len == 0 ? 1 : len);
    if (instance->bytes == NULL) return fail(instance, "no memory for the module");
    memcpy(instance->bytes, bytes, len);
    const char *error = load(instance, len, limits);
    return error != NULL ? error : linkImports(instance, imports, importCount);
}

Instance *instance_open(const uint8_t *bytes, size_t len, const Limits *limits, const Import *imports,
                        uint32_t importCount, char *error) {
    Instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL) {
        snprintf(error, INSTANCE_ERROR_CAP, "no memory for the instance");
        return NULL;
    }
    Heap *before = heap_enter(&instance->heap);
    const char *failed = openWith(instance, bytes, len, limits, imports, importCount);
    heap_enter(before);
    if (failed == NULL) return instance;
    snprintf(error, INSTANCE_ERROR_CAP, "%s", failed);
    instance_close(instance);
    return NULL;
}

void instance_close(Instance *instance) {
    if (instance->runtime != NULL) m3_FreeRuntime(instance->runtime);
    if (instance->environment != NULL) m3_FreeEnvironment(instance->environment);
    free(instance->bytes);
    free(instance);
}

bool instance_busy(const Instance *instance) { return instance->busy; }

static const char *find(Instance *instance, const char *name, IM3Function *function) {
    Heap *before = heap_enter(&instance->heap);
    M3Result refused = m3_FindFunction(function, instance->runtime, name);
    heap_enter(before);
    if (refused == m3Err_functionLookupFailed) {
        return fail(instance, "the module exports no function %s", name);
    }
    if (refused != m3Err_none) return fail(instance, "%s cannot be compiled: %s", name, refused);
    return NULL;
}

const char *instance_signature(Instance *instance, const char *name, Signature *signature) {
    IM3Function function = NULL;
    const char *error = find(instance, name, &function);
    if (error != NULL) return error;
    if (!describe(function, signature)) return fail(instance, "%s has a type this binding does not pass", name);
    return NULL;
}

const char *instance_call(Instance *instance, const char *name, const uint64_t *args, HostCall host, void *context,
                          uint64_t *result, bool *trapped) {
    *trapped = false;
    *result = 0;
    if (instance->busy) return fail(instance, "%s called from inside a host function", name);
    IM3Function function = NULL;
    Signature signature;
    const char *error = find(instance, name, &function);
    if (error != NULL) return error;
    if (!describe(function, &signature)) return fail(instance, "%s has a type this binding does not pass", name);
    const void *pointers[INSTANCE_ARGS_MAX];
    for (uint32_t i = 0; i < signature.count; i++) pointers[i] = &args[i];

    instance->busy = true;
    instance->host = host;
    instance->context = context;
    Heap *before = heap_enter(&instance->heap);
    M3Result trap = m3_Call(function, signature.count, pointers);
    heap_enter(before);
    instance->busy = false;
    if (trap != m3Err_none) {
        *trapped = true;
        return fail(instance, "%s: %s", name, trap);
    }
    uint32_t narrow = 0;
    const void *to[1] = {signature.result == VALUE_I64 ? (void *)result : (void *)&narrow};
    if (signature.result != VALUE_NONE) m3_GetResults(function, 1, to);
    if (signature.result == VALUE_I32) *result = narrow;
    return NULL;
}

const char *instance_compile(Instance *instance) {
    Heap *before = heap_enter(&instance->heap);
    M3Result refused = m3_CompileModule(instance->module);
    heap_enter(before);
    if (refused == m3Err_none) return NULL;
    uint32_t at = 0;
    while (at + 1 < instance->module->numFunctions && instance->module->functions[at].compiled != NULL) at++;
    return fail(instance, "function %u cannot be compiled: %s", at, refused);
}

uint8_t *instance_memory(Instance *instance, uint32_t *len) { return m3_GetMemory(instance->runtime, len, 0); }

Usage instance_usage(const Instance *instance) {
    const M3Runtime *runtime = instance->runtime;
    return (Usage){
        .linear = sizeof(M3MemoryHeader) + runtime->memory.mallocated->length,
        .codePages = runtime->codeBytes,
        .total = instance->heap.used,
        .highWater = instance->heap.highWater,
    };
}
