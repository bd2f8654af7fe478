// SPDX-License-Identifier: BSD-3-Clause
// A local world with an owner, a peer and flashes for the posix board, for tests.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Provisioning } from "../../device/js/provisioning.ts";
import { World } from "../../host/cli/world/world.ts";
import type { AtClient } from "../../host/client/atClient.ts";
import { formatAddress } from "../../host/net/address.ts";
import { PosixDevice, writeFlash } from "./posixDevice.ts";

export const DEVICE = "@greenhouse";
export const PEER = "@alice";

/** A reading the peer received and decrypted. */
export type Reading = { readonly n: number; readonly temperatureC: number | null };

export class PosixWorld {
  readonly folder: string;
  readonly world: World;
  readonly owner: AtClient;
  readonly peer: AtClient;
  readonly #devices: PosixDevice[] = [];

  private constructor(folder: string, world: World, owner: AtClient, peer: AtClient) {
    this.folder = folder;
    this.world = world;
    this.owner = owner;
    this.peer = peer;
  }

  static async start(): Promise<PosixWorld> {
    const folder = mkdtempSync(join(tmpdir(), "atmicro-posix-"));
    const world = await World.start({
      folder: join(folder, "world"),
      atSigns: [DEVICE, PEER],
      // Under valgrind or QEMU a handshake computes for seconds.
      handshakeMillis: 120_000,
    });
    const owner = await world.activate(DEVICE);
    const peer = await world.activate(PEER);
    return new PosixWorld(folder, world, owner, peer);
  }

  /** A provisioned flash with a fresh passcode. */
  async flash(name: string, changes: Partial<Provisioning> = {}): Promise<string> {
    const file = join(this.folder, name);
    writeFlash(file, {
      atSign: DEVICE,
      directory: formatAddress(this.world.directory),
      app: "greenhouse",
      device: name,
      namespaces: { greenhouse: "rw" },
      passcode: await this.owner.otpGet(),
      peer: PEER,
      intervalMs: 1000,
      authorities: this.world.authority,
      ...changes,
    });
    return file;
  }

  start(program: string, args: readonly string[]): PosixDevice {
    const device = new PosixDevice(program, args);
    this.#devices.push(device);
    return device;
  }

  /** Approves every enrolment that is asked for from now on. */
  async approveAll(): Promise<{ close(): Promise<void> }> {
    const monitor = this.owner.monitor({
      selfNotifications: true,
      regex: "__manage",
      onNotification: ({ key }) => {
        // A device that lost power after asking asks again: the first request is approved too late, to nobody.
        this.owner.approve(key.slice(0, key.indexOf("."))).catch(() => undefined);
      },
    });
    await monitor.ready;
    return monitor;
  }

  /** Collects the readings the peer receives. */
  async readings(onReading: (reading: Reading) => void): Promise<{ close(): Promise<void> }> {
    const monitor = this.peer.monitor({
      regex: "reading\\.greenhouse",
      onNotification: ({ key, value }) => {
        if (key === `${PEER}:reading.greenhouse${DEVICE}`) onReading(JSON.parse(String(value)));
      },
    });
    await monitor.ready;
    return monitor;
  }

  async close(): Promise<void> {
    for (const device of this.#devices) await device.kill();
    await this.owner.close();
    await this.peer.close();
    await this.world.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
