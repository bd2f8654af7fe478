// SPDX-License-Identifier: BSD-3-Clause

import type { Metadata } from "../wire/metadata.ts";
import type { Notification } from "../wire/notification.ts";
import { OperatorError } from "../wire/trace.ts";

/** Version of what is on disk; a store written by a newer one is refused. */
export const SCHEMA_VERSION = 2;

/** What is at a place where a store should be, or should not: none, one, one that is in use, one of somebody else. */
export type StorePlace = "missing" | "taken" | "busy" | "foreign";

/** The store can't be opened, or can't keep what was to be written; the message is a sentence for the operator. */
export class StoreError extends OperatorError {
  override readonly name = "StoreError";
  /** Set when nothing else is wrong. */
  readonly place: StorePlace | undefined;

  constructor(message: string, { cause, place }: { cause?: unknown; place?: StorePlace } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.place = place;
  }
}

export interface StoredRecord {
  value: string | null;
  metadata: Metadata;
}

/** What of a notification changes while it is being delivered. */
export type Delivery = Pick<Notification, "status" | "retryCount" | "priority">;

/** `*` value and metadata, `#` metadata only, `+` value only, `-` removed (atProtocol, commit log). */
export type CommitOperation = "+" | "#" | "*" | "-";

export interface CommitEntry {
  commitId: number;
  key: string;
  operation: CommitOperation;
  /** ms since the epoch. */
  time: number;
}

export interface AccessEntry {
  atSign: string;
  verb: string;
  /** ms since the epoch. */
  time: number;
  key?: string;
}

/** How many entries the commit log, the access log and the notification store have. */
export interface StoreCounts {
  commits: number;
  accesses: number;
  notifications: number;
}

/** Reads see what was written before, whether or not it has reached the disk yet. */
export interface StoreReader {
  record(key: string): StoredRecord | undefined;
  /** Another number than before once a record of the namespace `__manage` was written or removed. */
  managedVersion(): number;
  /** All records, or those whose keys begin with `prefix`, in ascending order of their keys, from behind `after` on. */
  records(prefix?: string, after?: string): Iterable<[key: string, record: StoredRecord]>;
  /** Keys of records whose `expiresAt` is before `now`, the earliest first. */
  expired(now: number): string[];
  hasNotification(id: string): boolean;
  notification(id: string): Notification | undefined;
  /** Notifications with their places, in the order they were put, from behind a place on. A later place is a greater one. */
  notifications(after?: number): Iterable<[place: number, notification: Notification]>;
  /** Ids of notifications whose `expiresAt` is before `now`, oldest first. */
  expiredNotifications(now: number): string[];
  /** Highest commit id, -1 before the first. It never falls, not even when its entry is gone. */
  lastCommitId(): number;
  /** Entries with an id above `commitId`, ascending; a key has one entry, its latest. */
  commitsAfter(commitId: number): Iterable<CommitEntry>;
  /** Entries with an id below `commitId`, descending. */
  commitsBefore(commitId: number): Iterable<CommitEntry>;
  commitOf(key: string): CommitEntry | undefined;
  /** The access log, oldest first. */
  accesses(): Iterable<AccessEntry>;
  counts(): StoreCounts;
  /** Bytes everything takes where it is kept. */
  bytes(): number;
}

export interface StoreWriter extends StoreReader {
  /**
   * Writes a record. With an operation it is committed and the new commit id is returned, otherwise -1.
   * `replaced`: the old record if already read, null if there was none; saves a read.
   */
  put(
    key: string,
    record: StoredRecord,
    operation?: CommitOperation,
    replaced?: StoredRecord | null,
  ): number;
  /** Removes a record, there or not; committed when asked, with the time given or now. Returns as `put`. */
  remove(key: string, commit: boolean, time?: number): number;
  /** Takes a key's entry out of the commit log; its id isn't used again. */
  forgetCommit(key: string): void;
  putNotification(notification: Notification): void;
  /** Notes how the delivery of a kept notification goes; false, and nothing is written, when it is gone. */
  putDelivery(id: string, delivery: Delivery): boolean;
  removeNotification(id: string): void;
  logAccess(entry: AccessEntry): void;
  /** Drops the oldest entries of the access log until `keep` are left. */
  trimAccesses(keep: number): void;
}

/** Whether a record is of the namespace in which enrollments are kept. */
export function isManaged(key: string): boolean {
  return key.includes(".__manage@");
}

/** Told of what changes, within the write that changes it. */
export interface StoreObserver {
  record(key: string, before: StoredRecord | undefined, after: StoredRecord | undefined): void;
  /** Not told of how deliveries go. */
  notification(before: Notification | undefined, after: Notification | undefined): void;
  /** Nothing that was reported since the last successful write is kept. */
  failed(): void;
}

/**
 * What an atServer keeps. `write` runs its action alone, in the order of the calls, and resolves once everything the
 * action wrote is durable; writes that come together share one flush. An action throws before its first write or not at all.
 * When the disk doesn't take it, nothing of it is kept and StoreError is thrown; reads go on, and later writes may succeed.
 */
export interface Store extends StoreReader {
  write<T>(action: (writer: StoreWriter) => T): Promise<T>;
  /** Lets one observer, the latest, know of every change from now on. */
  observe(observer: StoreObserver): void;
  /** Resolves when what was being written is durable; writes that come later reject with StoreError. */
  close(): Promise<void>;
}
