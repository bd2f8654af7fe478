// SPDX-License-Identifier: BSD-3-Clause
import { AtError } from "../wire/errors.ts";
import type { AtConnection } from "./connection.ts";
import {
  type NotificationEnvelope,
  type ReceivedNotification,
  readNotification,
} from "./notifications.ts";

export type MonitorOptions = {
  /** Which notifications: fits their key or their sender's name. */
  readonly regex?: string | undefined;
  /** Also those of this atSign to itself, such as requests to enroll. */
  readonly selfNotifications?: boolean | undefined;
  /** Epoch milliseconds: first those stored since. */
  readonly since?: number | undefined;
  readonly onNotification: (notification: ReceivedNotification) => void;
  /** A notification that can't be decrypted, or a link that broke; the monitor goes on. */
  readonly onError?: ((error: Error) => void) | undefined;
  /** Called each time the server has taken the monitor command. */
  readonly onReady?: (() => void) | undefined;
};

/** Times in ms; the defaults are the protocol's customs. */
export type MonitorTiming = {
  readonly heartbeatMillis: number;
  /** Nothing heard for so long: the link is dead. */
  readonly silenceMillis: number;
  readonly backOffMillis: number;
  readonly maxBackOffMillis: number;
};

export const monitorTiming: MonitorTiming = {
  heartbeatMillis: 15_000,
  silenceMillis: 40_000,
  backOffMillis: 500,
  maxBackOffMillis: 60_000,
};

type Open = (listeners: {
  onNotification: (text: string) => void;
  onHeard: () => void;
}) => Promise<AtConnection>;
type Decrypt = (envelope: NotificationEnvelope) => Promise<ReceivedNotification>;

const REMEMBERED_IDS = 1000;
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
  private since: number | undefined;
  private heardAt = 0;
  /** Decryption may ask the atServer for a key; listeners still get their order. */
  private delivery: Promise<void> = Promise.resolve();
  private markReady: () => void = () => undefined;

  constructor(
    openConnection: Open,
    decrypt: Decrypt,
    options: MonitorOptions,
    timing: MonitorTiming = monitorTiming,
  ) {
    this.openConnection = openConnection;
    this.decrypt = decrypt;
    this.options = options;
    this.timing = timing;
    this.since = options.since;
    const first = new Promise<void>((resolve) => {
      this.markReady = resolve;
    });
    this.ended = this.run();
    this.ready = Promise.race([first, this.ended]).then((error) => {
      if (error !== undefined) throw error;
    });
    // Whoever doesn't await `ready` is told by `ended` and onError.
    this.ready.catch(() => undefined);
  }

  /** Hangs up, and resolves when every notification received before has been handed over. */
  async close(): Promise<void> {
    this.stop.abort();
    this.connection?.close();
    await this.ended;
    await this.delivery;
  }

  private async run(): Promise<Error | undefined> {
    let wait = this.timing.backOffMillis;
    while (!this.stop.signal.aborted) {
      const startedAt = Date.now();
      const error = await this.attempt();
      if (this.stop.signal.aborted) break;
      if (error instanceof AtError && FINAL_CODES.has(error.code)) return error;
      this.options.onError?.(error);
      const lasted = Date.now() - startedAt > this.timing.silenceMillis;
      wait = lasted ? this.timing.backOffMillis : Math.min(wait * 2, this.timing.maxBackOffMillis);
      await this.pause(wait * (0.5 + Math.random() / 2));
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
          this.heardAt = Date.now();
        },
      });
      this.connection = connection;
      if (this.stop.signal.aborted) connection.close();
      connection.send(this.command());
      // The reply to a heartbeat says that the monitor command before it was taken.
      await connection.request("noop:0");
      this.since ??= Date.now();
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
    const since = this.since === undefined ? "" : `:${Math.max(0, this.since - 1)}`;
    const regex = this.options.regex === undefined ? "" : ` ${this.options.regex}`;
    return `monitor${self}${since}${regex}`;
  }

  private beat(connection: AtConnection): void {
    if (Date.now() - this.heardAt > this.timing.silenceMillis) connection.close();
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
    if (Number.isFinite(epochMillis)) this.since = Math.max(this.since ?? 0, epochMillis);
    if (id === STATS_ID || this.seen.has(id) || /(?:^|[:.])shared_key[.@]/.test(key)) return;
    this.remember(id);
    this.delivery = this.delivery.then(() => this.deliver(envelope));
  }

  private async deliver(envelope: NotificationEnvelope): Promise<void> {
    try {
      this.options.onNotification(await this.decrypt(envelope));
    } catch (error) {
      this.options.onError?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private remember(id: string): void {
    this.seen.add(id);
    if (this.seen.size <= REMEMBERED_IDS) return;
    for (const oldest of this.seen) {
      this.seen.delete(oldest);
      return;
    }
  }

  private pause(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.stop;
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, millis);
      signal.addEventListener("abort", done);
    });
  }
}
