// SPDX-License-Identifier: BSD-3-Clause
import { AtError, quoted } from "../../wire/errors.ts";
import { MAX_COUNT, MAX_TIMER_MILLIS, type Tuning } from "../config/config.ts";

const MINUTE_MILLIS = 60_000;
/** Longest period a timer can have, in whole minutes. */
const MAX_MINUTES = Math.floor(MAX_TIMER_MILLIS / MINUTE_MILLIS);

type Numeric = { [K in keyof Tuning]: Tuning[K] extends number ? K : never }[keyof Tuning];

interface NumberParameter {
  tuning: Numeric;
  /** What one unit of the parameter is in the tuning's unit. */
  unit: number;
  min: number;
  max: number;
}

const numberParameters = new Map<string, NumberParameter>([
  ["inboundMaxLimit", { tuning: "inboundMaxLimit", unit: 1, min: 1, max: MAX_COUNT }],
  ["commitLogCompactionFrequencyMins", minutes("commitLogCompactionMillis")],
  ["accessLogCompactionFrequencyMins", minutes("accessLogCompactionMillis")],
  ["notificationKeyStoreCompactionFrequencyMins", minutes("notificationCompactionMillis")],
  ["maxNotificationRetries", { tuning: "notificationMaxRetries", unit: 1, min: 0, max: MAX_COUNT }],
  ["maxRequestsPerTimeFrame", { tuning: "enrollmentMaxRequests", unit: 1, min: 0, max: MAX_COUNT }],
  [
    "timeFrameInMills",
    { tuning: "enrollmentTimeFrameMillis", unit: 1, min: 1, max: MAX_TIMER_MILLIS },
  ],
]);

/** Parameters that make something happen once when set to true. */
const triggers = ["checkCertificateReload", "shouldReloadCertificates", "doCacheRefreshNow"];

function minutes(tuning: Numeric): NumberParameter {
  return { tuning, unit: MINUTE_MILLIS, min: 1, max: MAX_MINUTES };
}

function parseFlag(name: string, text: string): boolean {
  const value = text.toLowerCase();
  if (value !== "true" && value !== "false") {
    throw new AtError("AT0022", `${name} has to be true or false`);
  }
  return value === "true";
}

/** What the config verb may change while the atServer runs, in testing mode (atProtocol, the config verb). */
export class RuntimeParameters {
  private readonly tuning: Tuning;
  private readonly configured: Readonly<Tuning>;
  private readonly triggered = new Map<string, boolean>();
  private readonly actions = new Map<string, (value: boolean) => Promise<void>>();

  private readonly listeners: (() => void)[] = [];

  constructor(tuning: Tuning) {
    this.tuning = tuning;
    this.configured = { ...tuning };
  }

  /** What is done after each change of the tuning. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** What setting `checkCertificateReload`, `shouldReloadCertificates` or `doCacheRefreshNow` does. */
  subscribe(name: string, action: (value: boolean) => Promise<void>): void {
    this.actions.set(name, action);
  }

  /** Throws AT0010 for an unknown name, AT0022 for a value that isn't allowed. */
  async set(name: string, text: string): Promise<void> {
    const number = numberParameters.get(name);
    if (number !== undefined) this.setNumber(name, number, text);
    else if (name === "autoNotify") this.tuning.autoNotify = parseFlag(name, text);
    else await this.trigger(name, parseFlag(this.demandTrigger(name), text));
    this.tellChange();
  }

  /** Back to what the atServer was started with. Throws AT0010. */
  reset(name: string): void {
    const number = numberParameters.get(name);
    if (number !== undefined) this.tuning[number.tuning] = this.configured[number.tuning];
    else if (name === "autoNotify") this.tuning.autoNotify = this.configured.autoNotify;
    else this.triggered.delete(this.demandTrigger(name));
    this.tellChange();
  }

  /** The value as text; null for one that has none until it is set. Throws AT0010. */
  print(name: string): string | null {
    const number = numberParameters.get(name);
    if (number !== undefined) return String(this.tuning[number.tuning] / number.unit);
    if (name === "autoNotify") return String(this.tuning.autoNotify);
    const value = this.triggered.get(this.demandTrigger(name));
    return value === undefined ? null : String(value);
  }

  private setNumber(name: string, { tuning, unit, min, max }: NumberParameter, text: string): void {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new AtError("AT0022", `${name} has to be a whole number from ${min} to ${max}`);
    }
    this.tuning[tuning] = value * unit;
  }

  private async trigger(name: string, value: boolean): Promise<void> {
    this.triggered.set(name, value);
    await this.actions.get(name)?.(value);
  }

  private tellChange(): void {
    for (const listener of this.listeners) listener();
  }

  private demandTrigger(name: string): string {
    if (triggers.includes(name)) return name;
    throw new AtError("AT0010", `Unknown configuration parameter: ${quoted(name)}`);
  }
}
