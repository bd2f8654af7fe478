// SPDX-License-Identifier: BSD-3-Clause
import { setImmediate as immediate } from "node:timers/promises";
import type { Logger } from "pino";
import { pauseMillis, retries } from "../../net/retries.ts";
import type { Store } from "../../store/store.ts";
import { AtError } from "../../wire/errors.ts";
import { formatPeerNotify, type Notification } from "../../wire/notification.ts";
import { traceOf } from "../../wire/trace.ts";
import { MAX_NOTIFICATION_MILLIS, type Tuning } from "../config/config.ts";
import type { Counters } from "../config/counters.ts";
import type { Peers } from "../peers/peers.ts";
import { portions } from "../records/portions.ts";
import { DeliveryMarks } from "./deliveryMarks.ts";
import type { Monitors } from "./monitors.ts";

/** Notifications waiting for one recipient from which its atServer is asked whether it takes several at once. */
const MANY = 4;
/** Notifications sent to a peer before it answers the first. */
const MAX_BATCH = 64;

/** The priority of a notification that failed. */
const lower = { high: "medium", medium: "low", low: "low" } as const;

/** What is waiting for one recipient. */
interface Lane {
  waiting: Notification[];
  sending: boolean;
  /** Not tried again before this instant. */
  until: number;
  /** Failures in a row, for the back-off. */
  failures: number;
}

interface Arriving {
  readonly notification: Notification;
  /** Settles when the notification is on disk. */
  readonly stored: Promise<void>;
}

/** How far the notifications of the store were looked through. */
export interface Cursor {
  place: number;
}

export interface NotifierOptions {
  store: Store;
  monitors: Monitors;
  peers: Peers;
  tuning: Tuning;
  counters: Counters;
  log: Logger;
  now: () => number;
  /** Whether nothing is sent to an atSign at the moment. */
  isBlocked: (atSign: string) => boolean;
}

/** A new notification; the notifier adds what only it decides. */
export type NewNotification = Omit<
  Notification,
  "createdAt" | "expiresAt" | "status" | "retryCount"
>;

export function isExpired(notification: Notification, now: number): boolean {
  return notification.expiresAt !== undefined && now > notification.expiresAt;
}

function samePlace(a: Notification, b: Notification): boolean {
  return a.strategy === "latest" && b.strategy === "latest" && a.notifier === b.notifier;
}

/**
 * Keeps notifications and delivers those for others (atProtocol, notifications): stored before they are acknowledged,
 * sent to each recipient in the order they were made, tried again with growing pauses until they expire.
 */
export class Notifier {
  private readonly options: NotifierOptions;
  private readonly lanes = new Map<string, Lane>();
  private readonly timer: NodeJS.Timeout;
  private latest = 0;
  private closed = false;
  private readonly running = new Set<Promise<void>>();
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
        this.lane(notification.to).waiting.push(notification);
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
      await Promise.all([this.storeNew(queued), this.queue(queued, lane)]);
    } catch (error) {
      drop(lane, [queued]);
      throw error;
    }
  }

  private async queue(queued: Notification, lane: Lane): Promise<void> {
    lane.waiting.push(queued);
    lane.until = Math.min(lane.until, this.options.now() + this.pause(lane.failures));
    const superseded = queued.strategy === "latest" ? [this.supersede(lane)] : [];
    this.pumpLane(queued.to, lane, this.options.now());
    await Promise.all(superseded);
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
    const lane = this.lanes.get(recipient);
    if (lane === undefined) return;
    lane.until = 0;
    this.pump();
  }

  get(id: string): Notification | undefined {
    const found = this.options.store.notification(id) ?? this.arriving.get(id)?.notification;
    return found && { ...found, ...this.marks.of(id) };
  }

  /** Notifications that wait for their delivery, those on their way too. */
  get waiting(): number {
    let count = 0;
    for (const { waiting } of this.lanes.values()) count += waiting.length;
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
    for (const lane of this.lanes.values()) {
      lane.waiting = lane.waiting.filter((waiting) => waiting.id !== id);
    }
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
    this.closed = true;
    clearInterval(this.timer);
    await Promise.all(this.running);
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

  /** With strategy latest only the newest `depth` of a notifier stay queued. */
  private async supersede(lane: Lane): Promise<void> {
    if (!lane.waiting.some(({ strategy }) => strategy === "latest")) return;
    const old = lane.waiting.filter((notification, index) => {
      if (notification.strategy !== "latest") return false;
      const newer = lane.waiting.slice(index + 1).filter((other) => samePlace(other, notification));
      const depth = newer.at(-1)?.depth ?? notification.depth;
      return newer.length >= Math.max(1, depth);
    });
    if (old.length === 0) return;
    lane.waiting = lane.waiting.filter((waiting) => !old.includes(waiting));
    await this.options.store.write((writer) => {
      for (const notification of old) {
        writer.putDelivery(notification.id, { ...notification, status: "expired" });
      }
    });
  }

  private lane(recipient: string): Lane {
    let lane = this.lanes.get(recipient);
    if (lane === undefined) {
      lane = { waiting: [], sending: false, until: 0, failures: 0 };
      this.lanes.set(recipient, lane);
    }
    return lane;
  }

  private pump(): void {
    const now = this.options.now();
    for (const [recipient, lane] of this.lanes) {
      if (lane.waiting.length === 0 && !lane.sending) this.lanes.delete(recipient);
      else this.pumpLane(recipient, lane, now);
    }
  }

  private pumpLane(recipient: string, lane: Lane, now: number): void {
    if (lane.sending || lane.waiting.length === 0 || !this.isDue(lane, now)) return;
    if (!this.options.isBlocked(recipient)) this.run(recipient, lane);
    // What waits for a blocked atSign goes on waiting until it expires, or the atSign isn't blocked any more.
    else lane.waiting = lane.waiting.filter((waiting) => !isExpired(waiting, now));
  }

  private run(recipient: string, lane: Lane): void {
    lane.sending = true;
    const run = this.drain(recipient, lane)
      .catch((error: unknown) => {
        lane.failures += 1;
        lane.until = this.options.now() + this.pause(lane.failures);
        if (this.closed) return;
        this.options.log.error({ trace: traceOf(error), recipient }, "delivery stopped");
      })
      .finally(() => {
        lane.sending = false;
        this.running.delete(run);
        if (!this.closed) this.pump();
      });
    this.running.add(run);
  }

  private async drain(recipient: string, lane: Lane): Promise<void> {
    const refused: Notification[] = [];
    // What arrives in the same turn leaves together.
    await immediate();
    while (lane.waiting.length > 0 && !this.closed && !this.options.isBlocked(recipient)) {
      const batch = await this.nextBatch(recipient, lane);
      if (this.options.isBlocked(recipient)) break;
      const failures = await this.deliver(recipient, batch);
      if (this.closed) return;
      drop(lane, batch);
      const delivered = batch.filter((_, index) => failures[index] === undefined);
      if (delivered.length > 0) {
        lane.failures = 0;
        this.options.counters.notificationsDelivered += delivered.length;
        this.marks.add(delivered);
      }
      if (delivered.length === batch.length) continue;
      const full = batch.filter((_, index) => isFull(failures[index]));
      const isGone = (next: Notification): boolean =>
        delivered.includes(next) || full.includes(next);
      refused.push(...full, ...(await this.errored(batch.filter((next) => !isGone(next)))));
      if (failures.every((failure) => failure === undefined || isAnswer(failure))) continue;
      lane.failures += 1;
      lane.until = this.options.now() + this.pause(lane.failures);
      // A peer that has no room may have some later, however long that takes.
      if (full.length > 0) break;
      const rest = lane.waiting;
      lane.waiting = [];
      refused.push(...(await this.errored(rest)));
      break;
    }
    if (refused.length === 0) return;
    lane.until = Math.max(lane.until, this.options.now() + this.pause(Math.max(1, lane.failures)));
    lane.waiting = [...refused, ...lane.waiting].sort((a, b) => a.createdAt - b.createdAt);
    await this.supersede(lane);
  }

  /** What to send next, without what expired: one, or many to a peer that need not answer one before it gets the next. */
  private async nextBatch(recipient: string, lane: Lane): Promise<Notification[]> {
    const now = this.options.now();
    if (lane.waiting.some((waiting) => isExpired(waiting, now))) {
      lane.waiting = lane.waiting.filter((waiting) => !isExpired(waiting, now));
    }
    const many = lane.waiting.length >= MANY && (await this.options.peers.overlaps(recipient));
    return lane.waiting.slice(0, many ? MAX_BATCH : 1);
  }

  /** What went wrong with each, undefined when the peer took it. */
  private async deliver(
    recipient: string,
    batch: readonly Notification[],
  ): Promise<(AtError | undefined)[]> {
    const answers = await this.ask(recipient, batch);
    return answers.map((answer, index) => {
      if (answer === "success") return undefined;
      const failure =
        answer instanceof AtError
          ? answer
          : new AtError("AT0003", `unexpected answer to notify: ${answer.slice(0, 40)}`);
      const id = batch[index]?.id;
      this.options.counters.notificationsErrored += 1;
      this.options.log.info({ recipient, id, code: failure.code }, "notification not delivered");
      return failure;
    });
  }

  private async ask(
    recipient: string,
    batch: readonly Notification[],
  ): Promise<(string | AtError)[]> {
    const { peers, tuning } = this.options;
    const commands = batch.map(formatPeerNotify);
    try {
      return await peers.requestAll(recipient, "notify", commands, tuning.peerNotifyTimeoutMillis);
    } catch (error) {
      if (!(error instanceof AtError)) throw error;
      return batch.map(() => error);
    }
  }

  /** Marks notifications as failed; gives back those to be tried again, without any removed meanwhile. */
  private async errored(failed: Notification[]): Promise<Notification[]> {
    const marked = await this.options.store.write((writer) => {
      const errored = failed.map((notification): Notification => {
        const retryCount = notification.retryCount + 1;
        const priority = lower[notification.priority];
        return { ...notification, status: "errored", retryCount, priority };
      });
      return errored.filter((notification) => writer.putDelivery(notification.id, notification));
    });
    const { notificationMaxRetries } = this.options.tuning;
    return marked.filter(({ retryCount }) => retryCount < notificationMaxRetries);
  }

  private pause(failures: number): number {
    if (failures === 0) return 0;
    const firstMillis = this.options.tuning.notificationQuarantineMillis;
    const mostMillis = this.longestPause();
    return pauseMillis({ ...retries.notificationDelivery, firstMillis, mostMillis }, failures);
  }

  private longestPause(): number {
    const { mostMillis } = retries.notificationDelivery;
    return Math.max(this.options.tuning.notificationQuarantineMillis, mostMillis);
  }

  /** Whether a lane's pause is over; one longer than any was made before the clock went back. */
  private isDue({ until }: Lane, now: number): boolean {
    return until <= now || until - now > this.longestPause();
  }
}

/** The items of a list, each of which leaves it. */
function* taken<T>(list: T[]): Iterable<T> {
  for (let item = list.shift(); item !== undefined; item = list.shift()) yield item;
}

function drop(lane: Lane, gone: readonly Notification[]): void {
  const all = new Set(gone);
  lane.waiting = lane.waiting.filter((waiting) => !all.has(waiting));
}

/** Errors the peer answered with: the connection is good, the next notification may pass. */
function isAnswer(error: AtError): boolean {
  const isNone = ["AT0004", "AT0005", "AT0006", "AT0007", "AT0008", "AT0023"].includes(error.code);
  return !isNone && !isFull(error);
}

/** The peer keeps no more of this atServer for now. */
function isFull(error: AtError | undefined): boolean {
  return error?.code === "AT0028";
}
