// SPDX-License-Identifier: BSD-3-Clause
import { randomInt } from "node:crypto";
import type { Logger } from "pino";
import { AtError } from "../../wire/errors.ts";
import { traceOf } from "../../wire/trace.ts";
import { isActive, type Records } from "../records/records.ts";
import type { RemoteLookup } from "./remoteLookup.ts";

/** Hours of the day one of which is chosen at the start, so that not all atServers ask at once. */
const HOURS = 23;

export interface CacheRefreshOptions {
  records: Records;
  remote: RemoteLookup;
  log: Logger;
  now: () => number;
}

/** ms from an instant to the next beginning of an hour of the day, local time. */
export function millisUntilHour(hour: number, from: number): number {
  const next = new Date(from);
  next.setHours(hour, 0, 0, 0);
  if (next.getTime() <= from) next.setDate(next.getDate() + 1);
  return next.getTime() - from;
}

/** Asks once a day for the originals of cached records whose time to refresh has come (atProtocol, refresh job). */
export class CacheRefresh {
  private readonly options: CacheRefreshOptions;
  private readonly hour = randomInt(HOURS);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private closed = false;

  constructor(options: CacheRefreshOptions) {
    this.options = options;
  }

  /** Waits for the hour of the day, again and again. */
  schedule(): void {
    this.timer = setTimeout(
      () => {
        this.schedule();
        this.run().catch((error: unknown) => {
          this.options.log.error({ trace: traceOf(error) }, "cache refresh failed");
        });
      },
      millisUntilHour(this.hour, this.options.now()),
    );
    this.timer.unref();
  }

  /** Refreshes now; a run that is under way is joined. */
  run(): Promise<void> {
    this.running ??= this.refresh().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  /** Stops; resolves when the record being asked for is done. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async refresh(): Promise<void> {
    const { remote, log } = this.options;
    for (const key of this.due()) {
      if (this.closed) return;
      try {
        await remote.refresh(key);
      } catch (error) {
        if (!(error instanceof AtError)) throw error;
        log.info({ code: error.code }, "a cached record can't be refreshed");
      }
    }
  }

  private due(): string[] {
    const { records, now } = this.options;
    const instant = now();
    const keys: string[] = [];
    for (const [key, { metadata }] of records.store.records()) {
      if (!key.startsWith("cached:") || metadata.ttr === -1) continue;
      const stale = metadata.refreshAt === undefined || metadata.refreshAt < instant;
      if (stale && isActive(metadata, instant)) keys.push(key);
    }
    return keys;
  }
}
