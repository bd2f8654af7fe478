// SPDX-License-Identifier: BSD-3-Clause
// The W5500 model against the tables of its datasheet (WIZnet, W5500 Datasheet 1.1.0).
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { W5500Bus } from "./w5500Bus.ts";

const COMMON = 0;
const SOCKET = 1;
const TX = 2;
const RX = 3;
const CR = 0x01;
const IR = 0x02;
const SR = 0x03;

const servers: Server[] = [];
const peers: Socket[] = [];

afterEach(() => {
  for (const peer of peers.splice(0)) peer.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A TCP server as 10.0.0.2:7, and the bus; `peer` is the accepted connection. */
async function withServer() {
  const server = createServer();
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const bus = new W5500Bus({ names: {}, routes: { "10.0.0.2:7": `127.0.0.1:${port}` } });
  const accepted = once(server, "connection").then(([socket]: Socket[]) => {
    if (socket) peers.push(socket);
    return socket as Socket;
  });
  return { bus, accepted };
}

/** Waits until Sn_SR is what is asked for; the model tells of every change by its event. */
async function until(bus: W5500Bus, condition: () => boolean): Promise<void> {
  while (!condition()) {
    await bus.event();
    bus.write(SOCKET, IR, 0x1f);
  }
}

async function connected() {
  const { bus, accepted } = await withServer();
  bus.write(COMMON, 0x18, 0x01);
  bus.write(SOCKET, 0x00, 0x01);
  bus.write(SOCKET, 0x04, 0xc0, 0x00);
  bus.write(SOCKET, CR, 0x01);
  expect(bus.byte(SOCKET, SR)).toBe(0x13);
  bus.write(SOCKET, 0x0c, 10, 0, 0, 2);
  bus.write(SOCKET, 0x10, 0, 7);
  bus.write(SOCKET, CR, 0x04);
  expect(bus.byte(SOCKET, SR)).toBe(0x15);
  const peer = await accepted;
  await until(bus, () => bus.byte(SOCKET, SR) === 0x17);
  return { bus, peer };
}

describe("W5500 registers", () => {
  it("has the reset values of §4.1", () => {
    const bus = new W5500Bus();
    expect(bus.byte(COMMON, 0x39)).toBe(0x04);
    expect(bus.half(COMMON, 0x19)).toBe(0x07d0);
    expect(bus.byte(COMMON, 0x1b)).toBe(0x08);
    expect(bus.byte(COMMON, 0x1c)).toBe(0x28);
    expect(bus.half(COMMON, 0x26)).toBe(0xffff);
    expect(bus.byte(COMMON, 0x2e)).toBe(0xbf);
    expect(bus.read(COMMON, 0x00, 0x19)).toEqual(new Array(0x19).fill(0));
  });

  it("has the reset values of §4.2 in each of the eight sockets", () => {
    const bus = new W5500Bus();
    for (let socket = 0; socket < 8; socket++) {
      const block = socket * 4 + 1;
      expect(bus.read(block, 0x00, 6)).toEqual([0, 0, 0, 0, 0, 0]);
      expect(bus.read(block, 0x06, 6)).toEqual([255, 255, 255, 255, 255, 255]);
      expect(bus.byte(block, 0x16)).toBe(0x80);
      expect(bus.read(block, 0x1e, 2)).toEqual([2, 2]);
      expect(bus.half(block, 0x20)).toBe(0x0800);
      expect(bus.half(block, 0x26)).toBe(0);
      expect(bus.byte(block, 0x2c)).toBe(0xff);
      expect(bus.half(block, 0x2d)).toBe(0x4000);
    }
  });

  it("keeps addresses, ignores writes to VERSIONR, and forgets all by MR's RST", () => {
    const bus = new W5500Bus();
    bus.write(COMMON, 0x09, 2, 0, 0, 0, 0, 1, 10, 0, 0, 17);
    bus.write(COMMON, 0x39, 0x55);
    expect(bus.read(COMMON, 0x09, 10)).toEqual([2, 0, 0, 0, 0, 1, 10, 0, 0, 17]);
    expect(bus.byte(COMMON, 0x39)).toBe(0x04);
    bus.write(COMMON, 0x00, 0x80);
    expect(bus.read(COMMON, 0x09, 10)).toEqual(new Array(10).fill(0));
  });

  it("shows the cable in PHYCFGR", () => {
    const bus = new W5500Bus();
    bus.network.isLinkUp = false;
    expect(bus.byte(COMMON, 0x2e) & 1).toBe(0);
    bus.network.isLinkUp = true;
    expect(bus.byte(COMMON, 0x2e) & 1).toBe(1);
  });

  it.each<[string, (bus: W5500Bus) => void]>([
    ["a socket buffer of 4 kB is not modelled", (bus) => bus.write(SOCKET, 0x1e, 4)],
    ["socket command 0x00000002 is not modelled", (bus) => bus.write(SOCKET, CR, 0x02)],
    ["write to a receive buffer", (bus) => bus.write(RX, 0, 1)],
    ["block 4 is reserved", (bus) => bus.read(4, 0, 1)],
    ["protocol 0 is not modelled", (bus) => bus.write(SOCKET, CR, 0x01)],
  ])("refuses: %s", (message, act) => {
    expect(() => act(new W5500Bus())).toThrow(message);
  });
});

describe("W5500 TCP", () => {
  it("connects, raises CON and pulls INTn low until it is cleared", async () => {
    const { bus } = await withServer();
    expect(bus.interruptPin).toBe(true);
    bus.write(COMMON, 0x18, 0x01);
    bus.write(SOCKET, 0x00, 0x01);
    bus.write(SOCKET, CR, 0x01);
    bus.write(SOCKET, 0x0c, 10, 0, 0, 2);
    bus.write(SOCKET, 0x10, 0, 7);
    bus.write(SOCKET, CR, 0x04);
    await bus.event();
    expect(bus.byte(SOCKET, SR)).toBe(0x17);
    expect(bus.byte(SOCKET, IR)).toBe(0x01);
    expect(bus.byte(COMMON, 0x17)).toBe(0x01);
    expect(bus.interruptPin).toBe(false);
    bus.write(SOCKET, IR, 0x01);
    expect(bus.byte(COMMON, 0x17)).toBe(0x00);
    expect(bus.interruptPin).toBe(true);
  });

  it("sends what lies between TX_RD and TX_WR, over the ring's end too", async () => {
    const { bus, peer } = await connected();
    const got: Buffer[] = [];
    peer.on("data", (bytes) => got.push(bytes));
    const size = () => got.reduce((sum, bytes) => sum + bytes.length, 0);
    for (const [at, total] of [
      [0, 1500],
      [1500, 3000],
    ] as const) {
      const chunk = Array.from({ length: 1500 }, (_, i) => (at + i) & 0xff);
      bus.write(TX, at, ...chunk);
      bus.write(SOCKET, 0x24, total >> 8, total & 0xff);
      bus.write(SOCKET, CR, 0x20);
      while (size() < total) await once(peer, "data");
      await until(bus, () => bus.half(SOCKET, 0x20) === 0x0800);
      expect(bus.half(SOCKET, 0x22)).toBe(total);
    }
    expect([...Buffer.concat(got)]).toEqual(Array.from({ length: 3000 }, (_, i) => i & 0xff));
  });

  it("receives into the ring, as much as fits, and goes on after RECV", async () => {
    const { bus, peer } = await connected();
    peer.write(Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) & 0xff));
    await until(bus, () => bus.half(SOCKET, 0x26) === 2048);
    expect(bus.read(RX, 0, 4)).toEqual([0, 7, 14, 21]);
    bus.write(SOCKET, 0x28, 0x03, 0xe8);
    // The read pointer counts from the command on, not from its writing.
    expect(bus.half(SOCKET, 0x26)).toBe(2048);
    bus.write(SOCKET, CR, 0x40);
    await until(bus, () => bus.half(SOCKET, 0x26) === 2000);
    expect(bus.half(SOCKET, 0x2a)).toBe(3000);
    expect(bus.read(RX, 2048, 1)).toEqual([(2048 * 7) & 0xff]);
  });

  it("turns the peer's FIN into CLOSE_WAIT after its last byte, its RST into CLOSED", async () => {
    const first = await connected();
    first.peer.end("x");
    await until(first.bus, () => first.bus.byte(SOCKET, SR) === 0x1c);
    expect(first.bus.half(SOCKET, 0x26)).toBe(1);
    const second = await connected();
    second.peer.resetAndDestroy();
    await until(second.bus, () => second.bus.byte(SOCKET, SR) === 0x00);
  });

  it("closes with TIMEOUT after the 31.8 s of RTR and RCR when nobody answers", async () => {
    const bus = new W5500Bus();
    bus.write(SOCKET, 0x00, 0x01);
    bus.write(SOCKET, CR, 0x01);
    bus.write(SOCKET, 0x0c, 10, 9, 9, 9);
    bus.write(SOCKET, CR, 0x04);
    bus.clock.tick(31.7e9);
    expect(bus.byte(SOCKET, SR)).toBe(0x15);
    bus.clock.tick(0.2e9);
    expect(bus.byte(SOCKET, SR)).toBe(0x00);
    expect(bus.byte(SOCKET, IR)).toBe(0x08);
  });
});

describe("faults of the network", () => {
  it("shows one byte at a time", async () => {
    const { bus, peer } = await connected();
    bus.network.segmentBytes = 1;
    peer.write("abc");
    await until(bus, () => bus.half(SOCKET, 0x26) > 0);
    for (const [at, letter] of [..."abc"].entries()) {
      expect(bus.half(SOCKET, 0x26)).toBe(1);
      expect(bus.byte(RX, at)).toBe(letter.charCodeAt(0));
      bus.write(SOCKET, 0x28, 0, at + 1);
      bus.write(SOCKET, CR, 0x40);
    }
    expect(bus.half(SOCKET, 0x26)).toBe(0);
  });

  it("holds bytes back while the cable is out", async () => {
    const { bus, peer } = await connected();
    bus.network.isLinkUp = false;
    bus.write(TX, 0, 0x41);
    bus.write(SOCKET, 0x24, 0, 1);
    bus.write(SOCKET, CR, 0x20);
    expect(bus.half(SOCKET, 0x20)).toBe(2047);
    bus.network.isLinkUp = true;
    const [bytes] = await once(peer, "data");
    expect(bytes.toString()).toBe("A");
    await until(bus, () => bus.half(SOCKET, 0x20) === 2048);
  });

  it("breaks connections by RST on both sides", async () => {
    const { bus, peer } = await connected();
    const broken = once(peer, "error");
    bus.network.reset();
    expect(bus.byte(SOCKET, SR)).toBe(0x00);
    expect((await broken)[0]).toMatchObject({ code: "ECONNRESET" });
  });
});
