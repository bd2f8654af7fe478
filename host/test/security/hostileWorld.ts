// SPDX-License-Identifier: BSD-3-Clause
// A directory and an atServer, both the attacker's, for one victim: @alpha, whose keys are the test vectors'.
import { randomUUID } from "node:crypto";
import type { NetworkOptions } from "../../client/session.ts";
import { createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { HostileServer } from "./hostileServer.ts";

const made = createAuthority({ name: "hostile" }).then(async (authority) => ({
  authority: authority.certificate,
  tls: await issueCertificate(authority, { hosts: ["localhost"] }),
}));

/** A challenge as an atServer makes it. */
export function challenge(atSign: string): string {
  return `_${randomUUID()}${atSign}:${randomUUID()}`;
}

export class HostileWorld {
  readonly server: HostileServer;
  readonly directory: HostileServer;
  readonly network: NetworkOptions;

  private constructor(server: HostileServer, directory: HostileServer, authority: string) {
    this.server = server;
    this.directory = directory;
    this.network = { directory: directory.address, authority, timeoutMillis: 5_000 };
  }

  /** Logins succeed and heartbeats are answered; everything else is up to `onCommand`. */
  static async start(atSign = "@alpha"): Promise<HostileWorld> {
    const { authority, tls } = await made;
    const server = await HostileServer.start({ tls });
    const entries = new Map([[atSign.slice(1), `localhost:${server.address.port}`]]);
    const directory = await HostileServer.directory(tls, entries);
    server.onCommand(/^from:/, () => `data:${challenge(atSign)}`);
    server.onCommand(/^(?:pkam|cram):/, () => "data:success");
    server.onCommand(/^noop:0$/, () => "data:ok");
    return new HostileWorld(server, directory, authority);
  }

  async close(): Promise<void> {
    await Promise.all([this.server.close(), this.directory.close()]);
  }
}
