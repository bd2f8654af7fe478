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

/** Whose client it is, and how the network is reached. */
export type AtClientOptions = NetworkOptions & {
  readonly keys: AtKeys;
  /** Zero IV and no ivNonce, for peers that can't read it (at_python 2024, at_rust, at_esp32). */
  readonly legacyIv?: boolean | undefined;
  /** In place of a clock that only goes forward, ms (tests). */
  readonly now?: (() => number) | undefined;
};

/** Which keys getAtKeys lists: those for which everything given holds. `regex` may match anywhere in the key. */
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

  /**
   * Finds the atServer, connects and logs in. Rejects with AT0007 for an atSign the directory doesn't know, AT0401 or AT0025
   * to AT0029 for a login that is refused, AT0021 or AT0023 for the network.
   */
  static async connect(options: AtClientOptions): Promise<AtClient> {
    const client = new AtClient(options);
    await client.session.request("noop:0");
    return client;
  }

  /**
   * Writes a record; resolves to its commit id. Rejects with AT0016 for an invalid or reserved key, AT0009 for a record
   * of another atSign, AT0022 for a value that can't be sent, AT0014 when it was written but the recipient may be unable to
   * read it.
   */
  put(key: string, value: PlainValue, options: PutOptions = {}): Promise<number> {
    return this.records.put(key, value, options);
  }

  /**
   * Reads a record and decrypts it. Rejects with AT0016 for an invalid key, AT0015 when there is no such record or it has
   * no value now, AT0014 when it can't be decrypted, came as plaintext that wasn't accepted, or isn't signed as asked.
   */
  get(key: string, options: GetOptions = {}): Promise<AtValue> {
    return this.records.get(key, options);
  }

  /**
   * Metadata of a record. Rejects with AT0016 for an invalid key, AT0015 when there is no such record or it has no
   * value now.
   */
  getMeta(key: string): Promise<Metadata> {
    return this.records.getMeta(key);
  }

  /**
   * Deletes a record, if it is there; resolves to the commit id. Rejects with AT0016 for an invalid key, AT0009
   * without access.
   */
  delete(key: string): Promise<number> {
    return this.records.delete(key);
  }

  /**
   * Keys of the records this client may see, as the atServer names them. Rejects with AT0014 for an answer that is not a
   * list, AT0003 for a bad pattern.
   */
  scan(options: ScanOptions = {}): Promise<string[]> {
    return this.records.scan(options);
  }

  /**
   * Keys that pass the filter, in parts; keys that are no atKeys are left out. Rejects as scan does, and with AT0011 for
   * a bad atSign.
   */
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
   * Notifies the atSign that the key is shared with; without a value, of its deletion. Resolves to the notification's id once
   * the own atServer has it. Rejects with AT0016 for a key without recipient, AT0022 for bytes, AT0014 when it was sent but
   * the recipient may be unable to read it.
   */
  notify(key: string, value: PlainValue | undefined, options: NotifyOptions = {}): Promise<string> {
    return sendNotification(this.session, this.records, key, value, options);
  }

  /** What became of a notification; undefined when the atServer doesn't know the id. Rejects as the class says. */
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

  /** A passcode for one enrollment, valid for `ttl` ms, five minutes when absent. Rejects with AT0009 without access. */
  otpGet(ttl?: number): Promise<string> {
    return this.session.request(ttl === undefined ? "otp:get" : `otp:get:ttl:${ttl}`);
  }

  /**
   * Sets the passcode that may be used again and again (at least six word characters), valid for `ttl` ms, and ends the
   * suspension that many wrong passcodes lead to. Resolves to a warning when it is easily guessed. Rejects with AT0003 for
   * other characters, AT0011 without access.
   */
  async otpPut(passcode: string, ttl?: number): Promise<string | undefined> {
    const life = ttl === undefined ? "" : `:ttl:${ttl}`;
    await this.session.request(`otp:put:${passcode}${life}`);
    return passcodeWarning(passcode);
  }

  /**
   * The enrollments in one of these states, all when none is given. Rejects with AT0014 for an answer that can't be
   * read.
   */
  enrollments(states: readonly EnrollmentStatus[] = []): Promise<Enrollment[]> {
    return listEnrollments(this.session, states);
  }

  /**
   * Approves a pending enrollment; resolves to it. Rejects with AT0011 when it isn't pending, AT0015 for an unknown id,
   * AT0014 when it can't be used.
   */
  approve(enrollmentId: string): Promise<Enrollment> {
    return approveEnrollment(this.session, this.options.keys, enrollmentId);
  }

  /** Denies a pending enrollment. Rejects with AT0011 when it isn't pending, AT0028 for an unknown id. */
  deny(enrollmentId: string): Promise<void> {
    return endEnrollment(this.session, "deny", enrollmentId);
  }

  /** Revokes an approved enrollment. Rejects with AT0011 when it isn't approved, AT0031 when it is this client's own. */
  revoke(enrollmentId: string): Promise<void> {
    return endEnrollment(this.session, "revoke", enrollmentId);
  }

  /** Closes every connection; pending requests reject with AT0021, this never rejects. */
  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.monitors].map((monitor) => monitor.close()));
    await this.session.close();
  }
}
