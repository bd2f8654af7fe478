// SPDX-License-Identifier: BSD-3-Clause
// Has a recorded life again on device/interpreter.c: replay <module.wasm> <recording>. Every result and every byte read
// must be the recorded one; where the recording has a line "?" instead of a result, it is printed. Prints the
// interpreter's figures of each phase, one JSON object a line.

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imports.h"
#include "interpreter.h"

enum { LINE_CAP = 16384, MODULE_CAP = 65536 };

static FILE *recording;
static char line[LINE_CAP];
static unsigned number;
static uint8_t module[MODULE_CAP];
static uint32_t moduleLen;

static void fail(const char *what) {
    fprintf(stderr, "line %u (%.60s): %s\n", number, line, what);
    exit(1);
}

static bool next(void) {
    number++;
    if (fgets(line, sizeof line, recording) == NULL) return false;
    line[strcspn(line, "\n")] = 0;
    return true;
}

// The line that has to come now; what follows its letter.
static const char *expectLine(char letter) {
    if (!next() || line[0] != letter) fail("the core asks for something else");
    return line + 2;
}

static uint8_t nibble(char c) { return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10); }

static uint32_t fromHex(const char *text, uint8_t *out, uint32_t cap) {
    uint32_t len = 0;
    for (; text[0] != 0 && text[1] != 0; text += 2) {
        if (len == cap) fail("more bytes than there is room");
        out[len++] = (uint8_t)(nibble(text[0]) << 4 | nibble(text[1]));
    }
    return len;
}

int64_t import_now_ms(void) { return strtoll(expectLine('T'), NULL, 10); }

int32_t import_entropy(uint8_t *out, uint32_t len) {
    if (fromHex(expectLine('E'), out, len) != len) fail("less entropy than asked for");
    return 0;
}

int32_t import_store_read(uint32_t id, uint8_t *out, uint32_t cap) {
    (void)id;
    char *text = NULL;
    const long result = strtol(expectLine('G'), &text, 10);
    fromHex(text + 1, out, cap);
    return (int32_t)result;
}

int32_t import_store_write(uint32_t id, const uint8_t *x, uint32_t len) {
    (void)id, (void)x, (void)len;
    return (int32_t)strtol(expectLine('S'), NULL, 10);
}

void import_log(uint32_t level, const char *text, uint32_t len) { (void)level, (void)text, (void)len; }

int32_t import_accelerators(void) { return 0; }

int32_t import_accel_mod_exp(uint8_t *out, const uint8_t *x, const uint8_t *e, uint32_t eLen, const uint8_t *n,
                             uint32_t nLen) {
    (void)out, (void)x, (void)e, (void)eLen, (void)n, (void)nLen;
    abort();
}

void import_accel_aes256(uint8_t *out, const uint8_t *x, uint32_t count, const uint8_t *key) {
    (void)out, (void)x, (void)count, (void)key;
    abort();
}

void import_accel_sha256(uint8_t *state, const uint8_t *blocks, uint32_t count) {
    (void)state, (void)blocks, (void)count;
    abort();
}

// The line that says how the call has to end, or asks.
static void endCall(const char *trap, int64_t result) {
    if (!next()) fail("the recording ends with a call");
    if (line[0] == '?') {
        if (trap != NULL) printf("! %s\n", trap);
        else printf("= %" PRId64 "\n", result);
        return;
    }
    if (trap != NULL && (line[0] != '!' || strcmp(line + 2, trap) != 0)) {
        fprintf(stderr, "function %" PRId32 ": ", interpreter_trap_function());
        fail(trap);
    }
    if (trap == NULL && (line[0] != '=' || strtoll(line + 2, NULL, 10) != result)) fail("another result");
}

static void call(char *text) {
    char *rest = NULL;
    const char *name = strtok_r(text, " ", &rest);
    uint64_t args[INTERPRETER_ARGS_MAX];
    uint32_t count = 0;
    for (const char *arg = strtok_r(NULL, " ", &rest); arg != NULL; arg = strtok_r(NULL, " ", &rest)) {
        if (count == INTERPRETER_ARGS_MAX) fail("too many arguments");
        args[count++] = arg[0] == '-' ? (uint64_t)strtoll(arg, NULL, 10) : strtoull(arg, NULL, 10);
    }
    int64_t result = 0;
    const int status = interpreter_call(interpreter_find(name), args, count, &result);
    endCall(status == 0 ? NULL : interpreter_trap(), result);
}

static void bytes(char letter, char *text) {
    uint8_t wanted[LINE_CAP / 2];
    uint32_t total = 0;
    uint8_t *memory = interpreter_memory(&total);
    char *hex = NULL;
    const unsigned long ptr = strtoul(text, &hex, 10);
    const uint32_t len = fromHex(hex + 1, wanted, sizeof wanted);
    if (ptr > total || len > total - ptr) fail("outside linear memory");
    if (letter == 'W') memcpy(memory + ptr, wanted, len);
    else if (memcmp(memory + ptr, wanted, len) != 0) fail("other bytes");
}

static void report(const char *phase) {
    InterpreterUsage u;
    interpreter_usage(&u);
    printf("{\"phase\":\"%s\",\"linear\":%" PRIu32 ",\"code\":%" PRIu32 ",\"codeMost\":%" PRIu32
           ",\"functions\":%" PRIu32 ",\"stack\":%" PRIu32 ",\"stackMost\":%" PRIu32 ",\"heap\":%" PRIu32
           ",\"heapMost\":%" PRIu32 ",\"compiled\":%" PRIu32 ",\"evicted\":%" PRIu32 "}\n",
           phase, u.linear, u.code, u.codeMost, u.functions, u.stack, u.stackMost, u.heapUsed, u.heapMost, u.compiled,
           u.evicted);
}

static void restart(void) {
    interpreter_close();
    if (interpreter_open(module, moduleLen) != 0) fail(interpreter_trap());
}

static void play(void) {
    char phase[64] = "";
    while (next()) {
        if (line[0] == 'P') {
            if (phase[0] != 0) report(phase);
            snprintf(phase, sizeof phase, "%.60s", line + 2);
        } else if (line[0] == 'X') {
            report(phase);
            phase[0] = 0;
            restart();
        } else if (line[0] == 'C') {
            call(line + 2);
        } else if (line[0] == 'W' || line[0] == 'R') {
            bytes(line[0], line + 2);
        } else {
            fail("the core did not ask for this");
        }
    }
    report(phase);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    FILE *wasm = fopen(argv[1], "rb");
    recording = fopen(argv[2], "r");
    if (wasm == NULL || recording == NULL) return 2;
    moduleLen = (uint32_t)fread(module, 1, sizeof module, wasm);
    fclose(wasm);
    restart();
    play();
    interpreter_close();
    fclose(recording);
    return 0;
}
