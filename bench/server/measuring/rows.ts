// SPDX-License-Identifier: BSD-3-Clause
import type { Spread } from "./figures.ts";

/** The rows of bench/results/server.json; null where the program beside ours is not installed. */
export type Rows = {
  /** Notify end to end, p50, over a bare TLS relay with the same legs. */
  notifyP50OverRelay: number | null;
  notifyP99Ms: number | null;
  /** Processor time a message, the busier atServer over mosquitto, window 64. */
  notifyCpuOverMosquitto: number | null;
  /** Updates a second, window 64, over records a second of an append log flushed every 64. */
  updateOverRawLog: number | null;
  idleRssBytes: number | null;
  idleAnonBytes: number | null;
  loadRssBytes: number | null;
  /** From the start of the process to its greeting. */
  restartMillionMs: number | null;
  /** Lookups a second over GETs a second, 50 connections, one request at a time on each. */
  directoryOverRedis: number | null;
  directoryBytesPerEntry: number | null;
  /** Notify end to end, p99, while strangers and a hostile peer attack the atServer and the atDirectory. */
  hostileP99Ms: number | null;
};

export type RowResult = {
  readonly rows: Partial<Rows>;
  readonly details: Readonly<Record<string, Spread>>;
};
