// SPDX-License-Identifier: BSD-3-Clause
import type { Notification } from "../wire/notification.ts";
import {
  type AccessEntry,
  type CommitEntry,
  type CommitOperation,
  type Delivery,
  isManaged,
  type Store,
  type StoreCounts,
  type StoredRecord,
  type StoreObserver,
  type StoreWriter,
} from "./store.ts";

class MemoryStore implements Store, StoreWriter {
  private readonly held = new Map<string, StoredRecord>();
  private readonly notes = new Map<string, [place: number, notification: Notification]>();
  private places = 0;
  private readonly commits = new Map<string, CommitEntry>();
  private log: AccessEntry[] = [];
  private last = -1;
  private version = 0;
  private readonly now: () => number;
  private observer: StoreObserver | undefined;

  constructor(now: () => number) {
    this.now = now;
  }

  async write<T>(action: (writer: StoreWriter) => T): Promise<T> {
    return action(this);
  }

  observe(observer: StoreObserver): void {
    this.observer = observer;
  }

  record(key: string): StoredRecord | undefined {
    const record = this.held.get(key);
    return record === undefined ? undefined : structuredClone(record);
  }

  managedVersion(): number {
    return this.version;
  }

  *records(prefix = "", after = ""): Iterable<[string, StoredRecord]> {
    for (const key of [...this.held.keys()].sort()) {
      if (!key.startsWith(prefix) || (after !== "" && key <= after)) continue;
      const record = this.record(key);
      if (record !== undefined) yield [key, record];
    }
  }

  expired(now: number): string[] {
    return [...this.held]
      .flatMap(([key, { metadata }]) =>
        metadata.expiresAt !== undefined && metadata.expiresAt < now
          ? [{ key, at: metadata.expiresAt }]
          : [],
      )
      .sort((a, b) => a.at - b.at)
      .map(({ key }) => key);
  }

  hasNotification(id: string): boolean {
    return this.notes.has(id);
  }

  notification(id: string): Notification | undefined {
    const [, found] = this.notes.get(id) ?? [];
    return found === undefined ? undefined : structuredClone(found);
  }

  *notifications(after = 0): Iterable<[number, Notification]> {
    for (const [place, notification] of this.notes.values()) {
      if (place > after) yield [place, structuredClone(notification)];
    }
  }

  expiredNotifications(now: number): string[] {
    const all = [...this.notes.values()].map(([, notification]) => notification);
    return all.filter(({ expiresAt = now }) => expiresAt < now).map(({ id }) => id);
  }

  lastCommitId(): number {
    return this.last;
  }

  commitsAfter(commitId: number): CommitEntry[] {
    return [...this.commits.values()]
      .filter((entry) => entry.commitId > commitId)
      .sort((a, b) => a.commitId - b.commitId);
  }

  commitsBefore(commitId: number): CommitEntry[] {
    return [...this.commits.values()]
      .filter((entry) => entry.commitId < commitId)
      .sort((a, b) => b.commitId - a.commitId);
  }

  commitOf(key: string): CommitEntry | undefined {
    return this.commits.get(key);
  }

  accesses(): AccessEntry[] {
    return [...this.log];
  }

  counts(): StoreCounts {
    return {
      commits: this.commits.size,
      accesses: this.log.length,
      notifications: this.notes.size,
    };
  }

  bytes(): number {
    return JSON.stringify([[...this.held], [...this.notes], [...this.commits], this.log]).length;
  }

  put(key: string, record: StoredRecord, operation?: CommitOperation): number {
    if (isManaged(key)) this.version += 1;
    this.observer?.record(key, this.held.get(key), record);
    this.held.set(key, structuredClone(record));
    return operation === undefined ? -1 : this.commit(key, operation);
  }

  remove(key: string, commit: boolean, time?: number): number {
    if (isManaged(key)) this.version += 1;
    const removed = this.held.get(key);
    if (removed !== undefined) this.observer?.record(key, removed, undefined);
    this.held.delete(key);
    return commit ? this.commit(key, "-", time) : -1;
  }

  forgetCommit(key: string): void {
    this.commits.delete(key);
  }

  putNotification(notification: Notification): void {
    this.places += 1;
    this.removeNotification(notification.id);
    this.observer?.notification(undefined, notification);
    this.notes.set(notification.id, [this.places, structuredClone(notification)]);
  }

  putDelivery(id: string, delivery: Delivery): boolean {
    const [place, held] = this.notes.get(id) ?? [];
    if (place === undefined || held === undefined) return false;
    this.notes.set(id, [place, { ...held, ...delivery }]);
    return true;
  }

  removeNotification(id: string): void {
    const [, removed] = this.notes.get(id) ?? [];
    if (removed !== undefined) this.observer?.notification(removed, undefined);
    this.notes.delete(id);
  }

  logAccess(entry: AccessEntry): void {
    this.log.push(entry);
  }

  trimAccesses(keep: number): void {
    this.log = keep === 0 ? [] : this.log.slice(-keep);
  }

  async close(): Promise<void> {
    this.held.clear();
  }

  private commit(key: string, operation: CommitOperation, time = this.now()): number {
    this.last += 1;
    this.commits.set(key, { commitId: this.last, key, operation, time });
    return this.last;
  }
}

/** A store that forgets everything when closed, for tests. */
export function openMemoryStore(now: () => number = Date.now): Store {
  return new MemoryStore(now);
}
