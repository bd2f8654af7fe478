// SPDX-License-Identifier: BSD-3-Clause
import { type Pause, Retry, retries } from "../net/retries.ts";
import { AtError } from "../wire/errors.ts";
import type { AtConnection } from "./connection.ts";
import {
  type NotificationEnvelope,
  type ReceivedNotification,
  readNotification,
} from "./notifications.ts";

/** Records by which clients share keys, AT-AUTH-1's among them: no application is handed one. */
const KEY_RECORD = /(?:^|[:.])shared_key[.@]|^(?:@[^:@]+:)?__auth1/;

/** What a monitor receives, and who gets it. */
export type MonitorOptions = {
  /** Which notifications: fits their key or their sender's name. */
  readonly regex?: string | undefined;
  /** Also those of this atSign to itself, such as requests to enroll. */
  readonly selfNotifications?: boolean | undefined;
  /** Epoch milliseconds: first those stored since. */
  readonly since?: number | undefined;
  /** Also give what came as plaintext: anyone on its way could have written it. */
  readonly acceptPlaintext?: boolean | undefined;
  readonly onNotification: (notification: ReceivedNotification) => void;
  /** A notification that can't be decrypted, or a link that broke; the monitor goes on. */
  readonly onError?: ((error: Error) => void) | undefined;
  /** Called each time the server has taken the monitor command. */
  readonly onReady?: (() => void) | undefined;
};

/** Times in ms; the defaults are the protocol's customs. */
export type MonitorTiming = {
  readonly heartbeatMillis: number;
  /** Longest silence; after it the link counts as dead. */
  readonly silenceMillis: number;
  readonly backOffMillis: number;
  readonly maxBackOffMillis: number;
  /** In place of waiting before another try (tests). */
  readonly pause?: Pause | undefined;
};

/** The times a monitor keeps unless others are given. */
export const monitorTiming: MonitorTiming = {
  heartbeatMillis: 15_000,
  silenceMillis: 40_000,
  backOffMillis: retries.monitorLink.firstMillis,
  maxBackOffMillis: retries.monitorLink.mostMillis,
};

type Open = (listeners: {
  onNotification: (text: string) => void;
  onHeard: () => void;
}) => Promise<AtConnection>;
type Decrypt = (envelope: NotificationEnvelope) => Promise<ReceivedNotification>;

const REMEMBERED_IDS = 1000;
/**
 * A time of the atServer's that is further ahead of this machine's clock is not believed: resuming there would skip all that
 * comes until then.
 */
const MAX_AHEAD_MILLIS = 86_400_000;
/** Received and not handed over yet; with more, nothing is read until the listener has come after. */
const MAX_PENDING = 1_000;
const MAX_PENDING_CHARACTERS = 16_777_216;
const STATS_ID = "-1";
/** Errors that another try won't mend. */
const FINAL_CODES: ReadonlySet<string> = new Set([
  "AT0401",
  "AT0025",
  "AT0027",
  "AT0028",
  "AT0029",
  "AT0007",
  "AT0003",
]);

/**
 * Receives notifications on a connection of its own until it is closed (atProtocol, the monitor
 * verb): heartbeats, reconnects with a jittered back-off, resumes after the last notification and
 * drops the ones it has seen.
 */
export class Monitor {
  /** Resolves when the first connection monitors; rejects when it can't. */
  readonly ready: Promise<void>;
  /** Settles when the monitor has ended: with an error it gave up, without one it was closed. */
  readonly ended: Promise<Error | undefined>;
  private readonly options: MonitorOptions;
  private readonly timing: MonitorTiming;
  private readonly openConnection: Open;
  private readonly decrypt: Decrypt;
  private readonly stop = new AbortController();
  private readonly seen = new Set<string>();
  private connection: AtConnection | undefined;
  /** The atServer's time of the last notification, from which to go on. */
  private since: number | undefined;
  /** This machine's monotonic time of the first monitor command that was taken, */
  private monitoringSince: number | undefined;
  /** and the atServer's at that moment, as far as it has said what time it has. */
  private serverSince: number | undefined;
  private heardAt = 0;
  private pending = 0;
  private pendingCharacters = 0;
  /** Decryption may ask the atServer for a key; listeners still get their order. */
  private delivery: Promise<void> = Promise.resolve();
  private markReady: () => void = () => undefined;

  constructor(
    openConnection: Open,
    decrypt: Decrypt,
    options: MonitorOptions,
    timing: Partial<MonitorTiming> = {},
  ) {
    this.openConnection = openConnection;
    this.decrypt = decrypt;
    this.options = options;
    this.timing = { ...monitorTiming, ...timing };
    this.since = options.since;
    const first = new Promise<void>((resolve) => {
      this.markReady = resolve;
    });
    this.ended = this.run();
    this.ready = Promise.race([first, this.ended]).then((error) => {
      if (error !== undefined) throw error;
    });
    // A caller that doesn't await `ready` learns it from `ended` and onError.
    this.ready.catch(() => undefined);
  }

  /** Hangs up, and resolves when every notification received before has been handed over. Never rejects. */
  async close(): Promise<void> {
    this.stop.abort();
    this.connection?.close();
    await this.ended;
    await this.delivery;
  }

  private async run(): Promise<Error | undefined> {
    const { backOffMillis: firstMillis, maxBackOffMillis: mostMillis, pause } = this.timing;
    const retry = new Retry({ ...retries.monitorLink, firstMillis, mostMillis }, pause);
    const { signal } = this.stop;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const error = await this.attempt();
      if (signal.aborted) break;
      if (error instanceof AtError && FINAL_CODES.has(error.code)) return error;
      this.options.onError?.(error);
      if (performance.now() - startedAt > this.timing.silenceMillis) retry.reset();
      try {
        await retry.again(signal);
      } catch (reason) {
        if (!signal.aborted) throw reason;
      }
    }
    return undefined;
  }

  /** One connection, from its opening to its end; resolves to why it ended. */
  private async attempt(): Promise<Error> {
    let heartbeat: NodeJS.Timeout | undefined;
    try {
      const connection = await this.openConnection({
        onNotification: (text) => this.receive(text),
        onHeard: () => {
          this.heardAt = performance.now();
        },
      });
      this.connection = connection;
      if (this.stop.signal.aborted) connection.close();
      connection.send(this.command());
      // The reply to a heartbeat says that the monitor command before it was taken.
      await connection.request("noop:0");
      this.monitoringSince ??= performance.now();
      this.markReady();
      this.options.onReady?.();
      heartbeat = setInterval(() => this.beat(connection), this.timing.heartbeatMillis);
      const reason = await connection.closed;
      return reason ?? new AtError("AT0021", "the monitor's connection ended");
    } catch (error) {
      this.connection?.close();
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      clearInterval(heartbeat);
      this.connection = undefined;
    }
  }

  private command(): string {
    const self = this.options.selfNotifications === true ? ":selfNotifications" : "";
    // The server gives what is later than the instant; ids sort out the one that is there twice.
    const from = this.resumePoint();
    const since = from === undefined ? "" : `:${Math.max(0, from - 1)}`;
    const regex = this.options.regex === undefined ? "" : ` ${this.options.regex}`;
    return `monitor${self}${since}${regex}`;
  }

  /**
   * Where to go on, in the atServer's own time: this machine's clock may be wrong, and may jump. When nothing has been heard
   * that tells it, from the beginning.
   */
  private resumePoint(): number | undefined {
    if (this.since !== undefined || this.monitoringSince === undefined) return this.since;
    return this.serverSince ?? 0;
  }

  private beat(connection: AtConnection): void {
    if (performance.now() - this.heardAt > this.timing.silenceMillis) connection.close();
    // A heartbeat that fails closes the connection, and `closed` tells.
    else connection.request("noop:0").catch(() => connection.close());
  }

  private receive(text: string): void {
    let envelope: NotificationEnvelope;
    try {
      envelope = readNotification(text);
    } catch (error) {
      this.options.onError?.(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const { id, key, epochMillis } = envelope;
    const credible = epochMillis > 0 && epochMillis <= Date.now() + MAX_AHEAD_MILLIS;
    if (id === STATS_ID) {
      if (credible) this.learnServerTime(epochMillis);
      return;
    }
    if (credible) this.since = epochMillis;
    if (this.seen.has(id) || KEY_RECORD.test(key)) return;
    this.remember(id);
    this.pending += 1;
    this.pendingCharacters += text.length;
    if (this.isBehind()) this.connection?.pause();
    this.delivery = this.delivery.then(() => this.deliver(envelope, text.length));
  }

  /** When monitoring began, by the atServer's clock. Of several statements the earliest counts: nothing is skipped. */
  private learnServerTime(epochMillis: number): void {
    if (this.monitoringSince === undefined) return;
    const began = Math.floor(epochMillis - (performance.now() - this.monitoringSince));
    this.serverSince = Math.max(1, Math.min(began, this.serverSince ?? began));
  }

  private isBehind(): boolean {
    return this.pending > MAX_PENDING || this.pendingCharacters > MAX_PENDING_CHARACTERS;
  }

  private async deliver(envelope: NotificationEnvelope, characters: number): Promise<void> {
    try {
      this.options.onNotification(await this.decrypt(envelope));
    } catch (error) {
      this.options.onError?.(error instanceof Error ? error : new Error(String(error)));
    }
    this.pending -= 1;
    this.pendingCharacters -= characters;
    if (!this.isBehind()) this.connection?.resume();
  }

  private remember(id: string): void {
    this.seen.add(id);
    if (this.seen.size <= REMEMBERED_IDS) return;
    for (const oldest of this.seen) {
      this.seen.delete(oldest);
      return;
    }
  }
}
