// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import { startDirectory } from "../../directory/directory.ts";
import { World } from "../server/world.ts";

interface Started {
  port: number;
  close(): Promise<void>;
}

const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

async function reaches(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe("a server that is told no host", () => {
  let world: World;
  const said: string[] = [];
  const log = pino({ level: "info" }, { write: (text) => said.push(JSON.parse(text).msg) });
  beforeAll(async () => {
    world = await World.create();
  });
  afterAll(() => world.close());

  const starts: [string, (host: string | undefined) => Promise<Started>][] = [
    [
      "an atServer",
      async (host) => {
        // Named as absent, so that the world's own host doesn't count.
        const changes = { log, host } as Partial<{ log: typeof log; host: string }>;
        const place = await world.start("@alice", changes);
        return { port: place.server.port, close: () => world.stop(place) };
      },
    ],
    [
      "an atDirectory",
      async (host) =>
        startDirectory({
          port: 0,
          ...(host !== undefined && { host }),
          tls: await issueCertificate(world.authority, { hosts: ["localhost"] }),
          store: world.directoryStore,
          log,
        }),
    ],
  ];

  it.each(starts)("%s is reached by this machine only", async (_name, start) => {
    const server = await start(undefined);
    expect(await reaches("127.0.0.1", server.port)).toBe(true);
    expect(await reaches("127.0.0.2", server.port)).toBe(false);
    if (outside !== undefined) expect(await reaches(outside, server.port)).toBe(false);
    await server.close();
    expect(said.splice(0).join()).not.toContain("reachable");
  });

  it.each(starts)("%s says at its start that the network reaches it", async (_name, start) => {
    const server = await start("0.0.0.0");
    if (outside !== undefined) expect(await reaches(outside, server.port)).toBe(true);
    await server.close();
    expect(said.splice(0)).toContain("listening on 0.0.0.0: reachable from the network");
  });
});
