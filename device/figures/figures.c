// SPDX-License-Identifier: BSD-3-Clause
// Compiles every function of a module with the interpreter and prints what the compiler met: figures <module.wasm>
// A line of it: function, what, value, more. Functions are counted with the imports, stack is counted in slots of 4 bytes.
//   frame <slots> <of its own>        of a function with the arguments of its calls, and without
//   call <callee> <first slot>        where the callee's frame begins in the caller's
//   block <depth>                     1: a block of the function itself
//   brTable <targets>
//   preservedTwice <slot>             an i64 local was set while it lay on the operand stack more than once
//   code <words> <pages>              the code made of the function; a word is as long as a pointer

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "m3_compile.h"
#include "m3_env.h"

enum { MODULE_CAP = 65536, STACK_BYTES = 4096 };

static uint8_t bytes[MODULE_CAP];

void compile_figure(IM3Function function, const char *what, u32 value, u32 more) {
    printf("%u %s %" PRIu32 " %" PRIu32 "\n", function->index, what, value, more);
}

static const void *neverCalled(IM3Runtime runtime, IM3ImportContext context, uint64_t *slots, void *memory) {
    (void)runtime, (void)context, (void)slots, (void)memory;
    return m3Err_trapUnreachable;
}

static void tellCode(IM3Function function) {
    u32 words = 0;
    u32 pages = 0;
    for (IM3CodePage page = CodeOf(function->compiled); page != NULL; page = page->next, pages++) words += page->lineIndex;
    compile_figure(function, "code", words, pages);
}

static M3Result compile(IM3Runtime runtime, uint32_t len) {
    IM3Module module = NULL;
    M3Result refused = m3_ParseModule(runtime->environment, &module, bytes, len);
    if (refused == m3Err_none) refused = m3_LoadModule(runtime, module);
    for (uint32_t i = 0; refused == m3Err_none && i < module->numFuncImports; i++) {
        refused = CompileRawFunction(module, &module->functions[i], (const void *)neverCalled, NULL);
    }
    if (refused == m3Err_none) refused = m3_CompileModule(module);
    if (refused != m3Err_none) return refused;
    for (uint32_t i = module->numFuncImports; i < module->numFunctions; i++) tellCode(&module->functions[i]);
    return m3Err_none;
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) return 2;
    const uint32_t len = (uint32_t)fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    IM3Environment environment = m3_NewEnvironment();
    IM3Runtime runtime = environment == NULL ? NULL : m3_NewRuntime(environment, STACK_BYTES, NULL);
    if (runtime == NULL) return 2;
    const M3Result refused = compile(runtime, len);
    m3_FreeRuntime(runtime);
    m3_FreeEnvironment(environment);
    if (refused == m3Err_none) return 0;
    fprintf(stderr, "%s\n", refused);
    return 1;
}
