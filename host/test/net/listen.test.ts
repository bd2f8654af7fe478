// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { isLoopback, type Listening, listen, reachableFromNetwork } from "../../net/listen.ts";

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === "::1"),
);

describe("listening", () => {
  const open: Server[] = [];
  afterEach(async () => {
    for (const server of open.splice(0)) {
      server.close();
      if (server.listening) await once(server, "close");
    }
  });

  async function start(host: string, port = 0): Promise<Listening> {
    const listening = await listen(() => createServer((socket) => socket.end()), host, port);
    open.push(...listening.servers);
    return listening;
  }

  async function reach(host: string, port: number): Promise<boolean> {
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

  it("takes both loopback addresses on one port", async () => {
    const { port, addresses } = await start("localhost");
    expect(addresses).toEqual(hasIPv6 ? ["127.0.0.1", "::1"] : ["127.0.0.1"]);
    for (const address of addresses) expect(await reach(address, port)).toBe(true);
    expect(await reach("localhost", port)).toBe(true);
  });

  it("takes one address that is named, and no other", async () => {
    const { port, addresses } = await start("127.0.0.2");
    expect(addresses).toEqual(["127.0.0.2"]);
    expect(await reach("127.0.0.2", port)).toBe(true);
    expect(await reach("127.0.0.1", port)).toBe(false);
  });

  it.each(["127.0.0.1", ...(hasIPv6 ? ["::1"] : [])])(
    "says that the port is taken, also only on %s, and leaves nothing behind",
    async (taken) => {
      const { port } = await start(taken);
      await expect(start("localhost", port)).rejects.toMatchObject({ code: "EADDRINUSE" });
      for (const address of ["127.0.0.1", "::1"]) {
        expect(await reach(address, port)).toBe(address === taken);
      }
    },
  );

  it("finds a port that is free on both addresses, many times over", async () => {
    const ports = new Set<number>();
    for (let i = 0; i < 50; i++) ports.add((await start("localhost")).port);
    expect(ports.size).toBe(50);
  });

  it("rejects an address this machine doesn't have", async () => {
    await expect(start("203.0.113.1")).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
  });

  it.each([
    ["localhost", true],
    ["127.0.0.1", true],
    ["127.9.8.7", true],
    ["::1", true],
    ["0.0.0.0", false],
    ["::", false],
    ["192.168.1.1", false],
    ["2001:db8::1", false],
  ])("knows whether only this machine reaches %s", (address, expected) => {
    expect(isLoopback(address)).toBe(expected);
    expect(reachableFromNetwork(["127.0.0.1", address])).toBe(
      expected ? undefined : `listening on ${address}: reachable from the network`,
    );
  });
});
