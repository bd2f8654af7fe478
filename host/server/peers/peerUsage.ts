// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import type { Store, StoredRecord, StoreObserver } from "../../store/store.ts";
import { AtError } from "../../wire/errors.ts";
import type { MetadataOptions } from "../../wire/metadata.ts";
import type { Notification } from "../../wire/notification.ts";
import type { Tuning } from "../config/config.ts";

/** What a peer's atSign makes this atServer keep. */
export type UsageKind = "notifications" | "cached";

interface Use {
  count: number;
  bytes: number;
}

/** What a record or notification takes besides its texts, bytes. */
const OVERHEAD_BYTES = 128;
const CACHED = "cached:";

function bytesOf(...texts: readonly (string | null | undefined)[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ""), OVERHEAD_BYTES);
}

/** Bytes a notification counts as. */
export function sizeOfNotification(
  notification: Pick<Notification, "id" | "key" | "notifier" | "value" | "metadata">,
): number {
  const { id, key, notifier, value, metadata } = notification;
  return bytesOf(id, key, notifier, value, JSON.stringify(metadata));
}

/** Bytes a cached record counts as. */
export function sizeOfRecord(key: string, { value, metadata }: StoredRecord): number {
  return bytesOf(key, value, JSON.stringify(metadata));
}

const limitsOf = {
  notifications: { count: "peerMaxNotifications", bytes: "peerMaxNotificationBytes" },
  cached: { count: "peerMaxCachedRecords", bytes: "peerMaxCachedBytes" },
} as const satisfies Record<UsageKind, Record<keyof Use, keyof Tuning>>;

const words = { notifications: "notifications", cached: "cached records" } as const;

const nameOf = (kind: UsageKind, peer: string): string => `${kind} ${peer}`;

/** The atSign at the end of a key. */
const ownerOf = (key: string): string => key.slice(key.lastIndexOf("@"));

/** Adds to the count under a name; a count of 0 is removed. */
function change(uses: Map<string, Use>, name: string, count: number, bytes: number): void {
  const before = uses.get(name);
  const after = { count: (before?.count ?? 0) + count, bytes: (before?.bytes ?? 0) + bytes };
  if (after.count === 0 && after.bytes === 0) uses.delete(name);
  else uses.set(name, after);
}

/**
 * How much is kept of each peer, and how much may be: its notifications and the copies of its records. It is counted once at
 * the start, and along with every write from then on.
 */
export class PeerUsage implements StoreObserver {
  private readonly store: Store;
  private readonly atSign: string;
  private readonly tuning: Tuning;
  /** Undefined when it has to be counted anew. */
  private kept: Map<string, Use> | undefined;
  /** Reservations for what is about to be written. */
  private readonly reserved = new Map<string, Use>();

  constructor(store: Store, atSign: string, tuning: Tuning) {
    this.store = store;
    this.atSign = atSign;
    this.tuning = tuning;
    this.countAll();
    store.observe(this);
  }

  record(key: string, before: StoredRecord | undefined, after: StoredRecord | undefined): void {
    if (!key.startsWith(CACHED)) return;
    if (before !== undefined) this.count("cached", ownerOf(key), -1, sizeOfRecord(key, before));
    if (after !== undefined) this.count("cached", ownerOf(key), 1, sizeOfRecord(key, after));
  }

  notification(before: Notification | undefined, after: Notification | undefined): void {
    if (before !== undefined) this.countNotification(before, -1);
    if (after !== undefined) this.countNotification(after, 1);
  }

  failed(): void {
    this.kept = undefined;
  }

  /** What is kept of a peer, and is about to be. */
  of(kind: UsageKind, peer: string): Use {
    const name = nameOf(kind, peer);
    const kept = (this.kept ?? this.countAll()).get(name);
    const reserved = this.reserved.get(name);
    return {
      count: (kept?.count ?? 0) + (reserved?.count ?? 0),
      bytes: (kept?.bytes ?? 0) + (reserved?.bytes ?? 0),
    };
  }

  /**
   * Takes room for what is written next, until what is given back is called. Throws AT0028 when the peer has no more; what
   * takes none is always let in.
   */
  reserve(kind: UsageKind, peer: string, wanted: Use): () => void {
    const used = this.of(kind, peer);
    for (const unit of ["count", "bytes"] as const) {
      if (wanted[unit] <= 0 || used[unit] + wanted[unit] <= this.tuning[limitsOf[kind][unit]])
        continue;
      throw new AtError(
        "AT0028",
        `No more ${words[kind]} of ${peer} are kept until some of them have expired`,
      );
    }
    const name = nameOf(kind, peer);
    const [count, bytes] = [Math.max(0, wanted.count), Math.max(0, wanted.bytes)];
    change(this.reserved, name, count, bytes);
    return () => change(this.reserved, name, -count, -bytes);
  }

  /** `reserve` for a copy of a peer's record, which may replace an earlier one. */
  reserveCopy(
    key: string,
    peer: string,
    value: string | null,
    options: MetadataOptions,
  ): () => void {
    const held = this.store.record(key);
    const before = held === undefined ? 0 : sizeOfRecord(key, held);
    const after = bytesOf(key, value, JSON.stringify(options));
    return this.reserve("cached", peer, {
      count: held === undefined ? 1 : 0,
      bytes: after - before,
    });
  }

  private countAll(): Map<string, Use> {
    const kept = new Map<string, Use>();
    this.kept = kept;
    for (const [key, record] of this.store.records(CACHED)) this.record(key, undefined, record);
    for (const [, notification] of this.store.notifications())
      this.countNotification(notification, 1);
    return kept;
  }

  private countNotification(notification: Notification, sign: 1 | -1): void {
    const { type, from } = notification;
    if (type !== "received" || from === this.atSign) return;
    this.count("notifications", from, sign, sizeOfNotification(notification));
  }

  private count(kind: UsageKind, peer: string, sign: 1 | -1, bytes: number): void {
    if (this.kept !== undefined) change(this.kept, nameOf(kind, peer), sign, sign * bytes);
  }
}
