// SPDX-License-Identifier: BSD-3-Clause
// A world in which the atDirectory is at an IPv6 address and knows no other ones.
import { mkdtempSync, rmSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AtClient } from "../../client/atClient.ts";
import { tlsTransport } from "../../client/tls.ts";
import { type IssuedCertificate, issueCertificate } from "../../crypto/certificates.ts";
import { type RunningDirectory, startDirectory } from "../../directory/directory.ts";
import type { DirectoryStore } from "../../directory/directoryStore.ts";
import { openDirectoryStore } from "../../directory/lmdbDirectoryStore.ts";
import { findAtServer } from "../../net/findAtServer.ts";
import { alpha } from "../client/identities.ts";
import type { Line } from "../server/line.ts";
import { type Place, World } from "../server/world.ts";

const HOST = "::1";

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === HOST),
);

describe.skipIf(!hasIPv6)("atServers at IPv6 addresses", () => {
  let world: World;
  let store: DirectoryStore;
  let directory: RunningDirectory;
  let folder: string;
  const places = new Map<string, { place: Place; owner: Line }>();

  const issue = (): Promise<IssuedCertificate> =>
    issueCertificate(world.authority, { hosts: ["localhost", HOST] });

  async function start(atSign: string, tls: IssuedCertificate): Promise<void> {
    const place = await world.start(atSign, {
      host: "localhost",
      tls: { ...tls, authority: world.authority.certificate },
      directory: { host: HOST, port: directory.port },
    });
    await store.set(atSign, { host: HOST, port: place.server.port });
    places.set(atSign, { place, owner: await place.owner() });
  }
  const of = (atSign: string): { place: Place; owner: Line } => {
    const found = places.get(atSign);
    if (found === undefined) throw new Error(`no ${atSign}`);
    return found;
  };

  beforeAll(async () => {
    world = await World.create();
    folder = mkdtempSync(join(tmpdir(), "atmicro-ipv6-"));
    store = await openDirectoryStore(join(folder, "store"));
    const log = pino({ level: "silent" });
    directory = await startDirectory({ port: 0, host: HOST, tls: await issue(), store, log });
    await start("@alpha", await issue());
    await start("@bob", await issue());
    await start("@carol", await issueCertificate(world.authority, { hosts: ["localhost"] }));
  });
  afterAll(async () => {
    await world.close();
    await directory.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it("are found and connected to by clients", async () => {
    const network = {
      directory: { host: HOST, port: directory.port },
      authority: world.authority.certificate,
    };
    const transport = tlsTransport(network);
    const found = await findAtServer("@alpha", { ...network, transport, timeoutMillis: 5_000 });
    expect(found).toEqual({ host: HOST, port: of("@alpha").place.server.port });
    // The place knows the key, not its enrollment.
    const { enrollmentId: _, ...keys } = alpha;
    const client = await AtClient.connect({ ...network, keys });
    await client.put("self.demo@alpha", "over IPv6");
    expect((await client.get("self.demo@alpha")).value).toBe("over IPv6");
    await client.close();
  });

  it("find, certify and notify each other", async () => {
    const [a, b] = [of("@alpha").owner, of("@bob").owner];
    await a.ask("update:@bob:shared.demo@alpha yes");
    expect(await b.ask("lookup:shared.demo@alpha")).toBe("data:yes\n@bob@");
    const [, id] = /^data:(\S+)\n/.exec(await b.ask("notify:@alpha:news.demo@bob:1")) ?? [];
    await expect.poll(() => b.ask(`notify:status:${id}`)).toBe("data:delivered\n@bob@");
  });

  it("are refused where the certificate is for a name alone", async () => {
    expect(await of("@bob").owner.ask("plookup:x@carol")).toMatch(
      /^error:AT0008-Handshake failure : The certificate of @carol at \[::1\]:\d+ was refused/,
    );
  });
});
