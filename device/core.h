// SPDX-License-Identifier: BSD-3-Clause
// The session ABI of core.wasm (core/README.md) as C functions, looked up once. After a trap every call answers
// CORE_TRAP until core_open is called again.
#ifndef DEVICE_CORE_H
#define DEVICE_CORE_H

#include <stdint.h>

#define CORE_TRAP (-1000)

// Fields of core_config_set.
enum { CONFIG_ATSIGN = 1, CONFIG_DIRECTORY, CONFIG_APP, CONFIG_DEVICE, CONFIG_NAMESPACES, CONFIG_REGEX, CONFIG_PASSCODE = 12, CONFIG_LEGACY_ANSWER, CONFIG_PLAINTEXT, CONFIG_PEERS };
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
enum { STATUS_NOT_AUTHENTIC = -43, STATUS_PEER_KEY_CHANGED = -44, STATUS_OTHER_ISSUER = -45 };
// Done, and the value came unencrypted.
enum { STATUS_PLAIN = 1 };

// Opens the module, which stays where it is, and finds every function. 0 or negative; core_failure() says why.
int core_open(const uint8_t *module, uint32_t len);
// Why core_open failed or the core trapped: static text, never NULL.
const char *core_failure(void);
// Number of the wasm function that trapped (imports counted); negative: none, or unknown.
int32_t core_failed_function(void);

// Loads the stored identity, once after core_open. 0: enrolled; STATUS_NOT_ENROLLED; another negative status; CORE_TRAP.
int32_t core_init(void);
// Sets the configuration field CONFIG_* to len bytes. 0; STATUS_BAD_ARGUMENT: too long; another negative status
// (core/abi/session.ts).
int32_t core_config_set(int32_t field, const uint8_t *x, uint32_t len);
// Begins to connect; monitor 1 asks for notifications too. 0, STATUS_NOT_ENROLLED or STATUS_WRONG_STATE.
int32_t core_session_start(int32_t monitor);
// Closes the link; a running operation ends. 0.
int32_t core_session_stop(void);
// Bounded work; then one of ACTION_*, what the board does next.
int32_t core_session_poll(void);
// Milliseconds until core_session_poll has to be called again if nothing arrives; 0: at once.
int32_t core_poll_delay_ms(void);
// The link of ACTION_OPEN is open, TLS verified.
void core_link_opened(void);
// The link of ACTION_OPEN could not be opened.
void core_link_failed(void);
// The open link broke; not called after ACTION_CLOSE.
void core_link_closed(void);
// Where received bytes are written, *room of them at most (0: poll first). NULL after a trap.
uint8_t *core_rx(uint32_t *room);
// len bytes were written at core_rx. 0, or negative for more than its room.
int32_t core_rx_push(uint32_t len);
// The *len bytes to send. NULL after a trap.
const uint8_t *core_tx(uint32_t *len);
// The link took len of them. 0, or negative for more than there are.
int32_t core_tx_pop(uint32_t len);
// The address of ACTION_OPEN as address_read takes it, *len bytes, at most 128, not terminated. NULL after a trap.
const char *core_address(uint32_t *len);
// Starts an operation OPERATION_*; key and value are copied. Its number, positive, or a negative status. ttlMs:
// milliseconds a record or notification lives, 0: no end.
int32_t core_op_start(int32_t kind, const uint8_t *key, uint32_t keyLen, const uint8_t *value, uint32_t valueLen, int64_t ttlMs);
// Kind of the waiting event, one of EVENT_*; 0: none.
int32_t core_event_kind(void);
// EVENT_STATE: the new state, one of STATE_*; else 0, STATUS_PLAIN or a negative status.
int32_t core_event_status(void);
// What is known of the event's value: bits AT_ENCRYPTED to AT_PROVISIONED (at.h); 0 after a trap.
unsigned core_event_verdict(void);
// EVENT_OPERATION: number of the operation; EVENT_STATE: the status that led to the state, or 0.
int32_t core_event_op(void);
// A field FIELD_* of the event, *len bytes (0: it has none), valid until core_event_done. NULL after a trap.
const uint8_t *core_event_field(int32_t field, uint32_t *len);
// Frees the event.
void core_event_done(void);
// One of STATE_*.
int32_t core_state(void);

#endif
