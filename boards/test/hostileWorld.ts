// SPDX-License-Identifier: BSD-3-Clause
// A local world whose device alone is lied to: its atDirectory sends it to an atServer that stands before the real one.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../../host/cli/world/world.ts";
import { formatAddress } from "../../host/net/address.ts";
import { HostileServer } from "../../host/test/security/hostileServer.ts";

/** The lying atServer of an atSign, and the atDirectory that leads to it. */
export class HostileWorld {
  readonly server: HostileServer;
  /** "host:port" of the atDirectory. */
  readonly directory: string;
  readonly #directory: HostileServer;

  private constructor(server: HostileServer, directory: HostileServer) {
    this.server = server;
    this.#directory = directory;
    this.directory = formatAddress(directory.address);
  }

  static async before(world: World, atSign: string): Promise<HostileWorld> {
    const folder = join(world.folder, atSign);
    const tls = {
      certificate: readFileSync(join(folder, "certificate.pem"), "utf8"),
      privateKey: readFileSync(join(folder, "private-key.pem"), "utf8"),
    };
    const target = { port: world.server(atSign).port, authority: world.authority };
    const server = await HostileServer.start({ tls, target });
    const entries = new Map([[atSign.slice(1), formatAddress(server.address)]]);
    return new HostileWorld(server, await HostileServer.directory(tls, entries));
  }

  /** Lines that tell what the device needed: not the readings it sends by its own clock, nor heartbeats. */
  get requests(): string[] {
    return this.server.lines.filter((line) => /^(l?lookup|plookup|monitor|from|keys)\b/.test(line));
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.#directory.close();
  }
}
