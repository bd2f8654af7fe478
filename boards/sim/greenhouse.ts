// SPDX-License-Identifier: BSD-3-Clause
// The demonstration: readings of this machine go to a peer, and the peer may change how often.
import type { App, Device, Notification } from "./app.ts";
import { outcomeText } from "./operations.ts";
import { type Measurement, measure } from "./readings.ts";

export const INTERVAL_MIN_MS = 200;
export const INTERVAL_MAX_MS = 3_600_000;

export interface GreenhouseOptions {
  /** The atSign that receives the readings and alone may command. */
  readonly peer: string;
  readonly namespace: string;
  readonly intervalMs: number;
  readonly measure?: () => Measurement;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A command, or what is wrong with it. */
export type Command =
  | { readonly id: string | number; readonly intervalMs: number }
  | { readonly id: string | number | null; readonly error: string };

/** Reads {"id":…,"set":"interval","ms":200..3600000}. */
export function parseCommand(text: string): Command {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { id: null, error: "the command is not JSON" };
  }
  if (typeof json !== "object" || json === null) {
    return { id: null, error: "the command is not a JSON object" };
  }
  const { id, set, ms } = json as Record<string, unknown>;
  if ((typeof id !== "string" && typeof id !== "number") || String(id).length > 64) {
    return { id: null, error: "id must be a number or a string of at most 64 characters" };
  }
  if (set !== "interval") return { id, error: 'set must be "interval"' };
  if (typeof ms !== "number" || !Number.isInteger(ms)) {
    return { id, error: "ms must be a whole number" };
  }
  if (ms < INTERVAL_MIN_MS || ms > INTERVAL_MAX_MS) {
    return { id, error: `ms must be ${INTERVAL_MIN_MS} to ${INTERVAL_MAX_MS}` };
  }
  return { id, intervalMs: ms };
}

export class Greenhouse implements App {
  readonly #options: GreenhouseOptions;
  #device: Device | null = null;
  #intervalMs: number;
  #timer: NodeJS.Timeout | null = null;
  #count = 0;

  constructor(options: GreenhouseOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs;
  }

  start(device: Device): void {
    this.#device = device;
  }

  /** Readings begin when the session is ready for the first time; later they wait for it. */
  stateChanged(state: string): void {
    if (state !== "ready" || this.#timer) return;
    this.#read();
    this.#schedule();
  }

  notified({ key, value, from, operation, isPlain }: Notification): void {
    const { peer, namespace } = this.#options;
    const name = `command.${namespace}${peer}`;
    if (key !== name && key !== `${this.#device?.atSign}:${name}`) return;
    if (operation !== "update") return;
    if (from !== peer) {
      this.#device?.report({ event: "error", message: `a command from ${from} was ignored` });
      return;
    }
    if (isPlain) {
      const message = "a command that was not encrypted was ignored";
      this.#device?.report({ event: "error", message });
      return;
    }
    this.#obey(parseCommand(value));
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#device = null;
  }

  #schedule(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#read(), this.#intervalMs);
  }

  #key(name: string): string {
    return `${this.#options.peer}:${name}.${this.#options.namespace}${this.#device?.atSign}`;
  }

  #obey(command: Command): void {
    const device = this.#device;
    if (!device) return;
    if ("intervalMs" in command) {
      this.#intervalMs = command.intervalMs;
      this.#schedule();
    }
    const { id, ...rest } = command;
    const reply = { id, ok: "intervalMs" in rest, ...rest };
    device.report({ event: "command", ...reply });
    const value = JSON.stringify(reply);
    device.submit({ kind: "notify", key: this.#key("reply"), value }).then((outcome) => {
      if (outcome.status >= 0) return;
      device.report({ event: "error", message: `replying: ${outcomeText(outcome)}` });
    });
  }

  #read(): void {
    const device = this.#device;
    if (!device) return;
    const n = ++this.#count;
    const at = (this.#options.now ?? Date.now)();
    const value = JSON.stringify({ ...(this.#options.measure ?? measure)(), at, n });
    const key = this.#key("reading");
    // A record of its own name: the atServer announces a shared record by itself, and a reading would arrive twice.
    const latest = this.#key("latest");
    const ttlMs = Math.max(60_000, 10 * this.#intervalMs);
    const steps = [
      device.submit({ kind: "notify", key, value, droppable: true }),
      device.submit({ kind: "put", key: latest, value, ttlMs, droppable: true }),
    ];
    Promise.all(steps).then(([notified, stored]) => {
      for (const [what, outcome] of [
        ["notifying", notified],
        ["storing", stored],
      ] as const) {
        if (!outcome || outcome.status >= 0) continue;
        device.report({ event: "error", message: `${what} reading ${n}: ${outcomeText(outcome)}` });
      }
      const sent = notified?.status === 0 && !notified.dropped;
      const kept = stored?.status === 0 && !stored.dropped;
      device.report({ event: "reading", n, notified: sent, stored: kept, ...JSON.parse(value) });
      device.reportStats();
    });
  }
}
