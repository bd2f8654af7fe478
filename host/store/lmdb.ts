// SPDX-License-Identifier: BSD-3-Clause
import type { Database, RootDatabase } from "lmdb";
import type { Notification } from "../wire/notification.ts";
import { GroupCommit } from "./groupCommit.ts";
import { NotificationPlaces } from "./notificationPlaces.ts";
import { EXPIRES_AT, ID, type NotificationRow, notificationOf, rowOf } from "./notificationRow.ts";
import { openLmdb, writeFailure } from "./openLmdb.ts";
import { adoptOwner, adoptSchema, requireKind, schemaOf } from "./schema.ts";
import {
  type AccessEntry,
  type CommitEntry,
  type CommitOperation,
  type Delivery,
  isManaged,
  SCHEMA_VERSION,
  type Store,
  type StoreCounts,
  type StoredRecord,
  StoreError,
  type StoreObserver,
  type StoreWriter,
} from "./store.ts";

const LAST_COMMIT = "lastCommitId";
/** Behind every character a key begins with or goes on with. */
const LAST_CHARACTER = "\u{10ffff}";
/** Longest key LMDB takes with pages of 4 096 bytes. */
const MAX_KEY_BYTES = 1_978;

/** A key that LMDB can hold; any other is of nothing that was ever stored. */
function fits(key: string): boolean {
  return Buffer.byteLength(key) < MAX_KEY_BYTES;
}

/** What of LMDB's own statistics is used. */
interface TreeStatistics {
  entryCount: number;
  pageSize: number;
  lastPageNumber: number;
}

function statistics(tree: { getStats(): object }): TreeStatistics {
  return tree.getStats() as TreeStatistics;
}

type DeliveryRow = readonly [Delivery["status"], Delivery["retryCount"], Delivery["priority"]];

class LmdbStore implements Store, StoreWriter {
  private readonly root: RootDatabase;
  private readonly meta: Database<number, string>;
  private readonly held: Database<StoredRecord, string>;
  private readonly expiry: Database<true, [number, string]>;
  private readonly commits: Database<CommitEntry, number>;
  private readonly commitIds: Database<number, string>;
  /** In the order of their arrival: what comes together lies together, and one page takes many. */
  private readonly notes: Database<NotificationRow, number>;
  private readonly places: NotificationPlaces;
  private readonly deliveries: Database<DeliveryRow, number>;
  private readonly log: Database<AccessEntry, number>;
  private readonly path: string;
  private readonly now: () => number;
  private readonly group = new GroupCommit((run) => this.transact(run));
  private version = 0;
  /** Highest commit id on disk, and in the transaction that is open. */
  private committed = -1;
  private newest = -1;
  private writing = false;
  private observer: StoreObserver | undefined;

  constructor(root: RootDatabase, path: string, now: () => number) {
    this.root = root;
    this.path = path;
    this.now = now;
    this.meta = root.openDB({ name: "meta" });
    this.held = root.openDB({ name: "records" });
    this.expiry = root.openDB({ name: "expiry" });
    this.commits = root.openDB({ name: "commits" });
    this.commitIds = root.openDB({ name: "commitIds" });
    this.notes = root.openDB({ name: "notifications" });
    const index = root.openDB<number, string>({ name: "notificationPlaces" });
    this.places = new NotificationPlaces({ notes: this.notes, index, meta: this.meta });
    this.deliveries = root.openDB({ name: "deliveries" });
    this.log = root.openDB({ name: "accesses" });
    this.readLastCommit();
  }

  write<T>(action: (writer: StoreWriter) => T): Promise<T> {
    return this.group.write(() => action(this));
  }

  observe(observer: StoreObserver): void {
    this.observer = observer;
  }

  record(key: string): StoredRecord | undefined {
    return fits(key) ? this.held.get(key) : undefined;
  }

  managedVersion(): number {
    return this.version;
  }

  *records(prefix = "", after = ""): Iterable<[string, StoredRecord]> {
    const from = after === "" ? { start: prefix } : { start: after, exclusiveStart: true };
    const to = { end: prefix + LAST_CHARACTER };
    for (const { key, value } of this.held.getRange({ ...from, ...to })) yield [key, value];
  }

  expired(now: number): string[] {
    return [...this.expiry.getKeys({ end: [now, ""] })].map(([, key]) => key);
  }

  hasNotification(id: string): boolean {
    return this.placeOf(id) !== undefined;
  }

  notification(id: string): Notification | undefined {
    const place = this.placeOf(id);
    if (place === undefined) return undefined;
    const row = this.notes.get(place);
    return row && this.withDelivery(notificationOf(row), place);
  }

  *notifications(after = 0): Iterable<[number, Notification]> {
    for (const { key, value } of this.notes.getRange({ start: after + 1 })) {
      yield [key, this.withDelivery(notificationOf(value), key)];
    }
  }

  expiredNotifications(now: number): string[] {
    const ids: string[] = [];
    for (const { value } of this.notes.getRange()) {
      const expiresAt = value[EXPIRES_AT];
      if (expiresAt !== undefined && expiresAt < now) ids.push(value[ID]);
    }
    return ids;
  }

  lastCommitId(): number {
    return this.writing ? this.newest : this.committed;
  }

  *commitsAfter(commitId: number): Iterable<CommitEntry> {
    for (const { value } of this.commits.getRange({ start: commitId + 1 })) yield value;
  }

  *commitsBefore(commitId: number): Iterable<CommitEntry> {
    const range = this.commits.getRange({ start: commitId - 1, reverse: true });
    for (const { value } of range) yield value;
  }

  commitOf(key: string): CommitEntry | undefined {
    const id = fits(key) ? this.commitIds.get(key) : undefined;
    return id === undefined ? undefined : this.commits.get(id);
  }

  *accesses(): Iterable<AccessEntry> {
    for (const { value } of this.log.getRange()) yield value;
  }

  counts(): StoreCounts {
    return {
      commits: statistics(this.commits).entryCount,
      accesses: statistics(this.log).entryCount,
      notifications: statistics(this.notes).entryCount,
    };
  }

  bytes(): number {
    const { pageSize, lastPageNumber } = statistics(this.root);
    return pageSize * (lastPageNumber + 1);
  }

  put(
    key: string,
    record: StoredRecord,
    operation?: CommitOperation,
    replaced: StoredRecord | null = this.record(key) ?? null,
  ): number {
    if (isManaged(key)) this.version += 1;
    this.dropExpiry(key, replaced);
    this.held.putSync(key, record);
    this.observer?.record(key, replaced ?? undefined, record);
    const { expiresAt } = record.metadata;
    if (expiresAt !== undefined) this.expiry.putSync([expiresAt, key], true);
    return operation === undefined ? -1 : this.commit(key, operation);
  }

  remove(key: string, commit: boolean, time?: number): number {
    if (isManaged(key)) this.version += 1;
    const removed = this.record(key);
    this.dropExpiry(key, removed ?? null);
    this.held.removeSync(key);
    if (removed !== undefined) this.observer?.record(key, removed, undefined);
    return commit ? this.commit(key, "-", time) : -1;
  }

  forgetCommit(key: string): void {
    const commitId = this.commitIds.get(key);
    if (commitId === undefined) return;
    this.commits.removeSync(commitId);
    this.commitIds.removeSync(key);
  }

  putNotification(notification: Notification): void {
    this.removeNotification(notification.id);
    this.notes.putSync(this.places.add(notification.id), rowOf(notification));
    this.observer?.notification(undefined, notification);
  }

  putDelivery(id: string, { status, retryCount, priority }: Delivery): boolean {
    const place = this.placeOf(id);
    if (place !== undefined) this.deliveries.putSync(place, [status, retryCount, priority]);
    return place !== undefined;
  }

  removeNotification(id: string): void {
    const place = this.placeOf(id);
    if (place === undefined) return;
    const row = this.observer && this.notes.get(place);
    if (row !== undefined) this.observer?.notification(notificationOf(row), undefined);
    this.places.remove(id);
    this.notes.removeSync(place);
    this.deliveries.removeSync(place);
  }

  logAccess(entry: AccessEntry): void {
    const [latest] = this.log.getKeys({ reverse: true, limit: 1 });
    this.log.putSync((latest ?? 0) + 1, entry);
  }

  trimAccesses(keep: number): void {
    const surplus = this.log.getKeysCount() - keep;
    if (surplus <= 0) return;
    for (const key of [...this.log.getKeys({ limit: surplus })]) this.log.removeSync(key);
  }

  async close(): Promise<void> {
    await this.group.close();
    await this.root.close();
  }

  private readLastCommit(): void {
    this.committed = this.meta.get(LAST_COMMIT) ?? -1;
    this.newest = this.committed;
  }

  private async transact(run: () => void): Promise<void> {
    const before = this.version;
    try {
      await this.root.transaction(() => this.runWithin(run));
      this.committed = this.newest;
    } catch (error) {
      this.readLastCommit();
      this.places.load();
      this.observer?.failed();
      throw await writeFailure(error, this.path);
    } finally {
      // Readers outside the transaction see the change only now.
      if (this.version !== before) this.version += 1;
    }
  }

  private runWithin(run: () => void): void {
    this.writing = true;
    run();
    this.writing = false;
    if (this.newest !== this.committed) this.meta.putSync(LAST_COMMIT, this.newest);
  }

  private placeOf(id: string): number | undefined {
    return fits(id) ? this.places.find(id) : undefined;
  }

  private withDelivery(notification: Notification, place: number): Notification {
    const row = this.deliveries.get(place);
    if (row === undefined) return notification;
    const [status, retryCount, priority] = row;
    return { ...notification, status, retryCount, priority };
  }

  private dropExpiry(key: string, replaced: StoredRecord | null): void {
    const expiresAt = replaced?.metadata.expiresAt;
    if (expiresAt !== undefined) this.expiry.removeSync([expiresAt, key]);
  }

  private commit(key: string, operation: CommitOperation, time = this.now()): number {
    this.newest += 1;
    const commitId = this.newest;
    const earlier = this.commitIds.get(key);
    if (earlier !== undefined) this.commits.removeSync(earlier);
    this.commits.putSync(commitId, { commitId, key, operation, time });
    this.commitIds.putSync(key, commitId);
    return commitId;
  }
}

/** Before schema 2 notifications lay by their ids, each with the state of its delivery. */
function takeUpNotifications(root: RootDatabase, path: string, now: () => number): void {
  const notes = root.openDB<Notification, string>({ name: "notifications" });
  const found = [...notes.getRange()].map(({ value }) => value);
  for (const { id } of found) notes.removeSync(id);
  const store = new LmdbStore(root, path, now);
  for (const notification of found.sort((a, b) => a.createdAt - b.createdAt)) {
    store.putNotification(notification);
  }
}

const SIGNING_KEY = "public:signing_publickey";

/** The atSigns whose atServers made their signing keys in a store: one, if any ever started there. */
function ownersOf(root: RootDatabase): string[] {
  const held = root.openDB<StoredRecord, string>({ name: "records" });
  const keys = held.getKeys({ start: `${SIGNING_KEY}@`, end: `${SIGNING_KEY}@\uffff` });
  return [...keys].map((key) => key.slice(SIGNING_KEY.length));
}

/**
 * Opens, or makes, the store in a folder, that of the atSign `owner` when one is given. Throws StoreError as `openLmdb`, for a
 * store that a newer program wrote, and for one of another atSign or another kind.
 */
export async function openLmdbStore(
  path: string,
  now: () => number = Date.now,
  owner?: string,
): Promise<Store> {
  const root = openLmdb(path);
  try {
    requireKind(root, { name: "the store of an atServer", database: "records" }, path);
    schemaOf(root, SCHEMA_VERSION, path);
    if (owner !== undefined) adoptOwner(root, owner, path, () => ownersOf(root));
    adoptSchema(root, SCHEMA_VERSION, path, () => takeUpNotifications(root, path, now));
    return new LmdbStore(root, path, now);
  } catch (cause) {
    await root.close();
    if (cause instanceof StoreError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError(`the store in ${path} can't be opened: ${reason}`, { cause });
  }
}
