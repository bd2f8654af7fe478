// SPDX-License-Identifier: BSD-3-Clause
// A local world of real atServers with an emulated Pico as the device of @greenhouse.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Bme280 } from "../boards/emulator/bme280.ts";
import type { RunEnd } from "../boards/emulator/emulator.ts";
import { FLASH_BYTES, Flash, SECTOR_BYTES } from "../boards/emulator/flash.ts";
import { I2cBus } from "../boards/emulator/i2cBus.ts";
import { Network } from "../boards/emulator/network.ts";
import { Rp2040Emulator } from "../boards/emulator/rp2040/rp2040Emulator.ts";
import { W5500 } from "../boards/emulator/w5500.ts";
import { fingerprintOf } from "../device/js/fingerprint.ts";
import { provisionedStore } from "../device/js/provisioning.ts";
import { WORLD_HOST, World } from "../host/cli/world/world.ts";
import type { AtClient } from "../host/client/atClient.ts";
import type { ReceivedNotification } from "../host/client/notifications.ts";
import { readKeyFile } from "../host/crypto/keyFile.ts";
import { formatAddress } from "../host/net/address.ts";
import { type MemoryPhase, measureMemory, readSymbols, type Symbols } from "./memory.ts";

export const DEVICE = "@greenhouse";
export const PEER = "@alice";
export const NAMESPACE = "greenhouse";

const ROOT = fileURLToPath(new URL("../", import.meta.url)).replace(/build\/$/, "");
const HOST_ADDRESS = "10.0.0.2";
const INTERVAL_MS = 3_000;
/** The sensor on I2C 0 and the air around it. */
const SENSOR_ADDRESS = 0x76;
const AIR = { celsius: 26.4, percent: 41 };
/** The emulated chip's handshakes take several seconds of this machine, more when it has other work. */
const HANDSHAKE_MS = 120_000;
/** Device time a step may take. */
const STEP_MS = 120_000;
const KEPT_LINES = 12;

interface BoardDescription {
  readonly flash: { readonly storeSectors: number };
  readonly interpreter: { readonly heap: number };
  readonly tls: { readonly heap: number };
}

export interface PicoWorldOptions {
  /** New or empty. */
  readonly folder: string;
  /** Lines of the device's UART with its time in seconds. */
  readonly onLine?: (line: string, seconds: number) => void;
  /** How much faster than this machine's clock time goes while the device sleeps; 4 by default. */
  readonly idleSpeed?: number;
  /** "host:port" of the atDirectory the device is told, when it isn't the world's. */
  readonly directory?: (world: World) => Promise<string>;
}

/** Everything runs and the device is provisioned with a one-time passcode, not started yet. */
export class PicoWorld {
  readonly world: World;
  readonly owner: AtClient;
  readonly peer: AtClient;
  readonly network: Network;
  readonly emulator: Rp2040Emulator;
  readonly #bus = new I2cBus(
    { block: 0, data: 4, clock: 5 },
    { [SENSOR_ADDRESS]: new Bme280(AIR) },
  );
  /** What the peer's monitor decrypted, in order. */
  readonly received: ReceivedNotification[] = [];
  /** Enrollments the owner was asked for and approved. */
  readonly approved: string[] = [];
  /** Lines of the device since its last start. */
  readonly lines: string[] = [];
  readonly imageBytes: number;
  /** Of the peer's public key: the device knows the peer by it. */
  readonly fingerprint: string;
  readonly #symbols: Symbols;
  readonly #board: BoardDescription;
  #failure: Error | null = null;

  private constructor(parts: {
    world: World;
    owner: AtClient;
    peer: AtClient;
    flash: Flash;
    imageBytes: number;
    fingerprint: string;
    board: BoardDescription;
    onLine: (line: string, seconds: number) => void;
    idleSpeed: number;
  }) {
    this.world = parts.world;
    this.owner = parts.owner;
    this.peer = parts.peer;
    this.imageBytes = parts.imageBytes;
    this.fingerprint = parts.fingerprint;
    this.#board = parts.board;
    this.#symbols = readSymbols(join(ROOT, "build/rp2040/atmicro.symbols.json"));
    this.network = new Network({
      names: { [WORLD_HOST]: HOST_ADDRESS },
      routes: { [HOST_ADDRESS]: "127.0.0.1" },
    });
    this.emulator = new Rp2040Emulator({
      flash: parts.flash,
      attachments: [new W5500(this.network), this.#bus],
      idleSpeed: parts.idleSpeed,
      onLine: (line) => {
        this.lines.push(line);
        parts.onLine(line, this.emulator.deviceMs / 1000);
      },
    });
    this.world.failed.catch((error: Error) => this.#fail(error));
  }

  static async start(options: PicoWorldOptions): Promise<PicoWorld> {
    const { folder, onLine = () => {}, idleSpeed = 4, directory } = options;
    const board = JSON.parse(
      readFileSync(join(ROOT, "boards/rp2040/board.json"), "utf8"),
    ) as BoardDescription;
    const image = readFileSync(join(ROOT, "build/rp2040/atmicro.bin"));
    const world = await World.start({
      ...{ folder, atSigns: [DEVICE, PEER] },
      handshakeMillis: HANDSHAKE_MS,
    });
    try {
      const owner = await world.activate(DEVICE);
      const peer = await world.activate(PEER);
      const { encryptPublicKey } = await readKeyFile(world.keyFile(PEER), PEER);
      const fingerprint = fingerprintOf(PEER, encryptPublicKey);
      const flash = new Flash(image);
      const store = provisionedStore({
        atSign: DEVICE,
        directory: (await directory?.(world)) ?? formatAddress(world.directory),
        app: NAMESPACE,
        device: "pico",
        namespaces: { [NAMESPACE]: "rw" },
        passcode: await owner.otpGet(),
        peer: PEER,
        pins: [{ atSign: PEER, fingerprint, acceptUnauthenticated: true }],
        intervalMs: INTERVAL_MS,
        authorities: world.authority,
      });
      flash.write(FLASH_BYTES - board.flash.storeSectors * SECTOR_BYTES, store);
      const imageBytes = image.length;
      const pico = new PicoWorld({
        ...{ world, owner, peer, flash, imageBytes, fingerprint, board },
        ...{ onLine, idleSpeed },
      });
      await pico.#listen();
      return pico;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** Runs the device until the condition holds. Rejects when it stops, faults, or device time for a step is over. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const end = await this.emulator.run({
      until: () => this.#failure !== null || condition(),
      deviceMs: STEP_MS,
    });
    if (this.#failure) throw this.#failure;
    if (end.kind !== "until") throw new Error(this.#explain(what, end));
  }

  /** Runs the device until power is cut as the flash was armed for. */
  async untilPowerCut(): Promise<void> {
    if (!(await this.#isCutBefore(() => false))) throw new Error("the power was not cut");
  }

  /** Runs the device until its log has said this, or power is cut before: then true. */
  async isCutBeforeLine(text: string): Promise<boolean> {
    return this.#isCutBefore(() => this.lines.includes(text));
  }

  async #isCutBefore(condition: () => boolean): Promise<boolean> {
    const end = await this.emulator.run({
      until: () => this.#failure !== null || condition(),
      deviceMs: STEP_MS,
    });
    if (this.#failure) throw this.#failure;
    if (end.kind === "until") return false;
    if (end.kind !== "powerCut") throw new Error(this.#explain("the power cut", end));
    this.lines.length = 0;
    return true;
  }

  /** Runs the device until its log has said this since the given number of lines. */
  async untilLine(text: string, since = 0): Promise<void> {
    await this.until(`"${text}"`, () => this.lines.indexOf(text, since) >= 0);
  }

  /** Runs the device until the peer got another notification of this name; its value. */
  async untilReceived(name: string): Promise<string> {
    const key = `${PEER}:${name}.${NAMESPACE}${DEVICE}`;
    const count = this.received.length;
    const found = () => this.received.slice(count).find((one) => one.key === key);
    await this.until(`a notification of ${name}`, () => found() !== undefined);
    return String(found()?.value);
  }

  /** Sends an encrypted command; the id is what the reply repeats. */
  async command(id: string, intervalMs: number): Promise<void> {
    const command = { id, set: "interval", ms: intervalMs };
    await this.peer.notify(`${DEVICE}:command.${NAMESPACE}${PEER}`, JSON.stringify(command));
  }

  /** Pulls the sensor off its bus. */
  unplugSensor(): void {
    this.#bus.unplug(SENSOR_ADDRESS);
  }

  /** The device's RAM so far, since its last start. */
  memory(name: string): MemoryPhase {
    const { interpreter, tls } = this.#board;
    const heaps = { interpreter: interpreter.heap, tls: tls.heap };
    return measureMemory(name, this.emulator, this.#symbols, heaps);
  }

  async close(): Promise<void> {
    this.emulator.powerOff();
    await this.peer.close();
    await this.owner.close();
    await this.world.close();
  }

  async #listen(): Promise<void> {
    const peers = this.peer.monitor({
      regex: `\\.${NAMESPACE}@`,
      onNotification: (notification) => this.received.push(notification),
      onError: (error) => this.#fail(error),
    });
    const owners = this.owner.monitor({
      selfNotifications: true,
      regex: "__manage",
      onNotification: ({ key }) => {
        const id = key.slice(0, key.indexOf("."));
        this.approved.push(id);
        this.owner.approve(id).catch((error: Error) => this.#fail(error));
      },
      onError: (error) => this.#fail(error),
    });
    await peers.ready;
    await owners.ready;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
  }

  #explain(what: string, end: RunEnd): string {
    const how = end.kind === "fault" ? `fault: ${end.message}` : `it ended by ${end.kind}`;
    const lines = this.lines.slice(-KEPT_LINES).map((line) => `\n  ${line}`);
    return `the device did not come to ${what} (${how}); its last lines:${lines.join("")}`;
  }
}
