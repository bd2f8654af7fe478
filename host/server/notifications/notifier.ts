// SPDX-License-Identifier: BSD-3-Clause
import type { Notification } from "../../wire/notification.ts";
import { traceOf } from "../../wire/trace.ts";
import { MAX_NOTIFICATION_MILLIS } from "../config/config.ts";
import { portions } from "../records/portions.ts";
import { DeliveryMarks } from "./deliveryMarks.ts";
import { isExpired, Lane, type LaneOptions } from "./lane.ts";
import type { Monitors } from "./monitors.ts";

interface Arriving {
  readonly notification: Notification;
  /** Settles when the notification is on disk. */
  readonly stored: Promise<void>;
}

/** Cursor: how far the stored notifications were read. */
export interface Cursor {
  place: number;
}

export interface NotifierOptions extends Omit<LaneOptions, "marks" | "closing"> {
  readonly monitors: Monitors;
}

/** A new notification; the notifier adds what only it decides. */
export type NewNotification = Omit<
  Notification,
  "createdAt" | "expiresAt" | "status" | "retryCount"
>;

/**
 * Keeps notifications (atProtocol, notifications): stored before they are acknowledged, shown to the owner's monitors, or
 * queued for the atServers of others, a lane each.
 */
export class Notifier {
  private readonly options: NotifierOptions;
  private readonly lanes = new Map<string, Lane>();
  private readonly timer: NodeJS.Timeout;
  private readonly closing = new AbortController();
  private latest = 0;
  /** Notifications on their way to the disk; they count as kept for all but their acknowledgement. */
  private readonly arriving = new Map<string, Arriving>();
  private readonly marks: DeliveryMarks;

  constructor(options: NotifierOptions) {
    this.options = options;
    const { store, log } = options;
    this.marks = new DeliveryMarks(store, (error) =>
      log.error({ trace: traceOf(error) }, "delivery not noted"),
    );
    this.timer = setInterval(() => this.pump(), options.tuning.notificationJobMillis);
    this.timer.unref();
  }

  /** Takes up what an earlier process left unsent, and forgets what expired. */
  async start(): Promise<void> {
    const { store, tuning, now } = this.options;
    for (const [, notification] of store.notifications()) {
      this.latest = Math.max(this.latest, notification.createdAt);
      const open =
        notification.status === "queued" ||
        (notification.status === "errored" &&
          notification.retryCount < tuning.notificationMaxRetries);
      if (notification.type === "sent" && open && !isExpired(notification, now())) {
        this.lane(notification.to).takeUp(notification);
      }
    }
    await this.removeExpired();
    this.pump();
  }

  /**
   * Stores a notification for another atSign and queues it; one with a known id changes nothing. It is sent while it is
   * stored: the disk is what its sender waits for, not its receiver.
   */
  async send(notification: NewNotification): Promise<void> {
    const kept = this.isKept(notification.id);
    if (kept !== false) {
      await kept;
      return;
    }
    const queued = this.complete(notification, "queued");
    this.options.counters.notificationsQueued += 1;
    const lane = this.lane(queued.to);
    try {
      await Promise.all([this.storeNew(queued), lane.add(queued)]);
    } catch (error) {
      lane.remove(queued.id);
      throw error;
    }
  }

  /**
   * Shows a notification to the owner's monitors and stores it; resolves when it is on disk. One with a known id is not
   * shown again.
   */
  async receive(notification: NewNotification): Promise<void> {
    const kept = this.isKept(notification.id);
    if (kept !== false) {
      await kept;
      return;
    }
    const received = this.complete(notification, "delivered");
    this.options.counters.notificationsReceived += 1;
    await Promise.all([this.storeNew(received), this.show(received)]);
  }

  private async show(received: Notification): Promise<void> {
    this.options.monitors.publish(received);
  }

  /** Whether a notification is known; one that is on its way to the disk is waited for. */
  isKept(id: string): boolean | Promise<boolean> {
    const arriving = this.arriving.get(id);
    if (arriving !== undefined) return arriving.stored.then(() => true);
    return this.options.store.hasNotification(id);
  }

  /** Tries a recipient again at once: its atServer has just been heard of. */
  nudge(recipient: string): void {
    this.lanes.get(recipient)?.nudge();
  }

  get(id: string): Notification | undefined {
    const found = this.options.store.notification(id) ?? this.arriving.get(id)?.notification;
    return found && { ...found, ...this.marks.of(id) };
  }

  /** Notifications that wait for their delivery, those on their way too. */
  get waiting(): number {
    let count = 0;
    for (const lane of this.lanes.values()) count += lane.length;
    return count;
  }

  /** Unexpired notifications, oldest first; in portions, with other connections' turns in between. */
  async *all(): AsyncGenerator<Iterable<Notification>, void, undefined> {
    const cursor = { place: 0 };
    yield* this.stored(cursor);
    const left = [...this.rest(cursor)];
    while (left.length > 0) yield taken(left);
  }

  /** Those that are on disk, from behind the cursor on, which moves along. */
  async *stored(cursor: Cursor): AsyncGenerator<Iterable<Notification>, void, undefined> {
    const from = (place: number) => this.options.store.notifications(place);
    const items = portions(from, ([place]) => place, cursor.place);
    for await (const portion of items) yield this.shown(portion, cursor);
  }

  /** Those behind the cursor, at once, on disk or on their way there. */
  *rest(cursor: Cursor): Iterable<Notification> {
    const { store } = this.options;
    yield* this.shown(store.notifications(cursor.place), cursor);
    for (const { notification } of this.arriving.values()) {
      // Read, because its id is known some time before it can be.
      if (store.notification(notification.id) !== undefined) continue;
      yield { ...notification, ...this.marks.of(notification.id) };
    }
  }

  async remove(id: string): Promise<void> {
    for (const lane of this.lanes.values()) lane.remove(id);
    await this.options.store.write((writer) => writer.removeNotification(id));
  }

  async removeExpired(): Promise<void> {
    const now = this.options.now();
    await this.options.store.write((writer) => {
      for (const id of writer.expiredNotifications(now)) writer.removeNotification(id);
    });
  }

  /** Sends nothing more; resolves when what was being sent has come to its end. */
  async close(): Promise<void> {
    this.closing.abort();
    clearInterval(this.timer);
    await Promise.all([...this.lanes.values()].map((lane) => lane.settled()));
    await this.marks.close();
  }

  private *shown(
    items: Iterable<[place: number, notification: Notification]>,
    cursor: Cursor,
  ): Iterable<Notification> {
    const now = this.options.now();
    for (const [place, found] of items) {
      cursor.place = place;
      if (!isExpired(found, now)) yield { ...found, ...this.marks.of(found.id) };
    }
  }

  private complete(notification: NewNotification, status: Notification["status"]): Notification {
    const now = this.options.now();
    // Clients resume after the last instant they saw, so no two notifications share one.
    this.latest = Math.max(now, this.latest + 1);
    const wanted = notification.ttl || this.options.tuning.notificationExpiryMillis;
    const ttl = Math.min(wanted, MAX_NOTIFICATION_MILLIS);
    const { id, from, to, key, type, operation, messageType, priority } = notification;
    const { strategy, notifier, depth, value, isEncrypted, metadata } = notification;
    return {
      id,
      from,
      to,
      key,
      type,
      operation,
      messageType,
      priority,
      strategy,
      notifier,
      depth,
      value,
      isEncrypted,
      metadata,
      ttl,
      createdAt: this.latest,
      expiresAt: now + ttl,
      status,
      retryCount: 1,
    };
  }

  private storeNew(notification: Notification): Promise<void> {
    const { id } = notification;
    const stored = this.options.store
      .write((writer) => writer.putNotification(notification))
      .finally(() => this.arriving.delete(id));
    this.arriving.set(id, { notification, stored });
    return stored;
  }

  private lane(recipient: string): Lane {
    let lane = this.lanes.get(recipient);
    if (lane === undefined) {
      lane = new Lane(recipient, {
        ...this.options,
        marks: this.marks,
        closing: this.closing.signal,
      });
      this.lanes.set(recipient, lane);
    }
    return lane;
  }

  private pump(): void {
    for (const [recipient, lane] of this.lanes) {
      if (lane.isIdle) this.lanes.delete(recipient);
      else lane.pump();
    }
  }
}

/** The items of a list, each of which leaves it. */
function* taken<T>(list: T[]): Iterable<T> {
  for (let item = list.shift(); item !== undefined; item = list.shift()) yield item;
}
