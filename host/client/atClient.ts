// SPDX-License-Identifier: BSD-3-Clause
import type { AtKeys } from "../crypto/keyFile.ts";
import { type AtKey, keyType, parseAtKey } from "../wire/atkey.ts";
import { normalizeAtSign } from "../wire/atsign.ts";
import { AtError } from "../wire/errors.ts";
import type { Metadata } from "../wire/metadata.ts";
import { type PlainValue, ValueCipher } from "./cipher.ts";
import type { AtConnection } from "./connection.ts";
import {
  approveEnrollment,
  type Enrollment,
  type EnrollmentStatus,
  endEnrollment,
  listEnrollments,
} from "./enrollment.ts";
import { Monitor, type MonitorOptions } from "./monitor.ts";
import {
  type NotificationState,
  type NotifyOptions,
  notificationState,
  openNotification,
  sendNotification,
} from "./notifications.ts";
import { passcodeWarning } from "./passcode.ts";
import {
  type AtValue,
  type GetOptions,
  type PutOptions,
  Records,
  type ScanOptions,
} from "./records.ts";
import { type Listeners, type NetworkOptions, openLoggedIn, Session } from "./session.ts";
import { SharedKeys } from "./sharedKeys.ts";

export type AtClientOptions = NetworkOptions & {
  readonly keys: AtKeys;
  /** Zero IV and no ivNonce, for peers that can't read it (at_python 2024, at_rust, at_esp32). */
  readonly legacyIv?: boolean | undefined;
  /** In place of a clock that only goes forward, ms (tests). */
  readonly now?: (() => number) | undefined;
};

export type AtKeyFilter = {
  readonly regex?: string | undefined;
  readonly sharedBy?: string | undefined;
  readonly sharedWith?: string | undefined;
};

/**
 * What one atSign can do. Keys are atKeys: `note.ns@me` for oneself, `@bob:note.ns@me` shared,
 * `public:note.ns@me` public; a get of `note.ns@bob` reads what bob shared with me. Every method
 * rejects with AtError: the atServer's code, AT0021 and AT0023 for the network, AT0014 for what
 * can't be decrypted.
 */
export class AtClient {
  readonly atSign: string;
  private readonly options: AtClientOptions;
  private readonly session: Session;
  private readonly cipher: ValueCipher;
  private readonly records: Records;
  private readonly monitors = new Set<Monitor>();
  private closed = false;
  /** How often this client has logged in, on whichever connection. */
  private logins = 0;

  private constructor(options: AtClientOptions) {
    const { keys } = options;
    this.options = options;
    this.atSign = keys.atSign;
    this.session = new Session(() => this.login());
    const now = options.now ?? (() => performance.now());
    const sharedKeys = new SharedKeys(this.session, keys, { now, logins: () => this.logins });
    this.cipher = new ValueCipher(keys, sharedKeys, options.legacyIv ?? false);
    this.records = new Records(keys.atSign, this.session, this.cipher);
  }

  /** Finds the atServer, connects and logs in. */
  static async connect(options: AtClientOptions): Promise<AtClient> {
    const client = new AtClient(options);
    await client.session.request("noop:0");
    return client;
  }

  /** Writes a record; resolves to its commit id. */
  put(key: string, value: PlainValue, options: PutOptions = {}): Promise<number> {
    return this.records.put(key, value, options);
  }

  get(key: string, options: GetOptions = {}): Promise<AtValue> {
    return this.records.get(key, options);
  }

  getMeta(key: string): Promise<Metadata> {
    return this.records.getMeta(key);
  }

  /** Deletes a record; resolves to the commit id. Deleting what isn't there is no error. */
  delete(key: string): Promise<number> {
    return this.records.delete(key);
  }

  scan(options: ScanOptions = {}): Promise<string[]> {
    return this.records.scan(options);
  }

  /** Scan, parsed; what is no atKey is left out. */
  async getAtKeys(filter: AtKeyFilter = {}): Promise<AtKey[]> {
    const sharedBy = filter.sharedBy === undefined ? undefined : normalizeAtSign(filter.sharedBy);
    const sharedWith =
      filter.sharedWith === undefined ? undefined : normalizeAtSign(filter.sharedWith);
    const remote = sharedBy !== undefined && sharedBy !== this.atSign;
    const keys = await this.scan({ regex: filter.regex, ...(remote && { atSign: sharedBy }) });
    return keys
      .filter((key) => keyType(key) !== "invalidKey")
      .map(parseAtKey)
      .filter((key) => remote || sharedBy === undefined || key.owner === sharedBy)
      .filter((key) => sharedWith === undefined || key.sharedWith === sharedWith);
  }

  /**
   * Notifies the atSign that the key is shared with; without a value, of its deletion. Resolves to
   * the notification's id once my atServer has it.
   */
  notify(key: string, value: PlainValue | undefined, options: NotifyOptions = {}): Promise<string> {
    return sendNotification(this.session, this.records, key, value, options);
  }

  notifyStatus(id: string): Promise<NotificationState | undefined> {
    return notificationState(this.session, id);
  }

  /** Receives notifications until the monitor or the client is closed. Throws AT0021 when it is. */
  monitor(options: MonitorOptions): Monitor {
    if (this.closed) throw new AtError("AT0021", "the client is closed");
    const accepted = options.acceptPlaintext === true;
    const monitor = new Monitor(
      (listeners) => this.login(listeners),
      (envelope) => openNotification(this.cipher, this.atSign, envelope, accepted),
      options,
      { pause: this.options.pause },
    );
    this.monitors.add(monitor);
    const gone = (): boolean => this.monitors.delete(monitor);
    monitor.ended.then(gone, gone);
    return monitor;
  }

  private async login(listeners: Listeners = {}): Promise<AtConnection> {
    const connection = await openLoggedIn(this.atSign, this.options.keys, this.options, listeners);
    this.logins += 1;
    return connection;
  }

  /** A one-time passcode for one enrollment; its life in ms, five minutes when absent. */
  otpGet(ttl?: number): Promise<string> {
    return this.session.request(ttl === undefined ? "otp:get" : `otp:get:ttl:${ttl}`);
  }

  /**
   * Sets the passcode that may be used again and again (at least six word characters), or lifts the suspension many wrong
   * ones have brought. Resolves to a warning when it is set but easily guessed.
   */
  async otpPut(passcode: string, ttl?: number): Promise<string | undefined> {
    const life = ttl === undefined ? "" : `:ttl:${ttl}`;
    await this.session.request(`otp:put:${passcode}${life}`);
    return passcodeWarning(passcode);
  }

  enrollments(states: readonly EnrollmentStatus[] = []): Promise<Enrollment[]> {
    return listEnrollments(this.session, states);
  }

  /** Resolves to what was approved. */
  approve(enrollmentId: string): Promise<Enrollment> {
    return approveEnrollment(this.session, this.options.keys, enrollmentId);
  }

  deny(enrollmentId: string): Promise<void> {
    return endEnrollment(this.session, "deny", enrollmentId);
  }

  revoke(enrollmentId: string): Promise<void> {
    return endEnrollment(this.session, "revoke", enrollmentId);
  }

  /** Closes every connection; requests under way are rejected. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.monitors].map((monitor) => monitor.close()));
    await this.session.close();
  }
}
