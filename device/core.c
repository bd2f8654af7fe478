// SPDX-License-Identifier: BSD-3-Clause
#include "core.h"

#include <string.h>

#include "interpreter.h"

// Name, place in the table. One list keeps both together.
#define FUNCTIONS(each)                                                                            \
  each(core_init) each(config_ptr) each(config_cap) each(config_set) each(session_start)           \
  each(session_stop) each(session_poll) each(poll_delay_ms) each(address_ptr) each(address_len)    \
  each(link_opened) each(link_failed) each(link_closed) each(rx_ptr) each(rx_room) each(rx_push)   \
  each(tx_ptr) each(tx_len) each(tx_pop) each(op_key_ptr) each(op_key_cap) each(op_value_ptr)      \
  each(op_value_cap) each(op_ttl) each(op_start) each(event_kind) each(event_status)               \
  each(event_verdict) each(event_op) each(event_ptr) each(event_len) each(event_done) each(state)

#define NUMBER(name) CALL_##name,
#define TEXT(name) #name,
enum { FUNCTIONS(NUMBER) CALL_COUNT };
static const char *const names[CALL_COUNT] = {FUNCTIONS(TEXT)};
static int16_t handles[CALL_COUNT];
static const char *failure = "";
static int32_t failed_function = INTERPRETER_NO_FUNCTION;
static int has_failed;

int core_open(const uint8_t *module, uint32_t len) {
  has_failed = 0;
  failed_function = INTERPRETER_NO_FUNCTION;
  if (interpreter_open(module, len) != 0) {
    failure = interpreter_trap();
    has_failed = 1;
    return -1;
  }
  for (int i = 0; i < CALL_COUNT; i++) {
    handles[i] = (int16_t)interpreter_find(names[i]);
    if (handles[i] >= 0) continue;
    failure = names[i];
    has_failed = 1;
    return -1;
  }
  return 0;
}

const char *core_failure(void) { return failure; }

int32_t core_failed_function(void) { return failed_function; }

static int32_t call(int function, const uint64_t *args, uint32_t count) {
  int64_t result = 0;
  if (has_failed) return CORE_TRAP;
  if (interpreter_call(handles[function], args, count, &result) == 0) return (int32_t)result;
  failure = interpreter_trap();
  failed_function = interpreter_trap_function();
  has_failed = 1;
  return CORE_TRAP;
}

static int32_t call0(int function) { return call(function, NULL, 0); }

static int32_t call1(int function, uint32_t a) {
  const uint64_t args[1] = {a};
  return call(function, args, 1);
}

// The place a function names, when len bytes there are memory; else NULL, and the core has failed.
static uint8_t *place(int32_t address, uint32_t len) {
  uint32_t size;
  uint8_t *memory = interpreter_memory(&size);
  if (has_failed) return NULL;
  if (address >= 0 && len <= size && (uint32_t)address <= size - len) return memory + address;
  failure = "a place outside linear memory";
  has_failed = 1;
  return NULL;
}

// Copies x to where ptr says, at most what cap says. A status.
static int32_t fill(int ptr, int cap, const uint8_t *x, uint32_t len) {
  const int32_t most = call0(cap);
  if (most < 0) return most;
  if (len > (uint32_t)most) return STATUS_BAD_ARGUMENT;
  uint8_t *to = place(call0(ptr), len);
  if (!to) return CORE_TRAP;
  if (len > 0) memcpy(to, x, len);
  return 0;
}

int32_t core_init(void) { return call0(CALL_core_init); }

int32_t core_config_set(int32_t field, const uint8_t *x, uint32_t len) {
  const int32_t status = fill(CALL_config_ptr, CALL_config_cap, x, len);
  const uint64_t args[2] = {(uint32_t)field, len};
  return status < 0 ? status : call(CALL_config_set, args, 2);
}

int32_t core_session_start(int32_t monitor) { return call1(CALL_session_start, (uint32_t)monitor); }

int32_t core_session_stop(void) { return call0(CALL_session_stop); }

int32_t core_session_poll(void) { return call0(CALL_session_poll); }

int32_t core_poll_delay_ms(void) { return call0(CALL_poll_delay_ms); }

void core_link_opened(void) { call0(CALL_link_opened); }

void core_link_failed(void) { call0(CALL_link_failed); }

void core_link_closed(void) { call0(CALL_link_closed); }

uint8_t *core_rx(uint32_t *room) {
  const int32_t most = call0(CALL_rx_room);
  *room = most > 0 ? (uint32_t)most : 0;
  return place(call0(CALL_rx_ptr), *room);
}

int32_t core_rx_push(uint32_t len) { return call1(CALL_rx_push, len); }

const uint8_t *core_tx(uint32_t *len) {
  const int32_t waiting = call0(CALL_tx_len);
  *len = waiting > 0 ? (uint32_t)waiting : 0;
  return place(call0(CALL_tx_ptr), *len);
}

int32_t core_tx_pop(uint32_t len) { return call1(CALL_tx_pop, len); }

const char *core_address(uint32_t *len) {
  const int32_t size = call0(CALL_address_len);
  *len = size > 0 ? (uint32_t)size : 0;
  return (const char *)place(call0(CALL_address_ptr), *len);
}

int32_t core_op_start(int32_t kind, const uint8_t *key, uint32_t keyLen, const uint8_t *value,
                      uint32_t valueLen, int64_t ttlMs) {
  const uint64_t ttl[1] = {(uint64_t)ttlMs};
  const uint64_t args[3] = {(uint32_t)kind, keyLen, valueLen};
  int32_t status = fill(CALL_op_key_ptr, CALL_op_key_cap, key, keyLen);
  if (status >= 0) status = fill(CALL_op_value_ptr, CALL_op_value_cap, value, valueLen);
  if (status < 0) return status;
  call(CALL_op_ttl, ttl, 1);
  return call(CALL_op_start, args, 3);
}

int32_t core_event_kind(void) { return call0(CALL_event_kind); }

int32_t core_event_status(void) { return call0(CALL_event_status); }

unsigned core_event_verdict(void) {
  const int32_t bits = call0(CALL_event_verdict);
  return bits > 0 ? (unsigned)bits : 0;
}

int32_t core_event_op(void) { return call0(CALL_event_op); }

const uint8_t *core_event_field(int32_t field, uint32_t *len) {
  const int32_t size = call1(CALL_event_len, (uint32_t)field);
  *len = size > 0 ? (uint32_t)size : 0;
  return place(call1(CALL_event_ptr, (uint32_t)field), *len);
}

void core_event_done(void) { call0(CALL_event_done); }

int32_t core_state(void) { return call0(CALL_state); }
