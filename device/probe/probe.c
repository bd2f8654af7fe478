// SPDX-License-Identifier: BSD-3-Clause
// A program that lends a board's interpreter to a test or a benchmark over a serial line, so that the suites of core/
// run on the chip as they run on a laptop. Frames both ways: kind, length (u32, little-endian), payload.
//
//   to the board   1 open    linear memory and globals as new
//                  2 call    name, 0, then 8 bytes an argument
//                  3 read    address, length (u32 each)
//                  4 write   address (u32), bytes
//                  5 usage   what the interpreter holds, and the native stack used since the last such request
//                  6 drop    forgets compiled code
//                  7 answer  8 bytes: what the function of `hal` that was asked for returns; none: the board's own
//                            accelerator is to do it
//                  8 fill    address, length (u32 each), byte: a write of one byte over and over
//                  9 native  number of a native anchor (device/probe/native.h), its inputs
//   to the host    1 done    payload of the request
//                  2 trap    text
//                  3 ask     number of a function of `hal`, then 8 bytes an argument; requests 3, 4 and 7 may follow

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "../accelerators.h"
#include "../imports.h"
#include "../interpreter.h"
#include "probeBoard.h"
#include "native.h"

enum { OPEN = 1, CALL, READ, WRITE, USAGE, DROP, ANSWER, FILL, NATIVE };
enum { DONE = 1, TRAP, ASK };
enum { NOW_MS, ENTROPY, STORE_READ, STORE_WRITE, LOG, ACCELERATORS, ACCEL_MOD_EXP, ACCEL_AES256, ACCEL_SHA256 };

/** Room of a request other than a write, which goes straight to linear memory. */
#define REQUEST_MAX 2304u
#define ARGUMENTS_MAX 8u

/** core.wasm (device/module.S). */
extern const uint8_t core_wasm_start[], core_wasm_end[];

static uint8_t request[REQUEST_MAX];

static uint32_t readWord(void) {
    uint32_t word = 0;
    for (uint32_t shift = 0; shift < 32; shift += 8) word |= (uint32_t)probe_board_read() << shift;
    return word;
}

static void writeBytes(const void *bytes, uint32_t len) {
    const uint8_t *at = bytes;
    for (uint32_t i = 0; i < len; i++) probe_board_write(at[i]);
}

static void writeWord(uint32_t word) {
    for (uint32_t shift = 0; shift < 32; shift += 8) probe_board_write((uint8_t)(word >> shift));
}

static void writeLong(uint64_t x) {
    writeWord((uint32_t)x);
    writeWord((uint32_t)(x >> 32));
}

static void begin(uint8_t kind, uint32_t len) {
    probe_board_write(kind);
    writeWord(len);
}

static void trap(const char *text) {
    uint32_t len = (uint32_t)strlen(text);
    begin(TRAP, len);
    writeBytes(text, len);
}

static uint32_t wordAt(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t longAt(const uint8_t *at) { return (uint64_t)wordAt(at) | (uint64_t)wordAt(at + 4) << 32; }

/** The part of linear memory a request names; NULL when it lies outside. */
static uint8_t *span(uint32_t address, uint32_t len) {
    uint32_t size = 0;
    uint8_t *memory = interpreter_memory(&size);
    if (memory == NULL || address > size || len > size - address) return NULL;
    return memory + address;
}

static void readMemory(uint32_t len) {
    uint8_t *from = len == 8 ? span(wordAt(request), wordAt(request + 4)) : NULL;
    if (from == NULL) {
        trap("read outside linear memory");
        return;
    }
    begin(DONE, wordAt(request + 4));
    writeBytes(from, wordAt(request + 4));
}

/** The bytes of a write go where they belong as they come. */
static void writeMemory(uint32_t len) {
    uint32_t address = readWord();
    len -= 4;
    uint8_t *to = span(address, len);
    for (uint32_t i = 0; i < len; i++) {
        uint8_t byte = probe_board_read();
        if (to != NULL) to[i] = byte;
    }
    if (to == NULL) trap("write outside linear memory");
    else begin(DONE, 0);
}

static void fillMemory(uint32_t len) {
    uint8_t *to = len == 9 ? span(wordAt(request), wordAt(request + 4)) : NULL;
    if (to == NULL) {
        trap("fill outside linear memory");
        return;
    }
    memset(to, request[8], wordAt(request + 4));
    begin(DONE, 0);
}

static void usage(void) {
    InterpreterUsage now;
    interpreter_usage(&now);
    const uint32_t parts[] = {now.linear, now.code,   now.codeMost, now.functions, now.stack,   now.stackMost,
                              now.module, now.heapUsed, now.heapMost, now.compiled,  now.evicted, probe_board_stack()};
    begin(DONE, sizeof parts);
    for (uint32_t i = 0; i < sizeof parts / sizeof parts[0]; i++) writeWord(parts[i]);
}

static void answerCount(int64_t result, uint64_t before) {
    uint64_t count = probe_board_count() - before;
    begin(DONE, 16);
    writeLong((uint64_t)result);
    writeLong(count);
}

static void call(uint32_t len) {
    const uint8_t *end = memchr(request, 0, len);
    uint32_t argumentsLen = end == NULL ? 1 : (uint32_t)(request + len - end - 1);
    if (argumentsLen % 8 != 0 || argumentsLen / 8 > ARGUMENTS_MAX) {
        trap("a call of another form");
        return;
    }
    uint64_t arguments[ARGUMENTS_MAX];
    for (uint32_t i = 0; i < argumentsLen / 8; i++) arguments[i] = longAt(end + 1 + 8 * i);
    int function = interpreter_find((const char *)request);
    if (function < 0) {
        trap("no such export");
        return;
    }
    uint64_t before = probe_board_count();
    int64_t result = 0;
    if (interpreter_call(function, arguments, argumentsLen / 8, &result) != 0) trap(interpreter_trap());
    else answerCount(result, before);
}

static void native(uint32_t len) {
    uint64_t before = probe_board_count();
    int64_t result = native_run(request[0], request + 1, len - 1);
    answerCount(result, before);
}

static void open(void) {
    interpreter_close();
    if (interpreter_open(core_wasm_start, (uint32_t)(core_wasm_end - core_wasm_start)) != 0) trap(interpreter_trap());
    else begin(DONE, 0);
}

/** What a function of `hal` returned. */
typedef struct Answer {
    bool given;  // false: the board's own accelerator is to do it
    int64_t value;
} Answer;

/** Serves one request; true when it was the answer to a function of `hal`. */
static bool serve(Answer *answer) {
    uint8_t kind = probe_board_read();
    uint32_t len = readWord();
    if (kind == WRITE && len >= 4) {
        writeMemory(len);
        return false;
    }
    for (uint32_t i = 0; i < len; i++) {
        uint8_t byte = probe_board_read();
        if (i < sizeof request) request[i] = byte;
    }
    if (len > sizeof request) {
        trap("a request too long");
        return false;
    }
    switch (kind) {
        case OPEN: open(); return false;
        case CALL: call(len); return false;
        case READ: readMemory(len); return false;
        case FILL: fillMemory(len); return false;
        case USAGE: usage(); return false;
        case NATIVE: native(len); return false;
        case DROP:
            interpreter_drop_code();
            begin(DONE, 0);
            return false;
        case ANSWER: *answer = (Answer){len == 8, len == 8 ? (int64_t)longAt(request) : 0}; return true;
        default: trap("no such request"); return false;
    }
}

static Answer ask(uint32_t function, const uint32_t *arguments, uint32_t count) {
    begin(ASK, 4 + 8 * count);
    writeWord(function);
    for (uint32_t i = 0; i < count; i++) writeLong(arguments[i]);
    Answer answer = {false, 0};
    while (!serve(&answer)) continue;
    return answer;
}

static uint32_t address(const void *pointer) {
    uint32_t size = 0;
    return (uint32_t)((const uint8_t *)pointer - interpreter_memory(&size));
}

int64_t import_now_ms(void) { return ask(NOW_MS, NULL, 0).value; }

int32_t import_entropy(uint8_t *out, uint32_t len) {
    return (int32_t)ask(ENTROPY, (uint32_t[]){address(out), len}, 2).value;
}

int32_t import_store_read(uint32_t id, uint8_t *out, uint32_t cap) {
    return (int32_t)ask(STORE_READ, (uint32_t[]){id, address(out), cap}, 3).value;
}

int32_t import_store_write(uint32_t id, const uint8_t *x, uint32_t len) {
    return (int32_t)ask(STORE_WRITE, (uint32_t[]){id, address(x), len}, 3).value;
}

void import_log(uint32_t level, const char *text, uint32_t len) {
    ask(LOG, (uint32_t[]){level, address(text), len}, 3);
}

int32_t import_accelerators(void) { return (int32_t)ask(ACCELERATORS, NULL, 0).value; }

int32_t import_accel_mod_exp(uint8_t *out, const uint8_t *x, const uint8_t *e, uint32_t eLen, const uint8_t *n,
                             uint32_t nLen) {
    const uint32_t arguments[] = {address(out), address(x), address(e), eLen, address(n), nLen};
    Answer answer = ask(ACCEL_MOD_EXP, arguments, 6);
    return answer.given ? (int32_t)answer.value : accelerator_mod_exp(out, x, e, eLen, n, nLen);
}

void import_accel_aes256(uint8_t *out, const uint8_t *x, uint32_t count, const uint8_t *key) {
    const uint32_t arguments[] = {address(out), address(x), count, address(key)};
    if (!ask(ACCEL_AES256, arguments, 4).given) accelerator_aes256(out, x, count, key);
}

void import_accel_sha256(uint8_t *state, const uint8_t *blocks, uint32_t count) {
    const uint32_t arguments[] = {address(state), address(blocks), count};
    if (!ask(ACCEL_SHA256, arguments, 3).given) accelerator_sha256(state, blocks, count);
}

int main(void) {
    probe_board_start();
    Answer unasked;
    for (;;) serve(&unasked);
}
