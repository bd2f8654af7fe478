// SPDX-License-Identifier: BSD-3-Clause
// N-API over instance.c. wasm3.ts is the only caller; it holds the host functions, so that no reference from here
// keeps a forgotten instance alive.

#include <node_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance.h"

enum { NAME_CAP = 96 };

// What a JavaScript handle points at; `instance` is NULL after close.
typedef struct Handle {
    Instance *instance;
} Handle;

// The JavaScript side of a running call.
typedef struct Caller {
    napi_env env;
    napi_value host;
} Caller;

static napi_value refuse(napi_env env, const char *code, const char *text) {
    napi_throw_error(env, code, text);
    return NULL;
}

static void finalize(napi_env env, void *data, void *hint) {
    (void)env;
    (void)hint;
    Handle *handle = data;
    if (handle->instance != NULL) instance_close(handle->instance);
    free(handle);
}

// Reads the arguments and the open instance in the first; NULL with an exception pending otherwise.
static Handle *openHandle(napi_env env, napi_callback_info info, napi_value *args, size_t wanted) {
    size_t count = wanted;
    void *data = NULL;
    if (napi_get_cb_info(env, info, &count, args, NULL, NULL) != napi_ok || count != wanted ||
        napi_get_value_external(env, args[0], &data) != napi_ok) {
        refuse(env, NULL, "wrong arguments");
        return NULL;
    }
    Handle *handle = data;
    if (handle->instance == NULL) {
        refuse(env, NULL, "the instance is closed");
        return NULL;
    }
    return handle;
}

static bool bytesOf(napi_env env, napi_value value, uint8_t **bytes, size_t *len) {
    napi_typedarray_type type;
    void *data = NULL;
    if (napi_get_typedarray_info(env, value, &type, len, &data, NULL, NULL) != napi_ok) return false;
    *bytes = data;
    return type == napi_uint8_array;
}

// A malloc'ed copy of string property `name` of `object`, or NULL.
static char *textProperty(napi_env env, napi_value object, const char *name) {
    napi_value value;
    size_t len = 0;
    if (napi_get_named_property(env, object, name, &value) != napi_ok) return NULL;
    if (napi_get_value_string_utf8(env, value, NULL, 0, &len) != napi_ok) return NULL;
    char *text = malloc(len + 1);
    if (text != NULL && napi_get_value_string_utf8(env, value, text, len + 1, &len) != napi_ok) text[0] = 0;
    return text;
}

static void freeImports(Import *imports, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        free((void *)imports[i].module);
        free((void *)imports[i].name);
        free((void *)imports[i].signature);
    }
}

// Fills `imports` from an array of {module, name, signature}; false when one is not of that shape.
static bool readImports(napi_env env, napi_value list, Import *imports, uint32_t *count) {
    *count = 0;
    uint32_t len = 0;
    if (napi_get_array_length(env, list, &len) != napi_ok || len > INSTANCE_IMPORTS_MAX) return false;
    for (uint32_t i = 0; i < len; i++) {
        napi_value item;
        if (napi_get_element(env, list, i, &item) != napi_ok) return false;
        imports[i] = (Import){textProperty(env, item, "module"), textProperty(env, item, "name"),
                              textProperty(env, item, "signature")};
        *count = i + 1;
        if (imports[i].module == NULL || imports[i].name == NULL || imports[i].signature == NULL) return false;
    }
    return true;
}

// open(bytes, stackBytes, memoryLimit, codeLimit, imports): handle
static napi_value addonOpen(napi_env env, napi_callback_info info) {
    size_t count = 5;
    napi_value args[5];
    uint8_t *bytes = NULL;
    size_t len = 0;
    Limits limits = {0, 0, 0};
    if (napi_get_cb_info(env, info, &count, args, NULL, NULL) != napi_ok || count != 5 ||
        !bytesOf(env, args[0], &bytes, &len) || napi_get_value_uint32(env, args[1], &limits.stack) != napi_ok ||
        napi_get_value_uint32(env, args[2], &limits.memory) != napi_ok ||
        napi_get_value_uint32(env, args[3], &limits.code) != napi_ok) {
        return refuse(env, NULL, "wrong arguments");
    }
    Import imports[INSTANCE_IMPORTS_MAX];
    uint32_t importCount = 0;
    char error[INSTANCE_ERROR_CAP] = "the imports are not a list of module, name and signature";
    Handle *handle = calloc(1, sizeof *handle);
    if (handle != NULL && readImports(env, args[4], imports, &importCount)) {
        handle->instance = instance_open(bytes, len, &limits, imports, importCount, error);
    }
    freeImports(imports, importCount);
    napi_value external;
    if (handle == NULL || handle->instance == NULL) {
        free(handle);
        return refuse(env, NULL, error);
    }
    if (napi_create_external(env, handle, finalize, NULL, &external) == napi_ok) return external;
    finalize(env, handle, NULL);
    return refuse(env, NULL, "no memory for a handle");
}

static napi_value toValue(napi_env env, ValueType type, uint64_t raw) {
    napi_value value = NULL;
    if (type == VALUE_I32) napi_create_int32(env, (int32_t)(uint32_t)raw, &value);
    if (type == VALUE_I64) napi_create_bigint_int64(env, (int64_t)raw, &value);
    if (type == VALUE_NONE) napi_get_undefined(env, &value);
    return value;
}

// An i32 is a number that is a whole one between -2^31 and 2^32 - 1, an i64 a bigint between -2^63 and 2^64 - 1.
static bool fromValue(napi_env env, napi_value value, ValueType type, uint64_t *raw) {
    if (type == VALUE_I64) {
        bool lossless = false;
        if (napi_get_value_bigint_uint64(env, value, raw, &lossless) == napi_ok && lossless) return true;
        int64_t number = 0;
        if (napi_get_value_bigint_int64(env, value, &number, &lossless) != napi_ok) return false;
        *raw = (uint64_t)number;
        return lossless;
    }
    double number = 0;
    if (napi_get_value_double(env, value, &number) != napi_ok) return false;
    if (!(number >= -2147483648.0 && number <= 4294967295.0)) return false;
    int64_t whole = (int64_t)number;
    *raw = (uint32_t)whole;
    return (double)whole == number;
}

static const char *enterJavaScript(void *context, uint32_t index, const Signature *signature, const uint64_t *args,
                                   uint64_t *result) {
    static const char threw[] = "the host function threw";
    const Caller *caller = context;
    napi_env env = caller->env;
    napi_handle_scope scope;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return threw;
    napi_value values[INSTANCE_ARGS_MAX + 1];
    napi_value self;
    napi_value returned;
    bool done = napi_create_uint32(env, index, &values[0]) == napi_ok && napi_get_undefined(env, &self) == napi_ok;
    for (uint32_t i = 0; i < signature->count; i++) {
        values[i + 1] = toValue(env, signature->args[i], args[i]);
        done = done && values[i + 1] != NULL;
    }
    done = done && napi_call_function(env, self, caller->host, signature->count + 1, values, &returned) == napi_ok;
    if (done && signature->result != VALUE_NONE && !fromValue(env, returned, signature->result, result)) {
        napi_throw_type_error(env, NULL,
                              signature->result == VALUE_I64 ? "a host function must return a 64-bit bigint"
                                                             : "a host function must return a 32-bit whole number");
        done = false;
    }
    napi_close_handle_scope(env, scope);
    return done ? NULL : threw;
}

// Converts the arguments of a call; false with an exception pending.
static bool readCall(napi_env env, const char *name, napi_value list, const Signature *signature, uint64_t *raw) {
    char text[INSTANCE_ERROR_CAP];
    uint32_t len = 0;
    if (napi_get_array_length(env, list, &len) != napi_ok || len != signature->count) {
        snprintf(text, sizeof text, "%s takes %u arguments, not %u", name, signature->count, len);
        napi_throw_type_error(env, NULL, text);
        return false;
    }
    for (uint32_t i = 0; i < len; i++) {
        napi_value value;
        if (napi_get_element(env, list, i, &value) == napi_ok && fromValue(env, value, signature->args[i], &raw[i])) {
            continue;
        }
        snprintf(text, sizeof text, "argument %u of %s must be a %s", i + 1, name,
                 signature->args[i] == VALUE_I64 ? "64-bit bigint" : "32-bit whole number");
        napi_throw_type_error(env, NULL, text);
        return false;
    }
    return true;
}

// call(handle, name, args, host): undefined, number or bigint
static napi_value addonCall(napi_env env, napi_callback_info info) {
    napi_value args[4];
    Handle *handle = openHandle(env, info, args, 4);
    if (handle == NULL) return NULL;
    char name[NAME_CAP];
    size_t len = 0;
    if (napi_get_value_string_utf8(env, args[1], name, sizeof name, &len) != napi_ok) {
        return refuse(env, NULL, "a function's name must be a string");
    }
    if (instance_busy(handle->instance)) return refuse(env, NULL, "a call from inside a host function is refused");
    Signature signature;
    const char *error = instance_signature(handle->instance, name, &signature);
    if (error != NULL) return refuse(env, NULL, error);
    uint64_t raw[INSTANCE_ARGS_MAX];
    if (!readCall(env, name, args[2], &signature, raw)) return NULL;
    Caller caller = {env, args[3]};
    uint64_t result = 0;
    bool trapped = false;
    error = instance_call(handle->instance, name, raw, enterJavaScript, &caller, &result, &trapped);
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (pending) return NULL;
    if (error != NULL) return refuse(env, trapped ? "WASM3_TRAP" : NULL, error);
    return toValue(env, signature.result, result);
}

// The part of linear memory [ptr, ptr + len), or NULL with a RangeError pending.
static uint8_t *part(napi_env env, Instance *instance, uint32_t ptr, size_t len) {
    uint32_t total = 0;
    uint8_t *memory = instance_memory(instance, &total);
    if (memory != NULL && ptr <= total && len <= total - ptr) return memory + ptr;
    char text[INSTANCE_ERROR_CAP];
    snprintf(text, sizeof text, "%zu bytes at %u are outside linear memory of %u bytes", len, ptr, total);
    napi_throw_range_error(env, NULL, text);
    return NULL;
}

static bool offsetOf(napi_env env, napi_value value, uint32_t *offset) {
    uint64_t raw = 0;
    double number = -1;
    if (napi_get_value_double(env, value, &number) == napi_ok && number >= 0 && fromValue(env, value, VALUE_I32, &raw)) {
        *offset = (uint32_t)raw;
        return true;
    }
    napi_throw_range_error(env, NULL, "an offset or length must be a whole number from 0 to 4294967295");
    return false;
}

// read(handle, ptr, len): Uint8Array, a copy
static napi_value addonRead(napi_env env, napi_callback_info info) {
    napi_value args[3];
    uint32_t ptr = 0;
    uint32_t len = 0;
    Handle *handle = openHandle(env, info, args, 3);
    if (handle == NULL || !offsetOf(env, args[1], &ptr) || !offsetOf(env, args[2], &len)) return NULL;
    const uint8_t *from = part(env, handle->instance, ptr, len);
    if (from == NULL) return NULL;
    void *to = NULL;
    napi_value buffer;
    napi_value array;
    if (napi_create_arraybuffer(env, len, &to, &buffer) != napi_ok ||
        napi_create_typedarray(env, napi_uint8_array, len, buffer, 0, &array) != napi_ok) {
        return refuse(env, NULL, "no memory for a copy");
    }
    if (len != 0) memcpy(to, from, len);
    return array;
}

// write(handle, ptr, bytes)
static napi_value addonWrite(napi_env env, napi_callback_info info) {
    napi_value args[3];
    uint32_t ptr = 0;
    uint8_t *from = NULL;
    size_t len = 0;
    Handle *handle = openHandle(env, info, args, 3);
    if (handle == NULL || !offsetOf(env, args[1], &ptr)) return NULL;
    if (!bytesOf(env, args[2], &from, &len)) return refuse(env, NULL, "the bytes must be a Uint8Array");
    uint8_t *to = part(env, handle->instance, ptr, len);
    if (to != NULL && len != 0) memcpy(to, from, len);
    return NULL;
}

// usage(handle): [linear, codePages, total, highWater]
static napi_value addonUsage(napi_env env, napi_callback_info info) {
    napi_value args[1];
    Handle *handle = openHandle(env, info, args, 1);
    if (handle == NULL) return NULL;
    Usage usage = instance_usage(handle->instance);
    const size_t figures[] = {usage.linear, usage.codePages, usage.total, usage.highWater};
    napi_value list;
    if (napi_create_array_with_length(env, 4, &list) != napi_ok) return NULL;
    for (uint32_t i = 0; i < 4; i++) {
        napi_value figure;
        napi_create_double(env, (double)figures[i], &figure);
        napi_set_element(env, list, i, figure);
    }
    return list;
}

// compile(handle)
static napi_value addonCompile(napi_env env, napi_callback_info info) {
    napi_value args[1];
    Handle *handle = openHandle(env, info, args, 1);
    if (handle == NULL) return NULL;
    if (instance_busy(handle->instance)) return refuse(env, NULL, "compiling from inside a host function is refused");
    const char *error = instance_compile(handle->instance);
    return error == NULL ? NULL : refuse(env, NULL, error);
}

// close(handle); closing twice is an error, as every use after close
static napi_value addonClose(napi_env env, napi_callback_info info) {
    napi_value args[1];
    Handle *handle = openHandle(env, info, args, 1);
    if (handle == NULL) return NULL;
    if (instance_busy(handle->instance)) return refuse(env, NULL, "closing from inside a host function is refused");
    instance_close(handle->instance);
    handle->instance = NULL;
    return NULL;
}

NAPI_MODULE_INIT() {
    const struct {
        const char *name;
        napi_callback run;
    } functions[] = {
        {"open", addonOpen},   {"call", addonCall},       {"read", addonRead},   {"write", addonWrite},
        {"usage", addonUsage}, {"compile", addonCompile}, {"close", addonClose},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        napi_value value;
        if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].run, NULL, &value) != napi_ok ||
            napi_set_named_property(env, exports, functions[i].name, value) != napi_ok) {
            return NULL;
        }
    }
    return exports;
}
