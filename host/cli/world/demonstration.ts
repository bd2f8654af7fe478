// SPDX-License-Identifier: BSD-3-Clause
// The main job on real parts: a device enrols, sends encrypted readings, obeys an encrypted command.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { AtClient } from "../../client/atClient.ts";
import type { ReceivedNotification } from "../../client/notifications.ts";
import { jsonLimits, parseJson } from "../../wire/json.ts";
import type { ChildProgram, LifeEvent } from "../process/childProgram.ts";
import { CliError, EXIT } from "../process/exit.ts";
import { enrolDevice, startDevice } from "./simulatedDevice.ts";
import { World } from "./world.ts";

export const DEVICE = "@greenhouse";
export const PEER = "@alice";
const NAMESPACE = "greenhouse";
const FIRST_INTERVAL_MILLIS = 1_000;
const COMMANDED_INTERVAL_MILLIS = 500;
/** Readings seen before the command is sent. */
const COMMAND_AFTER = 2;
/** Longest time without anything new, ms; then it has failed. */
const PROGRESS_MILLIS = 60_000;

/** What was seen; `--json` prints the same members. */
export type DemonstrationResult = {
  readonly readings: number;
  readonly commandsConfirmed: number;
  readonly coreSha256: string;
  readonly coreBytes: number;
  readonly interpreter: string;
  readonly linearMemoryBytes: number;
  readonly wasm3HeapBytes: number | null;
  readonly linesSent: number;
  readonly linesReceived: number;
  readonly latencyMsMedian: number;
};

/** Shows a person what happens. */
export interface Narrator {
  step(title: string, text: string): void;
  more(text: string): void;
}

type Reading = {
  readonly n: number;
  readonly at: number;
  readonly load: number;
  readonly freeMemoryMiB: number;
  readonly temperatureC: number | null;
};

type DeviceFigures = Omit<
  DemonstrationResult,
  "readings" | "commandsConfirmed" | "latencyMsMedian"
>;

function parseReading(value: unknown): Reading {
  const json = parseJson(String(value), jsonLimits.message);
  if (typeof json === "object" && json !== null) {
    const { n, at, load, freeMemoryMiB, temperatureC } = json as Partial<Reading>;
    if (typeof n === "number" && typeof at === "number" && typeof load === "number") {
      return {
        n,
        at,
        load,
        freeMemoryMiB: freeMemoryMiB ?? Number.NaN,
        temperatureC: temperatureC ?? null,
      };
    }
  }
  throw new CliError(`${DEVICE} sent a reading that is none: ${value}`, EXIT.internal);
}

function readingText(reading: Reading, latencyMs: number): string {
  const temperature =
    reading.temperatureC === null ? "" : `  ${reading.temperatureC.toFixed(1)} °C`;
  const number = String(reading.n).padStart(4);
  const load = reading.load.toFixed(2).padStart(6);
  const memory = String(Math.round(reading.freeMemoryMiB)).padStart(7);
  const latency = String(latencyMs).padStart(5);
  return `${number}  load${load}  free${memory} MiB${temperature}  ${latency} ms from device to ${PEER}`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The whole demonstration; `close` ends everything it started, in any state. */
export class Demonstration {
  readonly folder: string;
  private readonly narrator: Narrator;
  private readonly wanted: number;
  private readonly latencies: number[] = [];
  private readonly seen = new Set<number>();
  private readonly commandId = randomUUID();
  private world: World | undefined;
  private device: ChildProgram | undefined;
  private owner: AtClient | undefined;
  private peer: AtClient | undefined;
  private figures: DeviceFigures | undefined;
  private commandSent = false;
  private finished = false;
  private confirmed = 0;
  private finish: () => void = () => undefined;
  private fail: (error: Error) => void = () => undefined;
  private readonly done: Promise<void>;
  private progress: NodeJS.Timeout | undefined;
  private running: Promise<DemonstrationResult> | undefined;
  private stopped = false;

  constructor(folder: string, readings: number, narrator: Narrator) {
    this.folder = folder;
    this.wanted = readings;
    this.narrator = narrator;
    this.done = new Promise((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
    // Failures before the end is awaited are kept for that moment.
    this.done.catch(() => undefined);
  }

  /** Runs to the end and gives what was seen. Rejects with the first failure. */
  run(): Promise<DemonstrationResult> {
    this.running = this.perform();
    return this.running;
  }

  private async perform(): Promise<DemonstrationResult> {
    const world = await World.start({
      folder: join(this.folder, "world"),
      atSigns: [DEVICE, PEER],
    });
    this.world = world;
    if (this.stopped) throw new CliError("the demonstration was stopped", EXIT.internal);
    world.failed.catch(this.fail);
    this.narrator.step(
      "World",
      `private CA, atDirectory on port ${world.directory.port}, ${world.servers
        .map((server) => `atServer ${server.atSign} on ${server.port}`)
        .join(", ")}; all TLS`,
    );
    this.owner = await world.activate(DEVICE);
    this.peer = await world.activate(PEER);
    this.narrator.step("Owners", `${DEVICE} and ${PEER} activated; their keys were made here`);
    await this.listen(this.peer);
    await this.enrol(world, this.owner);
    this.narrator.step("Readings", `as ${PEER} decrypts them`);
    this.watchProgress();
    await this.done;
    await this.readRecord(this.peer);
    return this.result();
  }

  /** Resolves never; rejects when a server or the device ends. For a world that is kept. */
  async failure(): Promise<never> {
    clearTimeout(this.progress);
    const died = this.device?.ended.then((reason) => {
      throw reason ?? new CliError("the device was stopped", EXIT.internal);
    });
    await Promise.race([this.world?.failed, died]);
    throw new CliError("the world ended", EXIT.internal);
  }

  /** Ends clients, device and servers, in this order. */
  async close(): Promise<void> {
    this.stopped = true;
    this.fail(new CliError("the demonstration was stopped", EXIT.internal));
    await this.stopParts();
    // What was being started at this moment is there now, and is ended as well.
    await Promise.allSettled([this.running]);
    await this.stopParts();
  }

  private async stopParts(): Promise<void> {
    clearTimeout(this.progress);
    await this.device?.stop();
    await this.peer?.close();
    await this.owner?.close();
    await this.world?.close();
  }

  private async listen(peer: AtClient): Promise<void> {
    const monitor = peer.monitor({
      regex: `\\.${NAMESPACE}@`,
      onNotification: (notification) => this.received(notification),
      onError: (error) => this.narrator.more(`${PEER}'s monitor: ${error.message}`),
    });
    monitor.ended.then((reason) => {
      if (reason !== undefined) this.fail(reason);
    }, this.fail);
    await monitor.ready;
  }

  private async enrol(world: World, owner: AtClient): Promise<void> {
    const device = await startDevice({
      world,
      folder: join(this.folder, "device"),
      atSign: DEVICE,
      peer: PEER,
      namespace: NAMESPACE,
      intervalMs: FIRST_INTERVAL_MILLIS,
      onEvent: (event) => this.deviceSaid(event),
    });
    this.device = device;
    await enrolDevice(device, owner, ({ id, appName, deviceName, namespaces }) => {
      const what = `app "${appName}", device "${deviceName}", access ${JSON.stringify(namespaces)}`;
      this.narrator.step("Enrolment", `the device made its own P-256 key and asks for ${what}`);
      this.narrator.more(`approved by ${DEVICE}'s owner: enrollment ${id}`);
    });
    device.ended.then((reason) => {
      if (reason !== undefined) this.fail(reason);
    }, this.fail);
  }

  private deviceSaid(event: LifeEvent): void {
    if (event.event === "stats") {
      const { coreSha256, coreBytes, interpreter, linearMemoryBytes, ...rest } = event;
      const { wasm3HeapBytes, linesSent, linesReceived } = rest;
      if (this.figures === undefined) this.introduce(event);
      this.figures = {
        coreSha256: String(coreSha256),
        coreBytes: Number(coreBytes),
        interpreter: String(interpreter),
        linearMemoryBytes: Number(linearMemoryBytes),
        wasm3HeapBytes: typeof wasm3HeapBytes === "number" ? wasm3HeapBytes : null,
        linesSent: Number(linesSent),
        linesReceived: Number(linesReceived),
      };
    }
    if (event.event === "error") this.narrator.more(`device: ${event.message}`);
  }

  private introduce({ coreBytes, coreSha256, interpreter, linearMemoryBytes }: LifeEvent): void {
    const under =
      interpreter === "wasm3"
        ? `wasm3 with ${linearMemoryBytes} bytes of linear memory`
        : "V8, because the wasm3 binding is not built on this machine";
    const hash = String(coreSha256).slice(0, 12);
    this.narrator.step("Device", `core.wasm, ${coreBytes} bytes, SHA-256 ${hash}…, under ${under}`);
  }

  private received(notification: ReceivedNotification): void {
    if (notification.from !== DEVICE || this.finished) return;
    this.watchProgress();
    try {
      if (notification.key === `${PEER}:reply.${NAMESPACE}${DEVICE}`) this.replied(notification);
      if (notification.key === `${PEER}:reading.${NAMESPACE}${DEVICE}`) this.reading(notification);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
    if (this.seen.size < this.wanted || this.confirmed === 0) return;
    this.finished = true;
    this.finish();
  }

  private reading({ value }: ReceivedNotification): void {
    const reading = parseReading(value);
    if (this.seen.has(reading.n)) {
      throw new CliError(`reading ${reading.n} arrived twice`, EXIT.internal);
    }
    const latencyMs = Date.now() - reading.at;
    this.seen.add(reading.n);
    this.latencies.push(latencyMs);
    this.narrator.more(readingText(reading, latencyMs));
    if (this.commandSent || this.seen.size < Math.min(COMMAND_AFTER, this.wanted)) return;
    this.commandSent = true;
    this.command().catch(this.fail);
  }

  private async command(): Promise<void> {
    const command = { id: this.commandId, set: "interval", ms: COMMANDED_INTERVAL_MILLIS };
    const key = `${DEVICE}:command.${NAMESPACE}${PEER}`;
    await this.peer?.notify(key, JSON.stringify(command));
    this.narrator.more(`      ${PEER} → device, encrypted: interval ${command.ms} ms`);
  }

  private replied({ value }: ReceivedNotification): void {
    const reply = parseJson(String(value), jsonLimits.message);
    const { id, ok, intervalMs, error } = reply as Record<string, unknown>;
    if (id !== this.commandId) return;
    if (ok !== true) throw new CliError(`the device refused the command: ${error}`, EXIT.internal);
    this.confirmed += 1;
    this.narrator.more(`      device → ${PEER}, encrypted: done, interval is ${intervalMs} ms`);
  }

  private async readRecord(peer: AtClient): Promise<void> {
    const { value, metadata } = await peer.get(`latest.${NAMESPACE}${DEVICE}`);
    const { n } = parseReading(value);
    this.narrator.step(
      "Record",
      `the latest reading is also kept as a shared record: number ${n}, ttl ${metadata.ttl} ms`,
    );
  }

  private watchProgress(): void {
    clearTimeout(this.progress);
    this.progress = setTimeout(() => {
      const message = `nothing came from the device for ${PROGRESS_MILLIS / 1000} s`;
      this.fail(new CliError(message, EXIT.timeout));
    }, PROGRESS_MILLIS);
  }

  private result(): DemonstrationResult {
    if (this.figures === undefined) {
      throw new CliError("the device gave no figures", EXIT.internal);
    }
    return {
      readings: this.seen.size,
      commandsConfirmed: this.confirmed,
      ...this.figures,
      latencyMsMedian: median(this.latencies),
    };
  }
}
