// SPDX-License-Identifier: BSD-3-Clause
import type { ErrorCode } from "../../wire/errors.ts";

/** How often a verb was run, and how often it failed with which code. */
export class VerbCount {
  commands = 0;
  private readonly failures = new Map<ErrorCode, number>();

  fail(code: ErrorCode): void {
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
  }

  get errors(): Iterable<[ErrorCode, number]> {
    return this.failures;
  }
}

/** What an atServer did since its start, as plain numbers: counting must cost its commands nothing. */
export class Counters {
  connections = 0;
  connectionsRefused = 0;
  handshakeFailures = 0;
  /** Notifications for other atSigns that were taken. */
  notificationsQueued = 0;
  notificationsDelivered = 0;
  /** Attempts to deliver that failed. */
  notificationsErrored = 0;
  notificationsReceived = 0;
  peerConnections = 0;
  peerConnectionsFailed = 0;
  private readonly verbs = new Map<string, VerbCount>();

  /** The count of a verb; `name` is of the table of verbs, never what a client sent. */
  verb(name: string): VerbCount {
    let count = this.verbs.get(name);
    if (count === undefined) {
      count = new VerbCount();
      this.verbs.set(name, count);
    }
    return count;
  }

  get byVerb(): Iterable<[string, VerbCount]> {
    return this.verbs;
  }
}
