// SPDX-License-Identifier: BSD-3-Clause
import type { Store } from "../../store/store.ts";
import { traceOf } from "../../wire/trace.ts";

/** Between two tries to write, ms: an earlier question gets the last answer. */
const PROBE_MILLIS = 5_000;
const PROBE_KEY = "privatekey:readiness";

/** Whether the store works: a record is read, and one written and removed in one transaction, flushed as any other. */
export class StoreProbe {
  private readonly store: Store;
  private readonly now: () => number;
  private at = Number.NEGATIVE_INFINITY;
  private last: Promise<string | undefined> = Promise.resolve(undefined);

  constructor(store: Store, now: () => number) {
    this.store = store;
    this.now = now;
  }

  /** Has the next answer tried anew. */
  doubt(): void {
    this.at = Number.NEGATIVE_INFINITY;
  }

  /** Why the store doesn't work; undefined when it does. */
  failure(): Promise<string | undefined> {
    const since = this.now() - this.at;
    if (since >= 0 && since < PROBE_MILLIS) return this.last;
    this.at = this.now();
    this.last = this.probe().catch(
      (error: unknown) => traceOf(error).reason ?? "the store can't be read or written",
    );
    return this.last;
  }

  private async probe(): Promise<undefined> {
    this.store.record(PROBE_KEY);
    await this.store.write((writer) => {
      writer.put(PROBE_KEY, { value: "", metadata: {} });
      writer.remove(PROBE_KEY, false);
    });
  }
}
