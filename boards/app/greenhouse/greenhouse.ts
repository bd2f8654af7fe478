// SPDX-License-Identifier: BSD-3-Clause
// The demonstration: readings of this machine go to a peer, and the peer may change how often. Its twin in C is
// boards/app/greenhouse/greenhouse.c; boards/test/greenhouse.test.ts holds both to one behaviour.
import type { App, Device, Notification } from "../../../device/js/app.ts";
import { type Outcome, outcomeText, type Request } from "../../../device/js/operations.ts";
import { parseCommand, replyTo } from "./command.ts";
import { measure } from "./readings.ts";

/** Commands that wait for their reply; one more is ignored. */
const REPLIES = 4;
const SHORTEST_TTL_MS = 60_000;

export interface GreenhouseOptions {
  /** The atSign that receives the readings and alone may command. */
  readonly peer: string;
  readonly namespace: string;
  readonly intervalMs: number;
  /** What a reading says besides its number; this machine's by default. */
  readonly measure?: () => Readonly<Record<string, number | null>>;
}

export class Greenhouse implements App {
  readonly #options: GreenhouseOptions;
  #device: Device | null = null;
  #intervalMs: number;
  #timer: NodeJS.Timeout | null = null;
  #isReady = false;
  #isRunning = false;
  #isDue = true;
  #count = 0;
  readonly #replies: string[] = [];
  /** The reading that is still to be kept as a record, and whether it was notified. */
  #latest: { readonly value: string; readonly notified: boolean } | null = null;

  constructor(options: GreenhouseOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs;
  }

  start(device: Device): void {
    this.#device = device;
  }

  stateChanged(state: string): void {
    this.#isReady = state === "ready";
    this.#sendNext();
  }

  notified(notification: Notification): void {
    if (!this.#isCommand(notification)) return;
    if (this.#replies.length === REPLIES) {
      this.#error("ignored a command: too many wait for their replies");
      return;
    }
    const command = parseCommand(notification.value);
    if ("intervalMs" in command) {
      this.#intervalMs = command.intervalMs;
      this.#waitInterval();
    }
    const reply = replyTo(command);
    this.#replies.push(reply);
    const { authenticated, fresh, pin } = notification.verdict;
    this.#device?.report({ event: "command", ...JSON.parse(reply), authenticated, fresh, pin });
    this.#sendNext();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#device = null;
  }

  /** Whether it is the peer's own record, and the core lets it command. What only looks like it is reported. */
  #isCommand({ key, from, operation, verdict }: Notification): boolean {
    const { peer, namespace } = this.#options;
    if (key !== `${this.#device?.atSign}:command.${namespace}${peer}`) return false;
    if (operation !== "update") return false;
    if (from !== peer) this.#error(`ignored a command from ${from}`);
    else if (!verdict.encrypted) this.#error("ignored a command that was not encrypted");
    return from === peer && verdict.encrypted;
  }

  /** The next reading is due an interval from now. */
  #waitInterval(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#isDue = false;
    this.#timer = setTimeout(() => {
      this.#isDue = true;
      this.#sendNext();
    }, this.#intervalMs);
  }

  /** One operation at a time: a reply first, then the latest reading as a record, then a new reading. */
  #sendNext(): void {
    if (!this.#device || !this.#isReady || this.#isRunning) return;
    if (this.#replies.length > 0) this.#reply(this.#replies[0] ?? "");
    else if (this.#latest) this.#keep(this.#latest);
    else if (this.#isDue) this.#read();
  }

  #reply(value: string): void {
    this.#send("replying", { kind: "notify", name: "reply", value }, () => {
      this.#replies.shift();
    });
  }

  #read(): void {
    const value = JSON.stringify({ n: ++this.#count, ...(this.#options.measure ?? measure)() });
    this.#waitInterval();
    this.#send("notifying a reading", { kind: "notify", name: "reading", value }, ({ status }) => {
      this.#latest = { value, notified: status >= 0 };
    });
  }

  /** A record of its own name: the atServer announces a shared record by itself, and a reading would arrive twice. */
  #keep({ value, notified }: { readonly value: string; readonly notified: boolean }): void {
    const ttlMs = Math.max(SHORTEST_TTL_MS, 10 * this.#intervalMs);
    this.#send("storing a reading", { kind: "put", name: "latest", value, ttlMs }, ({ status }) => {
      this.#latest = null;
      this.#device?.report({
        event: "reading",
        notified,
        stored: status >= 0,
        ...JSON.parse(value),
      });
      this.#device?.reportStats();
    });
  }

  #send(
    what: string,
    { name, ...request }: Omit<Request, "key"> & { readonly name: string },
    ended: (outcome: Outcome) => void,
  ): void {
    const device = this.#device;
    if (!device) return;
    const { peer, namespace } = this.#options;
    const key = `${peer}:${name}.${namespace}${device.atSign}`;
    this.#isRunning = true;
    device.submit({ ...request, key }).then((outcome) => {
      this.#isRunning = false;
      if (outcome.status < 0) this.#error(`${what}: ${outcomeText(outcome)}`);
      ended(outcome);
      this.#sendNext();
    });
  }

  #error(message: string): void {
    this.#device?.report({ event: "error", message });
  }
}
