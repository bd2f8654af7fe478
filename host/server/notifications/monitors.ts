// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import type { StoreReader } from "../../store/store.ts";
import {
  formatNotificationLine,
  formatStatsLine,
  type Notification,
  type NotificationOperation,
  notificationMatches,
} from "../../wire/notification.ts";
import type { Authorization } from "../access/authorization.ts";
import type { MonitorFilter, Session } from "../access/session.ts";

/** The notifier's part that a starting monitor reads. */
export interface KeptNotifications {
  /** All there are from a place on, in the order they came, in portions; moves the place. */
  stored(cursor: { place: number }): AsyncIterable<Iterable<Notification>>;
  /** Those that came since, at once. */
  rest(cursor: { place: number }): Iterable<Notification>;
  get(id: string): Notification | undefined;
}

/** A line as all monitors get it: encoded once, however many they are, and kept without the lines beside it. */
function bytesOf(line: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(line) + 1);
  bytes.write(line);
  bytes.write("\n", bytes.length - 1);
  return bytes;
}

/** The connections that watch for notifications (atProtocol, monitor). */
export class Monitors {
  private readonly watchers = new Map<Session, MonitorFilter>();
  private readonly atSign: string;
  private readonly now: () => number;
  private readonly authorization: Authorization;
  private readonly timer: NodeJS.Timeout | undefined;

  constructor(
    atSign: string,
    now: () => number,
    authorization: Authorization,
    store: StoreReader,
    statsMillis: number,
  ) {
    this.atSign = atSign;
    this.now = now;
    this.authorization = authorization;
    if (statsMillis > 0) {
      this.timer = setInterval(() => this.pushStats(store.lastCommitId(), "update"), statsMillis);
      this.timer.unref();
    }
  }

  /**
   * Starts watching, replacing what the connection watched before, after replaying what was kept later than `since` (ms
   * since the epoch), oldest first, or nothing.
   */
  async watch(
    session: Session,
    filter: MonitorFilter,
    since: number | undefined,
    kept: KeptNotifications,
  ): Promise<void> {
    const ids: string[] = [];
    const take = (notifications: Iterable<Notification>): void => {
      for (const notification of notifications) {
        const isLater = since !== undefined && notification.createdAt > since;
        if (isLater && this.wants(session, filter, notification)) ids.push(notification.id);
      }
    };
    const cursor = { place: 0 };
    if (since !== undefined) for await (const portion of kept.stored(cursor)) take(portion);
    // From here on nothing is waited for, so that nothing is pushed before it is watched for.
    if (since !== undefined) take(kept.rest(cursor));
    // Hung up while its pattern was read.
    if (session.closed) return;
    this.watchers.set(session, filter);
    session.monitor = filter;
    session.replay(this.replay(ids, (id) => kept.get(id)));
  }

  /** Lines of kept notifications, each read when it is asked for, so that a slow monitor holds ids alone. */
  private *replay(
    ids: readonly string[],
    read: (id: string) => Notification | undefined,
  ): Iterable<Buffer> {
    for (const id of ids) {
      const notification = read(id);
      if (notification !== undefined) yield bytesOf(formatNotificationLine(notification));
    }
  }

  remove(session: Session): void {
    this.watchers.delete(session);
  }

  /** Pushes a notification that is kept to everyone who wants it. */
  publish(notification: Notification): void {
    if (this.watchers.size === 0) return;
    const line = bytesOf(formatNotificationLine(notification));
    for (const [session, watcher] of this.watchers) {
      if (this.wants(session, watcher, notification)) session.push(line);
    }
  }

  /** Sends a commit id to all: keeps connections alive and clients in step. */
  pushStats(commitId: number, operation: NotificationOperation): void {
    if (this.watchers.size === 0) return;
    const line = bytesOf(formatStatsLine(this.atSign, commitId, operation, this.now()));
    for (const [session, { strict, regex }] of this.watchers) {
      if (!strict || regex.test(`statsNotification.${this.atSign}`)) session.push(line);
    }
  }

  close(): void {
    clearInterval(this.timer);
    this.watchers.clear();
  }

  private wants(session: Session, watcher: MonitorFilter, notification: Notification): boolean {
    if (notification.type === "sent") return false;
    if (notification.type === "self" && !watcher.selfNotifications) return false;
    if (!notificationMatches(notification, watcher.regex)) return false;
    return this.authorization.allowsNotification(session, notification.key);
  }
}
