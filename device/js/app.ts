// SPDX-License-Identifier: BSD-3-Clause
// The seam between the device and what it is for: another application replaces greenhouse.ts.
import type { StateName } from "./core.ts";
import type { Outcome, Request } from "./operations.ts";
import type { Verdict } from "./verdict.ts";

/** A notification; one whose value isn't encrypted only for an App that takes such. */
export interface Notification {
  readonly key: string;
  /** Decrypted, as the other side wrote it: any bytes. */
  readonly value: Uint8Array;
  readonly from: string;
  readonly id: string;
  /** "update" or "delete". */
  readonly operation: string;
  readonly verdict: Verdict;
}

/** What an application may use of the device. */
export interface Device {
  readonly atSign: string;
  /** Puts, notifies and so on, one after the other; never rejects. */
  submit(request: Request): Promise<Outcome>;
  /** Tells the parent process an event; never a secret. */
  report(event: Readonly<Record<string, unknown>>): void;
  /** Reports the figures of memory and traffic. */
  reportStats(): void;
}

export interface App {
  /** Values that others did not encrypt are delivered as well, marked. */
  readonly takesPlain?: boolean;
  /** The device is enrolled and its session is starting. */
  start(device: Device): void;
  stateChanged(state: StateName): void;
  notified(notification: Notification): void;
  stop(): void;
}
