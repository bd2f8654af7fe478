// SPDX-License-Identifier: BSD-3-Clause
// The main job on real parts: a device enrols, sends encrypted readings, obeys an encrypted command.
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { activate } from "../client/activation.ts";
import { AtClient } from "../client/atClient.ts";
import type { ReceivedNotification } from "../client/notifications.ts";
import { formatAddress } from "../client/transport.ts";
import { writeKeyFile } from "../crypto/keyFile.ts";
import { ChildProgram, type LifeEvent } from "./childProgram.ts";
import { CliError, EXIT } from "./exit.ts";
import { deviceProgram } from "./program.ts";
import { World } from "./world.ts";

export const DEVICE = "@greenhouse";
export const PEER = "@alice";
const NAMESPACE = "greenhouse";
const FIRST_INTERVAL_MILLIS = 1_000;
const COMMANDED_INTERVAL_MILLIS = 500;
/** Readings seen before the command is sent. */
const COMMAND_AFTER = 2;
/** Nothing new for so long is a failure. */
const PROGRESS_MILLIS = 60_000;
const READY_MILLIS = 30_000;

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

/** What a person is told on the way. */
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
  const json: unknown = JSON.parse(String(value));
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
  async run(): Promise<DemonstrationResult> {
    const world = await World.start({
      folder: join(this.folder, "world"),
      atSigns: [DEVICE, PEER],
    });
    this.world = world;
    world.failed.catch(this.fail);
    this.narrator.step(
      "World",
      `private CA, atDirectory on port ${world.directory.port}, ${world.servers
        .map((server) => `atServer ${server.atSign} on ${server.port}`)
        .join(", ")}; all TLS`,
    );
    this.owner = await this.activate(world, DEVICE);
    this.peer = await this.activate(world, PEER);
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
    clearTimeout(this.progress);
    await this.device?.stop();
    await this.peer?.close();
    await this.owner?.close();
    await this.world?.close();
  }

  private async activate(world: World, atSign: string): Promise<AtClient> {
    const { cramSecret } = world.server(atSign);
    const save = (keys: Parameters<typeof writeKeyFile>[1]): Promise<void> =>
      writeKeyFile(world.keyFile(atSign), keys);
    const keys = await activate({ atSign, cramSecret, save }, world.network);
    return await AtClient.connect({ ...world.network, keys });
  }

  private async listen(peer: AtClient): Promise<void> {
    const monitor = peer.monitor({
      regex: `\\.${NAMESPACE}@`,
      onNotification: (notification) => this.received(notification),
      onError: (error) => this.narrator.more(`${PEER}'s monitor: ${error.message}`),
    });
    monitor.ended.then((reason) => {
      if (reason !== undefined) this.fail(reason);
    });
    await monitor.ready;
  }

  private async enrol(world: World, owner: AtClient): Promise<void> {
    const asked = this.enrolmentAsked(owner);
    const device = await this.startDevice(world);
    this.device = device;
    device.writeLine(await owner.otpGet());
    const enrolled = device.event("enrolled", READY_MILLIS);
    const { id, text } = await Promise.race([asked, this.failedFirst(enrolled)]);
    this.narrator.step("Enrolment", `the device made its own P-256 key and asks for ${text}`);
    await owner.approve(id);
    this.narrator.more(`approved by ${DEVICE}'s owner: enrollment ${id}`);
    await enrolled;
    device.ended.then((reason) => {
      if (reason !== undefined) this.fail(reason);
    });
  }

  /** Rejects as `promise` does; its success comes too early to matter. */
  private async failedFirst(promise: Promise<unknown>): Promise<never> {
    await promise;
    throw new CliError("the device enrolled without being approved", EXIT.internal);
  }

  /** The owner is told of a request by a notification to itself (atProtocol, APKAM enrollment). */
  private async enrolmentAsked(owner: AtClient): Promise<{ id: string; text: string }> {
    return await new Promise((resolve, reject) => {
      const monitor = owner.monitor({
        selfNotifications: true,
        regex: "__manage",
        onNotification: ({ key, value }) => {
          const id = key.slice(0, key.indexOf("."));
          const { appName, deviceName, namespace } = JSON.parse(String(value));
          const text = `app "${appName}", device "${deviceName}", access ${JSON.stringify(namespace)}`;
          monitor.close().catch(reject);
          resolve({ id, text });
        },
        onError: reject,
      });
    });
  }

  private async startDevice(world: World): Promise<ChildProgram> {
    const folder = join(this.folder, "device");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const configuration = join(folder, "configuration.json");
    const content = {
      atSign: DEVICE,
      directory: formatAddress(world.directory),
      ca: world.authorityFile,
      store: join(folder, "store"),
      app: NAMESPACE,
      device: "simulator",
      namespaces: { [NAMESPACE]: "rw" },
      peer: PEER,
      intervalMs: FIRST_INTERVAL_MILLIS,
    };
    await writeFile(configuration, JSON.stringify(content));
    const device = new ChildProgram({
      name: "the device",
      args: [deviceProgram(), configuration],
      onEvent: (event) => this.deviceSaid(event),
    });
    return device;
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
    const { id, ok, intervalMs, error } = JSON.parse(String(value));
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
