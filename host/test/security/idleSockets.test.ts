// SPDX-License-Identifier: BSD-3-Clause
import type { Socket } from "node:net";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import { type RunningDirectory, startDirectory } from "../../directory/directory.ts";
import { MAX_HANDSHAKES } from "../../net/handshakes.ts";
import type { ServerConfig } from "../../server/config/config.ts";
import { Line } from "../server/line.ts";
import { World } from "../server/world.ts";
import { ended, loopbackAddress, silentSocket } from "./sockets.ts";

const FULL = "error:AT0012-Inbound connection limit exceeded\n";

interface Target {
  readonly port: number;
  /** Somebody who does what the server is for. */
  serve(): Promise<void>;
  open(from: string): Promise<Line>;
}

let world: World;
const sockets: Socket[] = [];
const directories: RunningDirectory[] = [];
beforeAll(async () => {
  world = await World.create();
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(async () => {
  for (const directory of directories) await directory.close();
  await world.close();
});

async function silent(port: number, from: string): Promise<Socket> {
  const socket = await silentSocket(port, from);
  sockets.push(socket);
  return socket;
}

let servers = 0;
async function atServer(handshakeMillis: number, perAddress: number): Promise<Target> {
  const changes: Partial<ServerConfig> = { handshakeMillis, anonymousMaxPerAddress: perAddress };
  const name = `@idle${servers++}`;
  const place = await world.start(name, changes);
  return {
    port: place.server.port,
    open: (from) => place.open(from),
    async serve() {
      const owner = await place.owner();
      expect(await owner.ask(`update:a.x${name} 1`)).toMatch(/^data:\d+\n/);
      owner.close();
    },
  };
}

async function atDirectory(handshakeMillis: number, maxPerAddress: number): Promise<Target> {
  const { authority, directoryStore: store } = world;
  const tls = await issueCertificate(authority, { hosts: ["localhost"] });
  const log = pino({ level: "silent" });
  const config = { port: 0, host: "127.0.0.1", tls, store, log, handshakeMillis, maxPerAddress };
  const directory = await startDirectory(config);
  directories.push(directory);
  const open = (from?: string): Promise<Line> =>
    Line.open(directory.port, authority.certificate, undefined, from);
  await store.set("@known", { host: "localhost", port: 7 });
  return {
    port: directory.port,
    open,
    async serve() {
      const line = await open();
      expect(await line.ask("known")).toBe("localhost:7\r\n@");
      line.close();
    },
  };
}

const LONG = 600_000;

describe.each([
  ["an atServer", atServer],
  ["an atDirectory", atDirectory],
])("sockets that never begin a TLS handshake with %s", (name, start) => {
  it("are held up to a number, the oldest leaves first, and others are served", async () => {
    const target = await start(LONG, 300);
    const held: Socket[] = [];
    for (let i = 0; i < 456; i++) held.push(await silent(target.port, loopbackAddress(i)));
    const surplus = 456 - MAX_HANDSHAKES;
    const gone = await ended(held, surplus);
    expect(gone).toEqual(Array.from({ length: surplus }, (_, index) => index));
    await target.serve();
  });

  it("are held per address up to a number, and the oldest of that address leaves first", async () => {
    const target = await start(LONG, 5);
    const other = await silent(target.port, "127.0.0.3");
    const held: Socket[] = [];
    for (let i = 0; i < 12; i++) held.push(await silent(target.port, "127.0.0.2"));
    expect(await ended(held, 7)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(await ended([other], 0)).toEqual([]);
    await target.serve();
  });

  it("are destroyed when their time is over, however they spend it", async () => {
    const target = await start(300, 64);
    const quiet = await silent(target.port, "127.0.0.2");
    const slow = await silent(target.port, "127.0.0.2");
    const record = [0x16, 0x03, 0x01, 0x02, 0x00];
    const drip = setInterval(() => slow.write(Uint8Array.of(record.shift() ?? 0)), 20);
    await ended([quiet, slow], 2);
    clearInterval(drip);
    await target.serve();
  });

  it("make place at their address before anything else does, then what was idle longest", async () => {
    const target = await start(LONG, 4);
    const lines: Line[] = [];
    for (let i = 0; i < 3; i++) lines.push(await target.open("127.0.0.2"));
    const first = await silent(target.port, "127.0.0.2");
    lines.push(await target.open("127.0.0.2"));
    await ended([first], 1);
    const [idlest, ...others] = lines;
    for (const line of others) expect(await line.ask("")).not.toBe("");
    const last = await target.open("127.0.0.2");
    expect(await idlest?.closed()).toBe(name === "an atServer" ? FULL : "");
    for (const line of [...others, last]) expect(await line.ask("")).not.toBe("");
    for (const line of [...others, last]) line.close();
  });
});

it("counts no connection that its owner is logged in on", async () => {
  const place = await world.start("@many", { anonymousMaxPerAddress: 2 });
  const owners: Line[] = [];
  for (let i = 0; i < 8; i++) owners.push(await place.owner());
  for (const owner of owners) expect(await owner.ask("noop:0")).toBe("data:ok\n@many@");
});

it("lets nobody keep a half-closed connection", async () => {
  const place = await world.start("@half");
  const { directory, authority } = world;
  for (const { port } of [place.server, directory]) {
    const line = await Line.open(port, authority.certificate);
    line.socket.allowHalfOpen = true;
    line.send("@exit\n");
    // Taken as long as the connection is there, and refused once it isn't.
    const more = setInterval(() => line.send("\n"), 50);
    expect(await line.closed()).toBe("");
    clearInterval(more);
  }
});
