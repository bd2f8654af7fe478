// SPDX-License-Identifier: BSD-3-Clause
import { setImmediate as immediate } from "node:timers/promises";
import type { Logger } from "pino";
import { pauseMillis, retries } from "../../net/retries.ts";
import type { Store } from "../../store/store.ts";
import { AtError } from "../../wire/errors.ts";
import { formatPeerNotify, type Notification } from "../../wire/notification.ts";
import { traceOf } from "../../wire/trace.ts";
import type { Tuning } from "../config/config.ts";
import type { Counters } from "../config/counters.ts";
import type { Peers } from "../peers/peers.ts";
import type { DeliveryMarks } from "./deliveryMarks.ts";

/** Notifications waiting for one recipient from which its atServer is asked whether it takes several at once. */
const MANY = 4;
/** Notifications sent to a peer before it answers the first. */
const MAX_BATCH = 64;

/** The priority of a notification that failed. */
const lower = { high: "medium", medium: "low", low: "low" } as const;

export interface LaneOptions {
  readonly store: Store;
  readonly peers: Peers;
  readonly tuning: Tuning;
  readonly counters: Counters;
  readonly log: Logger;
  readonly now: () => number;
  /** Whether nothing is sent to an atSign at the moment. */
  readonly isBlocked: (atSign: string) => boolean;
  readonly marks: DeliveryMarks;
  /** Aborted when nothing more is to be sent. */
  readonly closing: AbortSignal;
}

export function isExpired(notification: Notification, now: number): boolean {
  return notification.expiresAt !== undefined && now > notification.expiresAt;
}

function samePlace(a: Notification, b: Notification): boolean {
  return a.strategy === "latest" && b.strategy === "latest" && a.notifier === b.notifier;
}

/**
 * What waits for one recipient: sent in the order it was made, tried again with growing pauses until it expires (atProtocol,
 * notifications).
 */
export class Lane {
  private readonly recipient: string;
  private readonly options: LaneOptions;
  private waiting: Notification[] = [];
  private running: Promise<void> | undefined;
  /** Not tried again before this instant, ms since the epoch. */
  private until = 0;
  /** Failures in a row, for the back-off. */
  private failures = 0;

  constructor(recipient: string, options: LaneOptions) {
    this.recipient = recipient;
    this.options = options;
  }

  /** Notifications that wait, those on their way too. */
  get length(): number {
    return this.waiting.length;
  }

  /** Nothing waits, and nothing is under way. */
  get isIdle(): boolean {
    return this.waiting.length === 0 && this.running === undefined;
  }

  /** Takes what an earlier process left unsent; it is sent with the next `pump`. */
  takeUp(notification: Notification): void {
    this.waiting.push(notification);
  }

  /** Queues a new notification and sends what may be sent; resolves when it is on disk that it took others' place. */
  async add(notification: Notification): Promise<void> {
    this.waiting.push(notification);
    this.until = Math.min(this.until, this.options.now() + this.pause(this.failures));
    const superseded = notification.strategy === "latest" ? [this.supersede()] : [];
    this.pump();
    await Promise.all(superseded);
  }

  remove(id: string): void {
    this.waiting = this.waiting.filter((waiting) => waiting.id !== id);
  }

  /** Tries again at once. */
  nudge(): void {
    this.until = 0;
    this.pump();
  }

  /** Begins to send what waits, if it may be sent now. */
  pump(): void {
    const now = this.options.now();
    if (this.running !== undefined || this.waiting.length === 0 || !this.isDue(now)) return;
    if (!this.options.isBlocked(this.recipient)) this.run();
    // What waits for a blocked atSign goes on waiting until it expires, or the atSign isn't blocked any more.
    else this.waiting = this.waiting.filter((waiting) => !isExpired(waiting, now));
  }

  /** Resolves when what is being sent has come to its end. */
  async settled(): Promise<void> {
    await this.running;
  }

  private drop(gone: readonly Notification[]): void {
    const all = new Set(gone);
    this.waiting = this.waiting.filter((waiting) => !all.has(waiting));
  }

  /** With strategy latest only the newest `depth` of a notifier stay queued. */
  private async supersede(): Promise<void> {
    if (!this.waiting.some(({ strategy }) => strategy === "latest")) return;
    const old = this.waiting.filter((notification, index) => {
      if (notification.strategy !== "latest") return false;
      const newer = this.waiting.slice(index + 1).filter((other) => samePlace(other, notification));
      const depth = newer.at(-1)?.depth ?? notification.depth;
      return newer.length >= Math.max(1, depth);
    });
    if (old.length === 0) return;
    this.waiting = this.waiting.filter((waiting) => !old.includes(waiting));
    await this.options.store.write((writer) => {
      for (const notification of old) {
        writer.putDelivery(notification.id, { ...notification, status: "expired" });
      }
    });
  }

  private run(): void {
    const run = this.drain()
      .catch((error: unknown) => {
        this.failures += 1;
        this.until = this.options.now() + this.pause(this.failures);
        if (this.options.closing.aborted) return;
        const { recipient } = this;
        this.options.log.error({ trace: traceOf(error), recipient }, "delivery stopped");
      })
      .finally(() => {
        this.running = undefined;
        if (!this.options.closing.aborted) this.pump();
      });
    this.running = run;
  }

  private async drain(): Promise<void> {
    const { recipient } = this;
    const refused: Notification[] = [];
    // What arrives in the same turn leaves together.
    await immediate();
    while (
      this.waiting.length > 0 &&
      !this.options.closing.aborted &&
      !this.options.isBlocked(recipient)
    ) {
      const batch = await this.nextBatch();
      if (this.options.isBlocked(recipient)) break;
      const failures = await this.deliver(batch);
      if (this.options.closing.aborted) return;
      this.drop(batch);
      const delivered = batch.filter((_, index) => failures[index] === undefined);
      if (delivered.length > 0) {
        this.failures = 0;
        this.options.counters.notificationsDelivered += delivered.length;
        this.options.marks.add(delivered);
      }
      if (delivered.length === batch.length) continue;
      const full = batch.filter((_, index) => isFull(failures[index]));
      const isGone = (next: Notification): boolean =>
        delivered.includes(next) || full.includes(next);
      refused.push(...full, ...(await this.errored(batch.filter((next) => !isGone(next)))));
      if (failures.every((failure) => failure === undefined || isAnswer(failure))) continue;
      this.failures += 1;
      this.until = this.options.now() + this.pause(this.failures);
      // A peer that has no room may have some later, however long that takes.
      if (full.length > 0) break;
      const rest = this.waiting;
      this.waiting = [];
      refused.push(...(await this.errored(rest)));
      break;
    }
    if (refused.length === 0) return;
    this.until = Math.max(this.until, this.options.now() + this.pause(Math.max(1, this.failures)));
    this.waiting = [...refused, ...this.waiting].sort((a, b) => a.createdAt - b.createdAt);
    await this.supersede();
  }

  /** What to send next, without what expired: one, or many to a peer that need not answer one before it gets the next. */
  private async nextBatch(): Promise<Notification[]> {
    const now = this.options.now();
    if (this.waiting.some((waiting) => isExpired(waiting, now))) {
      this.waiting = this.waiting.filter((waiting) => !isExpired(waiting, now));
    }
    const many = this.waiting.length >= MANY && (await this.options.peers.overlaps(this.recipient));
    return this.waiting.slice(0, many ? MAX_BATCH : 1);
  }

  /** What went wrong with each, undefined when the peer took it. */
  private async deliver(batch: readonly Notification[]): Promise<(AtError | undefined)[]> {
    const { recipient } = this;
    const answers = await this.ask(batch);
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

  private async ask(batch: readonly Notification[]): Promise<(string | AtError)[]> {
    const { peers, tuning } = this.options;
    const commands = batch.map(formatPeerNotify);
    try {
      return await peers.requestAll(
        this.recipient,
        "notify",
        commands,
        tuning.peerNotifyTimeoutMillis,
      );
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

  /** Whether the pause is over; one longer than any was made before the clock went back. */
  private isDue(now: number): boolean {
    return this.until <= now || this.until - now > this.longestPause();
  }
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
