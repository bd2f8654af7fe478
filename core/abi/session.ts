// SPDX-License-Identifier: BSD-3-Clause
// What a board's loop calls. Results are a Status (negative), 0 or a number, as each function says.
import { OP_KEY, OP_VALUE, OP_VALUE_CAP, VALUE_MAX } from "../memory";
import { machineState } from "../session/machine";
import { operationTtl } from "../session/operation";
import {
  sessionAddress,
  sessionConfig,
  sessionDelay,
  sessionEventDone,
  sessionHear,
  sessionInit,
  sessionOperate,
  sessionPoll,
  sessionStart,
  sessionStop,
} from "../session/session";
import { configLen, configPtr } from "../session/state/config";
import {
  eventKind,
  eventLen,
  eventOperation,
  eventPtr,
  eventStatus,
  eventVerdict,
} from "../session/state/event";
import { linkLost, linkOpened, linkPending, linkPop, linkPtr } from "../session/state/link";
import { Status } from "../status";
import { linePush, lineRoom, lineTail } from "../wire/line";

/** Longest atKey with its `cached:`. */
const OP_KEY_CAP: u32 = 255;

/**
 * Once, before everything else: probes the board's accelerators, seeds the DRBG and loads the stored identity and
 * watermark. Done: enrolled. NotEnrolled: no complete identity yet. NoEntropy; StoreFailed: unreadable or damaged, and
 * nothing is overwritten.
 */
export function core_init(): i32 {
  return sessionInit();
}

/** Where one configuration value is written before config_set; the same place as op_value_ptr, so only while stopped. */
export function config_ptr(): usize {
  return OP_VALUE;
}

/** Most bytes of a configuration value. */
export function config_cap(): u32 {
  return OP_VALUE_CAP;
}

/**
 * Sets a field (numbers and formats: core/README.md, "Session ABI") to the `len` bytes at config_ptr. Done; WrongState
 * unless stopped; BadArgument for an unknown field or a length out of range; what is wrong with the value (BadAtSign,
 * BadDer, BadBase64 …); StoreFailed when an imported identity can't be kept.
 */
export function config_set(field: i32, len: u32): i32 {
  return sessionConfig(field, len);
}

/**
 * Begins to connect; any `monitor` but 0 asks for notifications too. Done; NotEnrolled: neither keys nor a passcode;
 * WrongState: running already, atSign or directory not set, or the keys are another atSign's.
 */
export function session_start(monitor: i32): i32 {
  return sessionStart(monitor !== 0);
}

/** Closes the link; a running operation ends with LinkFailed. Done. */
export function session_stop(): i32 {
  sessionStop();
  return Status.Done;
}

/**
 * Does a bounded piece of work and says what the board does next: 0 nothing before poll_delay_ms, 1 open the link to
 * the address, 2 close the link, 3 take the event, 4 send tx.
 */
export function session_poll(): i32 {
  return sessionPoll();
}

/** Milliseconds until session_poll has to be called again if nothing arrives; 0: at once. */
export function poll_delay_ms(): i32 {
  return sessionDelay();
}

/** The address of action 1, "host:port" or "[IPv6 address]:port", not terminated. */
export function address_ptr(): usize {
  return configPtr(sessionAddress());
}

/** Bytes of that address, at most 128. */
export function address_len(): u32 {
  return configLen(sessionAddress());
}

/** The link that action 1 asked for is open: TLS is verified. */
export function link_opened(): void {
  linkOpened();
}

/** The link that action 1 asked for could not be opened. */
export function link_failed(): void {
  linkLost();
}

/** The open link broke or the peer ended it. Not called after action 2. */
export function link_closed(): void {
  linkLost();
}

/** Where received bytes are written, at most rx_room of them; rx_push may move it. */
export function rx_ptr(): usize {
  return lineTail();
}

/** Bytes that may be written at rx_ptr; 0: call session_poll first. */
export function rx_room(): u32 {
  return lineRoom();
}

/** `len` bytes were written at rx_ptr. Done, or NoRoom for more than rx_room. */
export function rx_push(len: u32): i32 {
  if (len > lineRoom()) return Status.NoRoom;
  linePush(len);
  if (len > 0) sessionHear();
  return Status.Done;
}

/** The bytes to send to the link. */
export function tx_ptr(): usize {
  return linkPtr();
}

/** How many there are. */
export function tx_len(): u32 {
  return linkPending();
}

/** The link took `len` of them. Done, or BadArgument for more than tx_len. */
export function tx_pop(len: u32): i32 {
  if (len > linkPending()) return Status.BadArgument;
  linkPop(len);
  return Status.Done;
}

/** Where the atKey of the next operation is written. */
export function op_key_ptr(): usize {
  return OP_KEY;
}

/** Most bytes of that atKey: 255, a key of 248 with `cached:`. */
export function op_key_cap(): u32 {
  return OP_KEY_CAP;
}

/** Where the value of the next operation is written. */
export function op_value_ptr(): usize {
  return OP_VALUE;
}

/** Most bytes of that value. */
export function op_value_cap(): u32 {
  return VALUE_MAX;
}

/**
 * Milliseconds the next operation's record (put) or notification (notify) lives; 0: no end. Done, or BadArgument below
 * 0.
 */
export function op_ttl(ms: i64): i32 {
  if (ms < 0) return Status.BadArgument;
  operationTtl(ms);
  return Status.Done;
}

/**
 * Starts an operation: 1 enroll, 2 put, 3 get, 4 delete, 5 scan (the value is a regular expression), 6 notify. Its number,
 * positive; Busy: another runs; WrongState: not started; KeyTooLong, ValueTooLong, BadAtKey, BadArgument. Key and value
 * belong to the core until the event that ends it.
 */
export function op_start(kind: i32, keyLen: u32, valueLen: u32): i32 {
  return sessionOperate(kind, keyLen, valueLen);
}

/**
 * Kind of the waiting event: 1 state, 2 operation ended, 3 notification, 4 notice of one that can't be delivered; 0:
 * none.
 */
export function event_kind(): i32 {
  return eventKind();
}

/**
 * Kind 1: the new state; else 0 or a negative Status. 1 for kinds 2 and 3: done, but the value came unencrypted and
 * anybody on its way may have written it.
 */
export function event_status(): i32 {
  return eventStatus();
}

/** What is known of the value of an event of kind 2 or 3: bits 1 encrypted, 2 authentic, 4 fresh, 8 pinned, 16 provisioned. */
export function event_verdict(): u32 {
  return eventVerdict();
}

/** Kind 2: number of the operation. Kind 1: the Status that led to the state, 0 when it was asked for. */
export function event_op(): i32 {
  return eventOperation();
}

/**
 * Where a field of the event begins, valid until event_done: 1 key, 2 value, 3 sender's atSign, 4 notification id, 5 its time
 * in milliseconds since 1970 as decimal text, 6 `update` or `delete`, 7 the atServer's error code and text.
 */
export function event_ptr(field: i32): usize {
  return eventPtr(field);
}

/** Bytes of a field of the event; 0: it has none. */
export function event_len(field: i32): u32 {
  return eventLen(field);
}

/** Frees the event and its fields. Done. */
export function event_done(): i32 {
  sessionEventDone();
  return Status.Done;
}

/**
 * 0 stopped, 1 directory, 2 connecting, 3 login, 4 enrolling, 5 waiting for approval, 6 ready, 7 pausing before it
 * reconnects.
 */
export function state(): i32 {
  return machineState();
}
