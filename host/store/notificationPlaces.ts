// SPDX-License-Identifier: BSD-3-Clause
import type { Database } from "lmdb";
import { ID, type NotificationRow } from "./notificationRow.ts";

/** Key under which the highest place that the index knows is kept. */
const INDEXED = "indexedPlace";
/** Places written to the index at a time. */
const MANY = 1_024;

/** What the places are kept in. */
export interface PlaceTables {
  readonly notes: Database<NotificationRow, number>;
  readonly index: Database<number, string>;
  readonly meta: Database<number, string>;
}

/**
 * Where notifications lie, by their ids. Ids come in no order: written one by one, each would change a page of the index by
 * itself. So the newest are held in memory and written many at a time; what memory held is read from the notifications
 * themselves when the store is opened again.
 */
export class NotificationPlaces {
  private readonly tables: PlaceTables;
  private readonly recent = new Map<string, number>();
  private next = 1;

  constructor(tables: PlaceTables) {
    this.tables = tables;
    this.load();
  }

  /** Reads the newest places again, after a transaction failed. */
  load(): void {
    const { notes, meta } = this.tables;
    this.recent.clear();
    const [last] = notes.getKeys({ reverse: true, limit: 1 });
    this.next = (last ?? 0) + 1;
    for (const { key, value } of notes.getRange({ start: (meta.get(INDEXED) ?? 0) + 1 })) {
      this.recent.set(value[ID], key);
    }
  }

  find(id: string): number | undefined {
    return this.recent.get(id) ?? this.tables.index.get(id);
  }

  /** Gives a new notification the next place; within a transaction. */
  add(id: string): number {
    if (this.recent.size >= MANY) this.writeIndex();
    const place = this.next++;
    this.recent.set(id, place);
    return place;
  }

  /** Within a transaction. */
  remove(id: string): void {
    if (!this.recent.delete(id)) this.tables.index.removeSync(id);
  }

  private writeIndex(): void {
    const { index, meta } = this.tables;
    const sorted = [...this.recent].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [id, place] of sorted) index.putSync(id, place);
    meta.putSync(INDEXED, this.next - 1);
    this.recent.clear();
  }
}
