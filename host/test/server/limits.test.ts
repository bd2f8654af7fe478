// SPDX-License-Identifier: BSD-3-Clause
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../crypto/certificates.ts";
import { MAX_QUEUED_BYTES } from "../../server/connection/pushQueue.ts";
import { identity, type Place, pkamLine, World } from "./world.ts";

const RECORD = 4_096;

describe("limits", () => {
  let world: World;
  let alice: Place;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
  });
  afterAll(() => world.close());

  it("writes records of at most 4 096 bytes, the prompt in the same one as the line feed", async () => {
    const owner = await alice.owner();
    for (let length = RECORD - 20; length <= RECORD + 4; length++) {
      await owner.ask(`update:r.x@alice ${"v".repeat(length)}`);
      owner.chunks.length = 0;
      expect(await owner.ask("llookup:r.x@alice")).toHaveLength(length + "data:\n@alice@".length);
      expect(owner.chunks.at(-1)).toMatch(/\n@alice@$/);
      for (const chunk of owner.chunks) expect(chunk.length).toBeLessThanOrEqual(RECORD);
    }
  });

  it("waits for a reader that is slow, and loses nothing", async () => {
    const owner = await alice.owner();
    const value = "v".repeat(1_000_000);
    await owner.ask(`update:slow.x@alice ${value}`);
    owner.socket.pause();
    owner.send("llookup:slow.x@alice\n".repeat(20));
    owner.send("noop:0\n");
    await (await alice.owner()).ask("noop:0");
    owner.socket.resume();
    for (let i = 0; i < 20; i++) expect(await owner.reply()).toBe(`data:${value}\n@alice@`);
    expect(await owner.reply()).toBe("data:ok\n@alice@");
  });

  it("answers far more pipelined lines than it keeps waiting", async () => {
    const line = await alice.open();
    line.send("noop:0\nx\n".repeat(500));
    for (let i = 0; i < 500; i++) {
      expect(await line.reply()).toBe("data:ok\n@");
      expect(await line.reply()).toBe("error:AT0003-Exception: invalid command\n@");
    }
  });

  it("lets a client go that closes its half", async () => {
    const line = await alice.open();
    line.socket.end();
    expect(await line.closed()).toBe("");
  });

  it("makes room by closing what was idle too long", async () => {
    let now = 1_700_000_000_000;
    const small = await world.start("@small", { inboundMaxLimit: 2, now: () => now });
    const idle = await small.open();
    const owner = await small.open();
    now += 5_000;
    expect(await owner.ask("noop:0")).toBe("data:ok\n@");
    now += 1;
    const third = await small.open();
    expect(await idle.closed()).toBe("");
    expect(await third.ask("noop:0")).toBe("data:ok\n@");
    expect(await owner.ask("noop:0")).toBe("data:ok\n@");
  });

  it("ends a connection that was idle too long when it sends again, the sooner the fuller it is", async () => {
    let now = 1_700_000_000_000;
    const place = await world.start("@four", { inboundMaxLimit: 4, now: () => now });
    const [first, second, third] = [await place.open(), await place.open(), await place.open()];
    // Three of four: half of the span between 5 s and 600 s is left.
    now += 302_500;
    expect(await first.ask("noop:0")).toBe("data:ok\n@");
    now += 1;
    second.send("noop:0\n");
    expect(await second.closed()).toBe("");
    expect(await first.ask("noop:0")).toBe("data:ok\n@");
    // Two of four: all of it.
    now += 297_499;
    expect(await third.ask("noop:0")).toBe("data:ok\n@");
    const owner = await place.owner();
    first.close();
    now += 2_592_000_000;
    expect(await owner.ask("noop:0")).toBe("data:ok\n@four@");
    now += 2_592_000_001;
    owner.send("noop:0\n");
    expect(await owner.closed()).toBe("");
  });

  it.each([
    // Half of what is between the least and the most, with three of four.
    ["nobody is logged in on", "@idle", { inboundIdleMillis: 7_001 }, 5_000 + 1_000],
    ["its owner uses", "@used", { authenticatedInboundIdleMillis: 60_999 }, 60_000 + 499],
  ])(
    "lets a connection %s be idle as long as its parameter says",
    async (_who, atSign, changes, allowed) => {
      let now = 1_700_000_000_000;
      const config = { inboundMaxLimit: 4, now: () => now, ...changes };
      const place = await world.start(atSign, config);
      const lines = [];
      const connect = atSign === "@used" ? place.owner : place.open;
      for (let i = 0; i < 3; i++) lines.push(await connect());
      const [first, second] = lines;
      const prompt = atSign === "@used" ? "@used@" : "@";
      now += allowed;
      expect(await first?.ask("noop:0")).toBe(`data:ok\n${prompt}`);
      now += 1;
      second?.send("noop:0\n");
      expect(await second?.closed()).toBe("");
      expect(await first?.ask("noop:0")).toBe(`data:ok\n${prompt}`);
    },
  );

  it("closes a connection to another atServer that is idle as long as its parameter says", async () => {
    let now = 1_700_000_000_000;
    const place = await world.start("@outbound", { outboundIdleMillis: 1_000, now: () => now });
    const owner = await place.owner();
    await (await alice.owner()).ask("update:public:open.x@alice 1");
    const open = async (): Promise<unknown> => owner.ask("stats:2");
    expect(await owner.ask("plookup:bypassCache:true:open.x@alice")).toBe("data:1\n@outbound@");
    now += 999;
    expect(await owner.ask("plookup:bypassCache:true:open.x@alice")).toBe("data:1\n@outbound@");
    now += 999;
    expect(await open()).toContain('"value":"1"');
    now += 1;
    await expect.poll(open, { timeout: 30_000 }).toContain('"value":"0"');
  });

  it("keeps a notification as long as its parameter says", async () => {
    let now = 1_700_000_000_000;
    const changes = { notificationExpiryMillis: 60_000, now: () => now };
    const owner = await (await world.start("@brief", changes)).owner();
    await owner.ask("notify:id:brief:@brief:a.x@brief:1");
    await owner.ask("notify:id:stated:ttln:60001:@brief:b.x@brief:1");
    now += 60_000;
    expect(await owner.ask("notify:list")).toMatch(/"id":"brief".*"id":"stated"/);
    now += 1;
    const left = await owner.ask("notify:list");
    expect(left).toContain('"id":"stated"');
    expect(left).not.toContain('"id":"brief"');
  });

  it("gives up a monitor that never reads, with a log line, and nobody else waits for it", async () => {
    const warnings: string[] = [];
    let warned: () => void = () => undefined;
    const told = new Promise<void>((resolve) => {
      warned = resolve;
    });
    const log = pino(
      { level: "warn" },
      {
        write(text: string): void {
          warnings.push(JSON.parse(text).msg);
          warned();
        },
      },
    );
    const place = await world.start("@slow", { log });
    const [owner, deaf, reader] = [await place.owner(), await place.owner(), await place.owner()];
    for (const line of [deaf, reader]) {
      line.send("monitor:strict:selfNotifications big\nnoop:0\n");
      await line.reply();
    }
    deaf.socket.pause();
    const value = "v".repeat(1_000_000);
    let sent = 0;
    while (warnings.length === 0) {
      await owner.ask(`notify:id:big-${sent}:@slow:big.x@slow:${value}`);
      expect(await reader.line()).toContain(`"id":"big-${sent}"`);
      sent += 1;
    }
    await told;
    expect(warnings).toEqual(["the monitor doesn't read, giving it up"]);
    expect(sent * value.length).toBeGreaterThan(MAX_QUEUED_BYTES);
    deaf.close();
    // Back again, it gets everything in order, as fast as it reads.
    const back = await place.owner();
    back.send("monitor:strict:selfNotifications:0 big\n");
    back.socket.pause();
    expect(await owner.ask("noop:0")).toBe("data:ok\n@slow@");
    await owner.ask("notify:id:big-last:@slow:big.x@slow:1");
    back.socket.resume();
    for (let i = 0; i < sent; i++) expect(await back.line()).toContain(`"id":"big-${i}"`);
    expect(await back.line()).toContain('"id":"big-last"');
  });

  it("says that a peer is silent, that there is no room for it, and that it can't be reached", async () => {
    const tls = await issueCertificate(world.authority, { hosts: ["localhost"] });
    const mute = createServer({ cert: tls.certificate, key: tls.privateKey });
    const sockets = new Set<{ destroy(): void }>();
    mute.on("secureConnection", (socket) => {
      sockets.add(socket);
      socket.on("error", () => sockets.delete(socket));
      socket.write("@");
    });
    mute.listen(0, "127.0.0.1");
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    await world.directoryStore.set("@mute", { host: "localhost", port });
    await world.directoryStore.set("@away", { host: "localhost", port: 1 });
    const place = await world.start("@impatient", { peerHandshakeTimeoutMillis: 20 });
    const owner = await place.owner();
    expect(await owner.ask("plookup:x@mute")).toBe(
      `error:AT0023-Timeout waiting for response : No response after 20 millis from remote secondary @mute at localhost:${port}\n@impatient@`,
    );
    expect(await owner.ask("plookup:x@away")).toMatch(
      /^error:AT0004-Socket error : SocketException: Unable to connect to @away at localhost:1: .*\n@impatient@$/,
    );
    const crowded = await (await world.start("@crowded", { outboundMaxLimit: 0 })).owner();
    expect(await crowded.ask("plookup:x@alice")).toBe(
      "error:AT0006-Outbound connection limit exceeded : max limit reached on outbound pool\n@crowded@",
    );
    for (const socket of sockets) socket.destroy();
    mute.close();
    await once(mute, "close");
  });

  it("refuses a blocked atSign and hangs up", async () => {
    await alice.store.write((writer) =>
      writer.put("private:blocklist@alice", {
        value: '{"blockList":["@bob"]}',
        metadata: {},
      }),
    );
    const line = await alice.open();
    line.send("from:@bob\n");
    expect(await line.closed()).toBe("error:AT0013-Exception: Unable to connect\n@");
  });

  it("shows an enrollment's monitor only what it may read, and nothing once revoked", async () => {
    const owner = await alice.owner();
    const { publicKey, privateKey } = identity("@bravo");
    const parameters = {
      appName: "wavi",
      deviceName: "reader",
      namespaces: { wavi: "r" },
      apkamPublicKey: publicKey,
      encryptedAPKAMSymmetricKey: "S",
    };
    const reply = await owner.ask(`enroll:request:${JSON.stringify(parameters)}`);
    const { enrollmentId } = JSON.parse(reply.slice(5, -8));
    const keys = {
      enrollmentId,
      encryptedDefaultEncryptionPrivateKey: "E",
      encryptedDefaultSelfEncryptionKey: "S",
    };
    await owner.ask(`enroll:approve:${JSON.stringify(keys)}`);
    const device = await alice.open();
    const pkam = await pkamLine(device, "@alice", privateKey);
    await device.ask(pkam.replace("pkam:", `pkam:enrollmentId:${enrollmentId}:`));
    device.send("monitor:strict wavi|buzz\nnoop:0\n");
    await device.reply();
    await owner.ask("notify:@alice:a.buzz@alice:1");
    await owner.ask("notify:id:seen:@alice:a.wavi@alice:1");
    expect(await device.line()).toMatch(/^notification: \{"id":"seen"/);
    await owner.ask(`enroll:revoke:{"enrollmentId":"${enrollmentId}"}`);
    await owner.ask("notify:@alice:b.wavi@alice:1");
    expect(await device.closed()).toBe("");
  });
});
