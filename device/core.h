// SPDX-License-Identifier: BSD-3-Clause
// The session ABI of core.wasm (core/README.md) as C functions, looked up once. After a trap every call answers
// CORE_TRAP until core_open is called again.
#ifndef DEVICE_CORE_H
#define DEVICE_CORE_H

#include <stdint.h>

#define CORE_TRAP (-1000)

// Fields of core_config_set.
enum { CONFIG_ATSIGN = 1, CONFIG_DIRECTORY, CONFIG_APP, CONFIG_DEVICE, CONFIG_NAMESPACES, CONFIG_REGEX, CONFIG_PASSCODE = 12, CONFIG_LEGACY_ANSWER, CONFIG_PLAINTEXT };
// What session_poll asks for.
enum { ACTION_IDLE, ACTION_OPEN, ACTION_CLOSE, ACTION_EVENT, ACTION_SEND };
// Kinds of operations, kinds and fields of events, states.
enum { OPERATION_ENROLL = 1, OPERATION_PUT, OPERATION_GET, OPERATION_DELETE, OPERATION_SCAN, OPERATION_NOTIFY };
enum { EVENT_STATE = 1, EVENT_OPERATION, EVENT_NOTIFICATION, EVENT_NOTICE };
enum { FIELD_KEY = 1, FIELD_VALUE, FIELD_FROM, FIELD_ID, FIELD_EPOCH_MS, FIELD_KIND, FIELD_ERROR };
enum { STATE_STOPPED, STATE_DIRECTORY, STATE_CONNECTING, STATE_LOGIN, STATE_ENROLLING, STATE_WAITING, STATE_READY, STATE_PAUSING };
// Results of the core this runtime acts on (core/status.ts).
enum { STATUS_BUSY = -2, STATUS_WRONG_STATE = -3, STATUS_BAD_ARGUMENT = -4, STATUS_NOT_ENROLLED = -21 };
enum { STATUS_INSECURE_ANSWER = -38, STATUS_NOT_ENCRYPTED = -39, STATUS_BAD_CHALLENGE = -42 };
// Done, and the value came unencrypted.
enum { STATUS_PLAIN = 1 };

// Opens the module, which stays where it is, and finds every function. 0 or negative; core_failure() says why.
int core_open(const uint8_t *module, uint32_t len);
// What went wrong, static text, and the number of the wasm function (negative: unknown).
const char *core_failure(void);
int32_t core_failed_function(void);

int32_t core_init(void);
// Copies a configuration value in and sets it. A status.
int32_t core_config_set(int32_t field, const uint8_t *x, uint32_t len);
int32_t core_session_start(int32_t monitor);
int32_t core_session_stop(void);
int32_t core_session_poll(void);
int32_t core_poll_delay_ms(void);
void core_link_opened(void);
void core_link_failed(void);
void core_link_closed(void);
// Where received bytes go and how many may; core_rx_push says how many came.
uint8_t *core_rx(uint32_t *room);
int32_t core_rx_push(uint32_t len);
// The bytes to send; core_tx_pop says how many went.
const uint8_t *core_tx(uint32_t *len);
int32_t core_tx_pop(uint32_t len);
// "host:port" of ACTION_OPEN, not terminated.
const char *core_address(uint32_t *len);
// Starts an operation: its number or a negative status.
int32_t core_op_start(int32_t kind, const uint8_t *key, uint32_t keyLen, const uint8_t *value, uint32_t valueLen, int64_t ttlMs);
int32_t core_event_kind(void);
int32_t core_event_status(void);
int32_t core_event_op(void);
const uint8_t *core_event_field(int32_t field, uint32_t *len);
void core_event_done(void);
int32_t core_state(void);

#endif
