// SPDX-License-Identifier: BSD-3-Clause
// Runs instance.c under the sanitizers, without Node: harness <module.wasm>...
// Each module is opened with the imports env.host of type v(), which ends the call, and env.last of type I(IIIIIII),
// which gives its last argument; if that works, everything is compiled, "run" or, where
// there are such, "f0", "f1" and so on are called with zeros, and memory is read to its end. Prints what became of each.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instance.h"

static const char *hostCall(void *context, uint32_t index, const Signature *signature, const uint64_t *args,
                            uint64_t *result) {
    (void)signature;
    if (index == 1) {
        *result = args[6];
        return NULL;
    }
    Instance *instance = context;
    uint64_t nested = 0;
    bool trapped = false;
    *result = 0;
    if (instance_call(instance, "run", &nested, hostCall, context, &nested, &trapped) == NULL || trapped) abort();
    return "the host has had enough";
}

static uint8_t *readFile(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    // One byte more than the longest module, to see that it is refused.
    uint8_t *bytes = malloc(INSTANCE_MODULE_MAX + 1);
    *len = bytes == NULL ? 0 : fread(bytes, 1, INSTANCE_MODULE_MAX + 1, file);
    fclose(file);
    return bytes;
}

// Whether there is an export of that name; it is called.
static bool call(Instance *instance, const char *name) {
    Signature signature;
    const uint64_t args[INSTANCE_ARGS_MAX] = {0};
    uint64_t result = 0;
    bool trapped = false;
    const char *error = instance_signature(instance, name, &signature);
    if (error != NULL && strstr(error, "exports no function") != NULL) return false;
    if (error == NULL) error = instance_call(instance, name, args, hostCall, instance, &result, &trapped);
    if (error == NULL) printf("result %llu; ", (unsigned long long)result);
    else printf("%s; ", error);
    return true;
}

static void callAll(Instance *instance) {
    char name[16] = "run";
    if (call(instance, name)) return;
    for (unsigned i = 0; snprintf(name, sizeof name, "f%u", i) > 0 && call(instance, name); i++) continue;
}

static void run(Instance *instance) {
    const char *compiled = instance_compile(instance);
    printf("%s; ", compiled == NULL ? "compiled" : compiled);
    callAll(instance);
    uint32_t len = 0;
    const uint8_t *memory = instance_memory(instance, &len);
    uint8_t sum = 0;
    for (uint32_t i = 0; i < len; i++) sum = (uint8_t)(sum + memory[i]);
    printf("%u bytes, sum %u\n", len, sum);
    const Usage usage = instance_usage(instance);
    if (usage.linear + usage.codePages > usage.total || usage.total > usage.highWater) abort();
}

int main(int argc, char **argv) {
    const Import imports[] = {{"env", "host", "v()"}, {"env", "last", "I(IIIIIII)"}};
    const Limits limits = {4096, 4096, 0};
    for (int i = 1; i < argc; i++) {
        size_t len = 0;
        uint8_t *bytes = readFile(argv[i], &len);
        if (bytes == NULL) return 2;
        // An exact copy, so that reading past its end is seen.
        uint8_t *exact = malloc(len);
        if (len != 0) memcpy(exact, bytes, len);
        free(bytes);
        char error[INSTANCE_ERROR_CAP];
        Instance *instance = instance_open(exact, len, &limits, imports, 2, error);
        free(exact);
        if (instance == NULL) {
            printf("%s\n", error);
            continue;
        }
        run(instance);
        instance_close(instance);
    }
    return 0;
}
