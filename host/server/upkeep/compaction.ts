// SPDX-License-Identifier: BSD-3-Clause
import type { Logger } from "pino";
import type { StoreWriter } from "../../store/store.ts";
import { canonicalKey } from "../../wire/atkey.ts";
import { formatTime } from "../../wire/metadata.ts";
import { traceOf } from "../../wire/trace.ts";
import type { Tuning } from "../config/config.ts";
import type { Notifier } from "../notifications/notifier.ts";
import type { Records } from "../records/records.ts";

export type CompactionKind = "commitLog" | "accessLog" | "notification";

const kinds = ["commitLog", "accessLog", "notification"] as const;

const frequencies = {
  commitLog: "commitLogCompactionMillis",
  accessLog: "accessLogCompactionMillis",
  notification: "notificationCompactionMillis",
} as const satisfies Record<CompactionKind, keyof Tuning>;

const names = {
  commitLog: "AtCommitLog",
  accessLog: "AtAccessLog",
  notification: "AtNotificationKeystore",
} as const;

function statisticsKey(kind: CompactionKind): string {
  return canonicalKey(`privatekey:${kind}CompactionStats`);
}

/** What the last run of a compaction did, as JSON; `{}` before the first. */
export function compactionStatistics(kind: CompactionKind, records: Records): string {
  return records.get(statisticsKey(kind))?.value ?? "{}";
}

export interface CompactionOptions {
  records: Records;
  notifier: Notifier;
  tuning: Tuning;
  log: Logger;
  now: () => number;
}

/**
 * Keeps the logs short (atProtocol, compaction): drops the oldest of the access log and expired notifications. The commit
 * log has one entry a key at all times, so there its run only counts.
 */
export class Compaction {
  private readonly options: CompactionOptions;
  private readonly timers = new Map<CompactionKind, NodeJS.Timeout>();
  private running: Promise<void> = Promise.resolve();

  constructor(options: CompactionOptions) {
    this.options = options;
  }

  /** Starts the jobs, or starts them anew after their frequencies changed. */
  schedule(): void {
    this.stop();
    for (const kind of kinds) {
      const timer = setInterval(() => {
        this.running = this.running
          .then(() => this.run(kind))
          .catch((error: unknown) => {
            this.options.log.error({ trace: traceOf(error), kind }, "compaction failed");
          });
      }, this.options.tuning[frequencies[kind]]);
      timer.unref();
      this.timers.set(kind, timer);
    }
  }

  /** Runs one compaction now and keeps what it did for the stats verb. */
  async run(kind: CompactionKind): Promise<void> {
    const { records, now } = this.options;
    const start = now();
    const before = this.count(kind);
    await this.compact(kind);
    const after = this.count(kind);
    const done = {
      atCompactionType: names[kind],
      lastCompactionRun: formatTime(start),
      compactionDurationInMills: now() - start,
      preCompactionEntriesCount: before,
      postCompactionEntriesCount: after,
      deletedKeysCount: Math.max(0, before - after),
    };
    await records.put(statisticsKey(kind), JSON.stringify(done));
  }

  /** Resolves when no run is at work any more. */
  async close(): Promise<void> {
    this.stop();
    await this.running;
  }

  private stop(): void {
    for (const timer of this.timers.values()) clearInterval(timer);
    this.timers.clear();
  }

  private count(kind: CompactionKind): number {
    const { commits, accesses, notifications } = this.options.records.store.counts();
    return { commitLog: commits, accessLog: accesses, notification: notifications }[kind];
  }

  /** Drops a share of the access log, the oldest of it, and what is older than it may be. */
  private trimAccessLog(writer: StoreWriter): void {
    const { tuning, now } = this.options;
    const { accesses } = writer.counts();
    const share = accesses - Math.floor((accesses * tuning.accessLogCompactionPercentage) / 100);
    const oldest = now() - tuning.accessLogExpiryMillis;
    const young = [...writer.accesses()].filter(({ time }) => time >= oldest).length;
    writer.trimAccesses(Math.min(share, young));
  }

  private async compact(kind: CompactionKind): Promise<void> {
    const { records, notifier } = this.options;
    switch (kind) {
      case "commitLog":
        return;
      case "accessLog":
        return records.store.write((writer) => this.trimAccessLog(writer));
      case "notification":
        return notifier.removeExpired();
    }
  }
}
