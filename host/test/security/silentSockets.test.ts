// SPDX-License-Identifier: BSD-3-Clause
// Who connects and says nothing costs a server a socket, and none of what TLS keeps.
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_HANDSHAKES } from "../../net/handshakes.ts";
import { ServerProcess } from "../server/serverProcess.ts";
import { World } from "../server/world.ts";
import { growthDuring } from "./residentMemory.ts";
import { loopbackAddress, silentSocket } from "./sockets.ts";

/** Of one silent connection, bytes. */
const MAX_BYTES_EACH = 7_000;
const PER_ADDRESS = 10;

describe("connections that say nothing", () => {
  let world: World;
  let folder: string;
  let server: ServerProcess;
  beforeAll(async () => {
    world = await World.create();
    folder = mkdtempSync(join(tmpdir(), "atmicro-silent-"));
    server = new ServerProcess(world, "@silent", folder);
    await server.start();
    await server.activate();
    for (let i = 0; i < 20; i++) (await server.owner()).close();
  });
  afterAll(async () => {
    server.stop();
    await server.exit();
    await world.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("take little memory, and the next one is served", async () => {
    const sockets: Socket[] = [];
    const growth = await growthDuring(server.pid ?? 0, async () => {
      for (let i = 0; i < MAX_HANDSHAKES - 1; i++) {
        const from = loopbackAddress(Math.floor(i / PER_ADDRESS));
        sockets.push(await silentSocket(server.port, from));
      }
      const line = await server.owner();
      expect(await line.ask("noop:0")).toBe("data:ok\n@silent@");
      line.close();
    });
    expect(sockets.filter(({ closed }) => closed)).toEqual([]);
    expect(growth).toBeLessThan(MAX_HANDSHAKES * MAX_BYTES_EACH);
    for (const socket of sockets) socket.destroy();
  });

  it("leave room for their owner, also from an address that dials all the time", async () => {
    const sockets: Socket[] = [];
    for (let i = 0; i < MAX_HANDSHAKES / 2 - 8; i++) {
      const from = loopbackAddress(Math.floor(i / PER_ADDRESS));
      sockets.push(await silentSocket(server.port, from));
    }
    for (let i = 0; i < 4 * PER_ADDRESS; i++) {
      sockets.push(await silentSocket(server.port, "127.0.0.1"));
    }
    const line = await server.owner();
    expect(await line.ask("noop:0")).toBe("data:ok\n@silent@");
    line.close();
    for (const socket of sockets) socket.destroy();
  });
});
