// SPDX-License-Identifier: BSD-3-Clause
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServerConfig } from "../../server/config/config.ts";
import { NEWCOMER_PLACES } from "../../server/connection/inbound.ts";
import { Line } from "../server/line.ts";
import { loginAsPeer } from "../server/peerLogin.ts";
import { type Place, World } from "../server/world.ts";
import { loopbackAddress } from "./sockets.ts";

const FULL = "error:AT0012-Inbound connection limit exceeded\n";
const LONG = 600_000;
const OK = "data:ok\n@";

describe("an atServer whose pool is full", () => {
  let world: World;
  let now = 1_700_000_000_000;
  beforeAll(async () => {
    world = await World.create();
  });
  afterAll(() => world.close());

  const start = (atSign: string, changes: Partial<ServerConfig>): Promise<Place> =>
    world.start(atSign, { now: () => now, newcomerMillis: LONG, ...changes });

  /** Connections one after the other, the first of them idle for longest. */
  async function open(place: Place, addresses: readonly string[]): Promise<Line[]> {
    const lines: Line[] = [];
    for (const address of addresses) {
      lines.push(await place.open(address));
      now += 1;
    }
    return lines;
  }

  const attempt = (place: Place, from: string): Line =>
    Line.connect(place.server.port, world.authority.certificate, undefined, undefined, from);

  it.each([1, 3])("lets its owner work while %i machines hold all there is", async (machines) => {
    const inboundMaxLimit = 4;
    const place = await start(`@held${machines}`, { inboundMaxLimit });
    const count = inboundMaxLimit + NEWCOMER_PLACES;
    const addresses = Array.from({ length: count }, (_, i) => loopbackAddress(i % machines));
    const held = await open(place, addresses);
    expect(await attempt(place, loopbackAddress(0)).closed()).toBe(FULL);
    const owner = await place.owner();
    expect(await owner.ask(`update:a.x@held${machines} 1`)).toMatch(/^data:\d+\n/);
    // Once to get in, once to stay.
    expect(await held[0]?.closed()).toBe(FULL);
    expect(await held[1]?.closed()).toBe(FULL);
    for (const line of held.slice(2)) expect(await line.ask("noop:0")).toBe(OK);
    const second = await place.owner();
    expect(await second.ask("noop:0")).toBe(`data:ok\n@held${machines}@`);
  });

  it("gives a new connection the place of the oldest where nobody holds more, however busy that is", async () => {
    const place = await start("@alike", { inboundMaxLimit: 4 });
    const addresses = Array.from({ length: 4 + NEWCOMER_PLACES }, (_, i) => loopbackAddress(i));
    const held = await open(place, addresses);
    expect(await held[0]?.ask("noop:0")).toBe(OK);
    now += 1;
    const owner = await place.owner();
    expect(await owner.ask("noop:0")).toBe("data:ok\n@alike@");
    // Once to get in, once to stay.
    expect(await held[0]?.closed()).toBe(FULL);
    expect(await held[1]?.closed()).toBe(FULL);
    for (const line of held.slice(2)) expect(await line.ask("noop:0")).toBe(OK);
  });

  it("lets its owner in at once while more machines than there are places dial again and again", async () => {
    const inboundMaxLimit = 24;
    const place = await start("@redial", { inboundMaxLimit });
    let isOver = false;
    const redial = async (from: string): Promise<void> => {
      while (!isOver) {
        const line = attempt(place, from);
        await Promise.race([line.closed(), over]);
        line.close();
      }
    };
    let end: () => void = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const machines = inboundMaxLimit + NEWCOMER_PLACES + 10;
    const loops = Array.from({ length: machines }, (_, i) => redial(loopbackAddress(i)));
    for (let login = 0; login < 5; login++) {
      const owner = await place.owner();
      expect(await owner.ask("noop:0")).toBe("data:ok\n@redial@");
      owner.close();
      await delay(50);
    }
    isOver = true;
    end();
    await Promise.all(loops);
  });

  it("lets its owner in while one peer holds every place and dials again and again", async () => {
    const peer = await start("@crowd", {});
    const place = await start("@crowded", {
      inboundMaxLimit: 4,
      peerMaxConnections: 1_000,
      clientCertificateRequired: false,
    });
    const held: Line[] = [];
    for (let i = 0; i < 4 + NEWCOMER_PLACES; i++) {
      held.push(await loginAsPeer(world, peer, place));
      now += 1;
    }
    for (let login = 0; login < 3; login++) {
      const owner = await place.owner();
      expect(await owner.ask("noop:0")).toBe("data:ok\n@crowded@");
      held.push(await loginAsPeer(world, peer, place));
    }
  });

  it("leaves who is about to log in its place while a peer logs in again and again and others talk", async () => {
    const peer = await start("@again", {});
    const place = await start("@busy", { inboundMaxLimit: 12, clientCertificateRequired: false });
    const addresses = Array.from({ length: 12 }, (_, i) => loopbackAddress(i));
    const held = await open(place, addresses);
    const slow = await place.open("127.0.0.1");
    for (let i = 0; i < 6; i++) {
      // Nobody but the slow one is silent.
      for (const line of held) line.send("noop:0\n");
      now += 1;
      await loginAsPeer(world, peer, place);
    }
    expect(await slow.ask("noop:0")).toBe(OK);
  });

  it("lets one other atSign log in so often and no more: its longest idle connection leaves", async () => {
    const peer = await start("@many", {});
    const place = await start("@limits", {
      peerMaxConnections: 3,
      clientCertificateRequired: false,
    });
    const lines: Line[] = [];
    for (let i = 0; i < 4; i++) {
      lines.push(await loginAsPeer(world, peer, place));
      now += 1;
    }
    expect(await lines[0]?.closed()).toBe(FULL);
    for (const line of lines.slice(1)) expect(await line.ask("scan")).toBe("data:[]\n@many@");
  });

  it("gives a new connection the place of one that had time enough to log in, wherever it is from", async () => {
    const place = await start("@slow", { inboundMaxLimit: 4, newcomerMillis: 60_000 });
    const addresses = Array.from({ length: 4 + NEWCOMER_PLACES }, (_, i) => loopbackAddress(i));
    const held = await open(place, addresses);
    // All of them go on talking, so that none is idle.
    for (let i = 0; i < 15; i++) {
      now += 4_000;
      for (const line of held) expect(await line.ask("noop:0")).toBe(OK);
    }
    const owner = await place.owner();
    expect(await owner.ask("noop:0")).toBe("data:ok\n@slow@");
  });

  it("lets who logs in stay, instead of the connection without a login that was idle longest", async () => {
    const place = await start("@login", { inboundMaxLimit: 2, newcomerMillis: 200 });
    const [first, second] = await open(place, ["127.0.0.2", "127.0.0.2"]);
    expect(await first?.ask("noop:0")).toBe(OK);
    const owner = await place.owner();
    expect(await second?.closed()).toBe(FULL);
    await delay(400);
    expect(await owner.ask("noop:0")).toBe("data:ok\n@login@");
    expect(await first?.ask("noop:0")).toBe(OK);
  });

  it("tells a newcomer to leave that doesn't log in", async () => {
    const place = await start("@late", { inboundMaxLimit: 2, newcomerMillis: 100 });
    const [first, second, newcomer] = await open(place, Array(3).fill("127.0.0.2"));
    expect(await newcomer?.ask("noop:0")).toBe(OK);
    expect(await newcomer?.closed()).toBe(FULL);
    for (const line of [first, second]) expect(await line?.ask("noop:0")).toBe(OK);
  });

  it("lets a newcomer stay for which there is room when its time is over", async () => {
    const place = await start("@gone", { inboundMaxLimit: 2, newcomerMillis: 100 });
    const [first, , newcomer] = await open(place, Array(3).fill("127.0.0.2"));
    first?.send("@exit\n");
    await first?.closed();
    await delay(300);
    expect(await newcomer?.ask("noop:0")).toBe(OK);
  });

  it("lets a peer stay like its owner, and its owner instead of a peer", async () => {
    const peer = await start("@peer", {});
    const place = await start("@target", { inboundMaxLimit: 2, clientCertificateRequired: false });
    const [anonymous] = await open(place, ["127.0.0.2"]);
    const peers: Line[] = [];
    for (let i = 0; i < 2; i++) {
      peers.push(await loginAsPeer(world, peer, place));
      now += 1;
    }
    expect(await anonymous?.closed()).toBe(FULL);
    const third = await loginAsPeer(world, peer, place);
    for (const line of peers) expect(await line.ask("scan")).toBe("data:[]\n@peer@");
    now += 1;
    expect(await third.ask("scan")).toBe("data:[]\n@peer@");
    const owner = await place.owner();
    expect(await peers[0]?.closed()).toBe(FULL);
    expect(await owner.ask("noop:0")).toBe("data:ok\n@target@");
  });
});
