// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  MAX_ANONYMOUS_LINE_BYTES,
  MAX_ENROLL_REQUEST_BYTES,
} from "../../server/connection/longRequests.ts";
import type { Line } from "../server/line.ts";
import { loginAsPeer } from "../server/peerLogin.ts";
import { challengeOf, identity, type Place, signChallenge, World } from "../server/world.ts";

const OVERFLOW =
  "InboundBuffer overflow: server received request which exceeded the buffer size limit. Terminating the connection.";
const REFUSED = `error:AT0005-Exception: ${OVERFLOW}\n@`;
const INVALID = "error:AT0003-Exception: invalid command\n@";

/** A line of so many bytes, its line feed included. */
const lineOf = (start: string, length: number, fill = "x"): string =>
  `${start}${fill.repeat(length - start.length - 1)}\n`;

/** A request for an enrollment in a line of so many bytes. */
function enrollRequest(length: number, verb = "enroll:request:"): string {
  const parameters = {
    otp: "WRONG1",
    appName: "app",
    deviceName: "device",
    namespaces: { wavi: "rw" },
    apkamPublicKey: "",
  };
  const [head = "", tail = ""] = JSON.stringify(parameters).split(/(?<="apkamPublicKey":")/);
  return `${verb}${head}${"k".repeat(length - verb.length - head.length - tail.length - 1)}${tail}\n`;
}

describe("a line of a connection without a login", () => {
  let world: World;
  let alice: Place;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { otpDelayThresholdMillis: 2 });
  });
  afterAll(() => world.close());

  it("may have 64 kB, and one byte more ends the connection", async () => {
    expect(MAX_ANONYMOUS_LINE_BYTES).toBe(65_536);
    const line = await alice.open();
    line.send(lineOf("nonsense", 65_536));
    expect(await line.reply()).toBe(INVALID);
    line.send(lineOf("nonsense", 65_537));
    expect(await line.closed()).toBe(REFUSED);
    const unfinished = await alice.open();
    unfinished.send("x".repeat(65_537));
    expect(await unfinished.closed()).toBe(REFUSED);
  });

  it.each(["enroll:request:", " ENROLL:Request:", "e nroll:request:"])(
    "may have 768 kB when it begins with %j",
    async (verb) => {
      expect(MAX_ENROLL_REQUEST_BYTES).toBe(786_432);
      const line = await alice.open();
      line.send(enrollRequest(786_432, verb));
      expect(await line.reply()).toMatch(/^error:AT0011-/);
      line.send(enrollRequest(786_433, verb));
      expect(await line.closed()).toBe(REFUSED);
    },
  );

  it.each(["enroll:approve:", "enroll:", "from:", "update:public:a@alice ", "xenroll:request:"])(
    "may not when it begins with %j",
    async (start) => {
      const line = await alice.open();
      line.send(lineOf(start, 65_537));
      expect(await line.closed()).toBe(REFUSED);
    },
  );

  it("is a long request on one connection of an address at a time", async () => {
    const from = "127.0.0.9";
    const request = enrollRequest(200_000);
    const first = await alice.open(from);
    first.send(request.slice(0, 100_000));
    const elsewhere = await alice.open("127.0.0.10");
    elsewhere.send(request.slice(0, 100_000));
    const attempt = async (): Promise<string> => {
      const line = await alice.open(from);
      line.send(request);
      return line.reply();
    };
    // As soon as the first's bytes are there.
    await expect.poll(attempt).toBe(REFUSED);
    for (const line of [first, elsewhere]) {
      line.send(request.slice(100_000));
      expect(await line.reply()).toMatch(/^error:AT0011-/);
    }
    expect(await attempt()).toMatch(/^error:AT0011-/);
    // Whoever leaves in the middle of it leaves the turn.
    const left = await alice.open(from);
    left.send(request.slice(0, 100_000));
    await expect.poll(attempt).toBe(REFUSED);
    left.close();
    await expect.poll(attempt).toMatch(/^error:AT0011-/);
  });

  it("is longer once its login is answered, also when it was sent behind it", async () => {
    const value = "v".repeat(1_000_000);
    await alice.owner();
    const line = await alice.open();
    const challenge = challengeOf(await line.ask("from:@alice"));
    const pkam = `pkam:${signChallenge(identity("@alpha").privateKey, challenge)}\n`;
    // Something that takes its time comes first.
    line.send(`noop:300\n${pkam}update:behind.x@alice ${value}\nllookup:behind.x@alice\n`);
    expect(await line.reply()).toBe("data:ok\n@");
    expect(await line.reply()).toBe("data:success\n@alice@");
    expect(await line.reply()).toMatch(/^data:\d+\n@alice@$/);
    expect(await line.reply()).toBe(`data:${value}\n@alice@`);
  });

  it("is not when that login fails", async () => {
    const line = await alice.open();
    await line.ask("from:@alice");
    line.send(`noop:300\npkam:AAAA\nupdate:behind.x@alice ${"v".repeat(1_000_000)}\n`);
    expect(await line.reply()).toBe("data:ok\n@");
    expect(await line.reply()).toMatch(/^error:AT0401-/);
    expect(await line.closed()).toBe(REFUSED);
  });

  it("waits unread while what came before it runs, and so do all lines behind it", async () => {
    const held = async (): Promise<number> => {
      const families = await alice.server.metrics();
      const found = families.find(({ name }) => name === "atmicro_unfinished_line_bytes");
      return found?.samples[0]?.value ?? 0;
    };
    const line = await alice.open();
    line.send("noop:1500\n");
    for (let i = 0; i < 60; i++) line.send(lineOf("nonsense", 60_000));
    await expect.poll(held).toBeGreaterThan(60_000);
    let most = 0;
    const watch = setInterval(async () => {
      most = Math.max(most, await held());
    }, 20);
    expect(await line.reply()).toBe("data:ok\n@");
    clearInterval(watch);
    // The lines it waits with, the one that is on its way, and what came in one piece with that.
    expect(most).toBeLessThan(65_536 + 2 * 65_536 + 65_536);
    for (let i = 0; i < 60; i++) expect(await line.reply()).toBe(INVALID);
    expect(await held()).toBe(0);
  });

  it("of an owner or a peer may have 10 240 000 bytes", async () => {
    const owner = await alice.owner();
    expect(await owner.ask(`update:long.x@alice ${"v".repeat(10_000_000)}`)).toMatch(/^data:\d/);
    const bob = await world.start("@bob");
    const target = await world.start("@target", { clientCertificateRequired: false });
    const peer = await loginAsPeer(world, bob, target);
    peer.send(lineOf("notify:id:long:@target:k.x@bob:", 10_240_000, "v"));
    expect(await peer.reply()).toMatch(/^data:success\n@bob@$/);
    peer.send(lineOf("notify:id:long:@target:k.x@bob:", 10_240_001, "v"));
    expect(await peer.closed()).toContain(OVERFLOW);
  });
});

describe("unfinished lines of all connections together", () => {
  let world: World;
  let place: Place;
  beforeAll(async () => {
    world = await World.create();
    place = await world.start("@small", {
      unfinishedLineBytes: 300_000,
      clientCertificateRequired: false,
    });
  });
  afterAll(() => world.close());

  it("take no more than their budget: the largest without a login is given up", async () => {
    const lines: Line[] = [];
    for (let i = 0; i < 8; i++) {
      const line = await place.open();
      line.send("x".repeat(30_000));
      lines.push(line);
    }
    const largest = await place.open();
    largest.send("x".repeat(65_000));
    expect(await largest.closed()).toBe(REFUSED);
    for (const line of lines) {
      line.send("\n");
      expect(await line.reply()).toBe(INVALID);
    }
  });

  it("let an owner's line come through", async () => {
    const lines: Line[] = [];
    for (let i = 0; i < 4; i++) {
      const line = await place.open();
      line.send("x".repeat(60_000));
      lines.push(line);
    }
    const value = "v".repeat(2_000_000);
    const owners = [await place.owner(), await place.owner(), await place.owner()];
    for (const [i, owner] of owners.entries()) owner.send(`update:own${i}.x@small ${value}\n`);
    for (const owner of owners) expect(await owner.reply()).toMatch(/^data:\d+\n@small@$/);
    for (const line of lines) expect(await line.closed()).toBe(REFUSED);
  });
});
