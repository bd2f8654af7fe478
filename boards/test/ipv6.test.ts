// SPDX-License-Identifier: BSD-3-Clause
// Devices in a world whose directory knows IPv6 addresses alone.
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HostileServer } from "../../host/test/security/hostileServer.ts";
import { buildDevice } from "./posixDevice.ts";
import { DEVICE, PEER, PosixWorld } from "./posixWorld.ts";
import { SimulatedProcess } from "./simulatedProcess.ts";

/** Begins a TLS record that is a handshake message. */
const HANDSHAKE = 0x16;

let world: PosixWorld;
/** An atDirectory that says that the device's atServer is at an IPv6 address. */
let directory: HostileServer;
let lead: Map<string, string>;
let listener: Server;

beforeAll(async () => {
  world = await PosixWorld.start();
  await world.approveAll();
  const folder = join(world.world.folder, DEVICE);
  const tls = {
    certificate: readFileSync(join(folder, "certificate.pem"), "utf8"),
    privateKey: readFileSync(join(folder, "private-key.pem"), "utf8"),
  };
  lead = new Map();
  directory = await HostileServer.directory(tls, lead);
  listener = createServer().listen(0, "::1");
  await once(listener, "listening");
}, 300_000);

afterAll(async () => {
  listener.close();
  await directory.close();
  await world.close();
});

it("the simulated device enrols and sends over IPv6", async () => {
  lead.set("greenhouse", `[::1]:${world.world.server(DEVICE).port}`);
  const file = join(world.folder, "sim.json");
  const configuration = {
    atSign: DEVICE,
    directory: `localhost:${directory.address.port}`,
    ca: world.world.authorityFile,
    store: join(world.folder, "sim.store"),
    app: "greenhouse",
    device: "sim",
    namespaces: { greenhouse: "rw" },
    peer: PEER,
    intervalMs: 1000,
  };
  writeFileSync(file, JSON.stringify(configuration));
  const device = new SimulatedProcess(file);
  device.child.stdin.write(`${await world.owner.otpGet()}\n`);
  await device.until({ event: "reading", n: 1, notified: true });
  expect(device.count({ event: "error" })).toBe(0);
  await device.kill();
});

it("the device in C connects to an IPv6 address, from the configuration or the atDirectory", async () => {
  const program = buildDevice("plain");
  const { port } = listener.address() as AddressInfo;
  const address = `[::1]:${port}`;
  lead.set("greenhouse", address);
  for (const [name, told] of [
    ["configured", address],
    ["found", `localhost:${directory.address.port}`],
  ] as const) {
    const connected = once(listener, "connection");
    const device = world.start(program, [await world.flash(name, { directory: told })]);
    const [socket] = await connected;
    const [bytes] = await once(socket, "data");
    expect(bytes[0]).toBe(HANDSHAKE);
    expect(device.count(`connecting to ${address}`)).toBe(1);
    await device.kill();
    socket.destroy();
  }
});

it("the device in C doesn't check a certificate by address: it refuses it, and says so", async () => {
  const address = `[::1]:${world.world.directory.port}`;
  const program = buildDevice("plain");
  const device = world.start(program, [await world.flash("literal", { directory: address })]);
  await device.until("not connected: its certificate is not for this host or not trusted");
  await device.kill();
});
