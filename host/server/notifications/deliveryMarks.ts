// SPDX-License-Identifier: BSD-3-Clause
import type { Delivery, Store } from "../../store/store.ts";
import type { Notification } from "../../wire/notification.ts";

/** Time in which marks gather for one write, ms. */
const GATHER_MILLIS = 50;

/**
 * Notes which notifications were delivered, many with one write. Nothing waits for the disk here: what is sent again after a
 * crash changes nothing at its receiver.
 */
export class DeliveryMarks {
  private readonly store: Store;
  private readonly onFailure: (error: unknown) => void;
  /** Marks that are not durable yet. */
  private readonly marks = new Map<string, Delivery>();
  private gathered: string[] = [];
  private timer: NodeJS.Timeout | undefined;
  private written: Promise<void> = Promise.resolve();

  constructor(store: Store, onFailure: (error: unknown) => void) {
    this.store = store;
    this.onFailure = onFailure;
  }

  add(delivered: readonly Notification[]): void {
    for (const { id, retryCount, priority } of delivered) {
      this.marks.set(id, { status: "delivered", retryCount, priority });
      this.gathered.push(id);
    }
    this.timer ??= setTimeout(() => this.write(), GATHER_MILLIS);
  }

  /** The mark of a notification that the store doesn't tell yet. */
  of(id: string): Delivery | undefined {
    return this.marks.get(id);
  }

  /** Writes what is gathered; resolves when it is durable. */
  async close(): Promise<void> {
    this.write();
    await this.written;
  }

  private write(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const ids = this.gathered;
    if (ids.length === 0) return;
    this.gathered = [];
    const written = this.store.write((writer) => {
      for (const id of ids) {
        const mark = this.marks.get(id);
        if (mark !== undefined) writer.putDelivery(id, mark);
      }
    });
    this.written = Promise.all([this.written, written])
      .catch(this.onFailure)
      .then(() => {
        for (const id of ids) this.marks.delete(id);
      });
  }
}
