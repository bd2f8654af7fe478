// SPDX-License-Identifier: BSD-3-Clause
// What a board's loop calls. core/README.md, "Session ABI", says what each means.
import { OP_KEY, OP_VALUE, OP_VALUE_CAP, VALUE_MAX } from "../memory";
import { configLen, configPtr } from "../session/config";
import { eventKind, eventLen, eventOperation, eventPtr, eventStatus } from "../session/event";
import { linkLost, linkOpened, linkPending, linkPop, linkPtr } from "../session/link";
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
import { Status } from "../status";
import { linePush, lineRoom, lineTail } from "../wire/line";

/** Longest atKey with its `cached:`. */
const OP_KEY_CAP: u32 = 255;

export function core_init(): i32 {
  return sessionInit();
}

export function config_ptr(): usize {
  return OP_VALUE;
}

export function config_cap(): u32 {
  return OP_VALUE_CAP;
}

export function config_set(field: i32, len: u32): i32 {
  return sessionConfig(field, len);
}

export function session_start(monitor: i32): i32 {
  return sessionStart(monitor !== 0);
}

export function session_stop(): i32 {
  sessionStop();
  return Status.Done;
}

export function session_poll(): i32 {
  return sessionPoll();
}

export function poll_delay_ms(): i32 {
  return sessionDelay();
}

export function address_ptr(): usize {
  return configPtr(sessionAddress());
}

export function address_len(): u32 {
  return configLen(sessionAddress());
}

export function link_opened(): void {
  linkOpened();
}

export function link_failed(): void {
  linkLost();
}

export function link_closed(): void {
  linkLost();
}

export function rx_ptr(): usize {
  return lineTail();
}

export function rx_room(): u32 {
  return lineRoom();
}

export function rx_push(len: u32): i32 {
  if (len > lineRoom()) return Status.NoRoom;
  linePush(len);
  if (len > 0) sessionHear();
  return Status.Done;
}

export function tx_ptr(): usize {
  return linkPtr();
}

export function tx_len(): u32 {
  return linkPending();
}

export function tx_pop(len: u32): i32 {
  if (len > linkPending()) return Status.BadArgument;
  linkPop(len);
  return Status.Done;
}

export function op_key_ptr(): usize {
  return OP_KEY;
}

export function op_key_cap(): u32 {
  return OP_KEY_CAP;
}

export function op_value_ptr(): usize {
  return OP_VALUE;
}

export function op_value_cap(): u32 {
  return VALUE_MAX;
}

export function op_ttl(ms: i64): i32 {
  if (ms < 0) return Status.BadArgument;
  operationTtl(ms);
  return Status.Done;
}

export function op_start(kind: i32, keyLen: u32, valueLen: u32): i32 {
  return sessionOperate(kind, keyLen, valueLen);
}

export function event_kind(): i32 {
  return eventKind();
}

export function event_status(): i32 {
  return eventStatus();
}

export function event_op(): i32 {
  return eventOperation();
}

export function event_ptr(field: i32): usize {
  return eventPtr(field);
}

export function event_len(field: i32): u32 {
  return eventLen(field);
}

export function event_done(): i32 {
  sessionEventDone();
  return Status.Done;
}

export function state(): i32 {
  return machineState();
}
