// SPDX-License-Identifier: BSD-3-Clause
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrolled } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { notification } from "./notifications.ts";
import { type Place, World } from "./world.ts";

describe("stream", () => {
  let world: World;
  let alice: Place;
  let watch: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    watch = await (await world.start("@bob")).owner();
    watch.send("monitor:strict stream_\nnoop:0\n");
    await watch.reply();
  });
  afterAll(() => world.close());

  /** A connection of the owner that has announced a stream and is heard no more of until somebody receives. */
  async function sender(id: string, options = ""): Promise<Line> {
    const line = await alice.owner();
    line.send(`stream:init@bob ${options}${id} my file.bin 1000\nnoop:0\n`);
    expect(await line.reply()).toBe("data:ok\n@alice@");
    return line;
  }

  async function receiver(id: string, from: Line): Promise<Line> {
    const line = await alice.open();
    line.send(`stream:receive ${id}\n`);
    expect(await from.line()).toBe(`stream:ack ${id}`);
    return line;
  }

  it("hands over every byte, slower readers included, and ends when all has arrived", async () => {
    const from = await sender("s1", "namespace:wavi ");
    expect(await notification(watch)).toMatchObject({
      from: "@alice",
      key: "@bob:stream_id.wavi@alice",
      value: "s1:my file.bin:1000",
      operation: "update",
    });
    const socket = connect({
      host: "127.0.0.1",
      port: alice.server.port,
      servername: "localhost",
      ca: world.authority.certificate,
    });
    const [greeting] = await once(socket, "data");
    expect(String(greeting)).toBe("@");
    socket.write("stream:receive s1\n");
    expect(await from.line()).toBe("stream:ack s1");
    const sent = Buffer.concat([
      Buffer.from("noop:0\n\xff\r\n@exit\n", "latin1"),
      randomBytes(3_000_000),
    ]);
    socket.pause();
    from.send(sent);
    await (await alice.open()).ask("noop:0");
    const got: Buffer[] = [];
    let length = 0;
    socket.on("data", (chunk: Buffer) => {
      got.push(chunk);
      length += chunk.length;
      if (length === sent.length) socket.write("stream:done s1\n");
    });
    socket.resume();
    expect(await from.closed()).toBe("stream:done s1\n");
    if (!socket.closed) await once(socket, "close");
    expect(Buffer.concat(got).equals(sent)).toBe(true);
  });

  it("is taken up again from a byte, after the earlier attempt was torn down", async () => {
    const first = await sender("s2");
    const reader = await receiver("s2", first);
    first.send("half of it");
    expect(await reader.take(10)).toBe("half of it");
    expect(await notification(watch)).toMatchObject({ value: "s2:my file.bin:1000" });
    const owner = await alice.owner();
    owner.send("stream:resume@bob startByte:10 s2\nnoop:0\n");
    await owner.reply();
    expect(String((await notification(watch)).key)).toMatch(/^@bob:stream_resumes2:10/);
    const second = await sender("s2", "startByte:10 ");
    expect(await first.closed()).toBe("");
    expect(await reader.closed()).toBe("");
    const again = await receiver("s2", second);
    second.send("the rest");
    expect(await again.take(8)).toBe("the rest");
    again.send("stream:done s2\n");
    expect(await second.closed()).toBe("stream:done s2\n");
    expect(await again.closed()).toBe("");
  });

  it("ends on both sides when one of them goes", async () => {
    const from = await sender("s3");
    const to = await receiver("s3", from);
    to.close();
    expect(await from.closed()).toBe("");
    const other = await sender("s4");
    const reader = await receiver("s4", other);
    other.close();
    expect(await reader.closed()).toBe("");
    expect(await (await alice.open()).ask("stream:receive s4")).toMatch(/^error:AT0401-/);
  });

  it("has one sender and one receiver an id", async () => {
    const from = await sender("s5");
    const owner = await alice.owner();
    expect(await owner.ask("stream:init@bob s5 other.bin 1")).toBe(
      "error:AT0022-Illegal arguments : stream id s5 is in use\n@alice@",
    );
    expect(await from.ask("stream:receive s5")).toMatch(/^error:AT0401-.*Invalid stream id/);
    await receiver("s5", from);
    const line = await alice.open();
    const unknown = "error:AT0401-Exception: Invalid stream id\n@";
    expect(await line.ask("stream:receive s5")).toBe(unknown);
    expect(await line.ask("stream:receive nothing")).toBe(unknown);
    expect(await line.ask("stream:done nothing")).toBe(unknown);
  });

  it("gives up what it announced when it announces another", async () => {
    const from = await sender("s6");
    from.send("stream:init@bob s7 my file.bin 1\nnoop:0\n");
    await from.reply();
    expect(await (await alice.open()).ask("stream:receive s6")).toMatch(/^error:AT0401-/);
    await receiver("s7", from);
  });

  it("is announced by the owner only, within the namespaces of an enrollment", async () => {
    const refused = "error:AT0401-Exception: Command cannot be executed without auth\n@";
    const line = await alice.open();
    expect(await line.ask("stream:init@bob s8 a 1")).toBe(refused);
    expect(await line.ask("stream:resume@bob startByte:1 s8")).toBe(refused);
    const { id, line: device } = await enrolled(alice, { wavi: "rw" });
    expect(await device.ask("stream:init@bob namespace:buzz s8 a 1")).toBe(
      `error:AT0009-UnAuthorized client in request : Connection with enrollment ID ${id} is not authorized to notify key: @bob:stream_id.buzz@alice\n@alice@`,
    );
    device.send("stream:init@bob namespace:wavi s8 a 1\nnoop:0\n");
    expect(await device.reply()).toBe("data:ok\n@alice@");
  });

  it.each([
    "stream",
    "stream:",
    "stream:start@bob s9 a 1",
    "stream:init s9 a 1",
    "stream:init@bob",
    "stream:init@bob s9",
    "stream:init@bob s9 a",
    "stream:init@bob s9 a b",
    "stream:init@bob s9 a:b 1",
    "stream:init@bob s9 a@b 1",
    "stream:init@bob startByte:x s9 a 1",
    "stream:receive",
    "stream:done",
    "stream:resume@bob s9",
    "stream:resume startByte:5 s9",
    `stream:receive ${"s".repeat(249)}`,
  ])("refuses %s", async (command) => {
    const line = await alice.owner();
    expect(await line.ask(command)).toMatch(
      /^error:AT0003-Invalid syntax : Invalid syntax\. stream/,
    );
  });
});
