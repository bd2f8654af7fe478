// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect } from "vitest";
import { NEWCOMER_PLACES } from "../../../server/connection/inbound.ts";
import { MAX_LINE_BYTES } from "../../../wire/line.ts";
import { bytes, Line } from "../line.ts";
import { identity, type Place, pkamLine, World } from "../world.ts";
import { error, item, items, JSON_VERSION } from "./items.ts";

const UUID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
const challenge = new RegExp(`^data:_${UUID}@alice:${UUID}\\n@$`);
const unauthenticated = "Command cannot be executed without auth";

describe("transport and prompts", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner(JSON_VERSION);
  });
  afterAll(() => world.close());

  item(1, "greets with @ and no line feed", async () => {
    const line = Line.connect(alice.server.port, world.authority.certificate);
    expect(await line.take(1)).toBe("@");
    line.send("info:brief\n");
    expect(await line.reply()).toMatch(/^data:/);
    line.close();
  });

  items(() => alice.open(), {
    2: [["from:@alice", challenge]],
    3: [["from:alice", challenge]],
    4: [["FROM:@alice", challenge]],
    5: [[`from:@alice:clientConfig:{"version":"${JSON_VERSION}"}`, challenge]],
  });

  item(6, "hangs up without a word on @exit", async () => {
    const line = await alice.open();
    line.send("@exit\n");
    expect(await line.closed()).toBe("");
  });

  items(() => alice.open(), {
    7: [
      ["", "error:AT0003-Exception: invalid command\n@"],
      ["noop:0", "data:ok\n@"],
    ],
    8: [["info\r", /^data:\{"version":".+\n@$/]],
    9: [["nonsense", "error:AT0003-Exception: invalid command\n@"]],
  });

  items(() => owner, {
    10: [["nonsense", error("AT0003", "Invalid syntax : invalid command")]],
  });

  item(11, "passes over a line that isn't UTF-8", async () => {
    const line = await alice.open();
    line.send(bytes(0xff, 0xfe, 0x0a));
    expect(await line.ask("noop:0")).toBe("data:ok\n@");
  });

  item(12, "drops a connection that sends 10 240 001 bytes without a line feed", async () => {
    const line = await alice.owner();
    line.send(new Uint8Array(MAX_LINE_BYTES + 1).fill(0x61));
    expect(MAX_LINE_BYTES).toBe(10_240_000);
    expect(await line.closed()).toBe(
      "error:AT0005-Buffer limit exceeded : InboundBuffer overflow: server received request which exceeded the buffer size limit. Terminating the connection.\n@alice@",
    );
  });

  item(13, "tells a connection that finds the pool full, and closes it", async () => {
    const small = await world.start("@small", { inboundMaxLimit: 1 });
    const first = await small.open();
    // Places kept for the owner; they are for a few seconds only.
    for (let i = 0; i < NEWCOMER_PLACES; i++) await small.open();
    const second = Line.connect(small.server.port, world.authority.certificate);
    expect(await second.closed()).toBe("error:AT0012-Inbound connection limit exceeded\n");
    expect(await first.ask("noop:0")).toBe("data:ok\n@");
  });

  items(() => alice.open(), {
    14: [["update:public:x@alice v", `error:AT0401-Exception: ${unauthenticated}\n@`]],
  });

  item(15, "shows the owner's prompt after pkam", async () => {
    const line = await alice.open();
    const { privateKey } = identity("@alpha");
    expect(await line.ask(await pkamLine(line, "@alice", privateKey))).toBe(
      "data:success\n@alice@",
    );
    expect(await line.ask("noop:0")).toBe("data:ok\n@alice@");
  });

  items(() => alice.open(), {
    16: [
      [`from:@alice:clientConfig:{"version":"${JSON_VERSION}"}`, challenge],
      ["llookup:x@alice", error("AT0401", `Exception: ${unauthenticated}`, "@")],
    ],
    17: [
      ['from:@alice:clientConfig:{"version":"3.0.37"}', challenge],
      ["llookup:x@alice", `error:AT0401-Exception: ${unauthenticated}\n@`],
      ['from:@alice:clientConfig:{"version":"3.0.38"}', challenge],
      ["llookup:x@alice", error("AT0401", `Exception: ${unauthenticated}`, "@")],
    ],
  });

  item(18, "closes a connection idle beyond its time when another needs the room", async () => {
    let now = 1_700_000_000_000;
    const place = await world.start("@tight", { inboundMaxLimit: 2, now: () => now });
    const idle = await place.open();
    const busy = await place.open();
    now += 3_000;
    await busy.ask("noop:0");
    now += 2_001;
    const third = await place.open();
    expect(await idle.closed()).toBe("");
    expect(await third.ask("noop:0")).toBe("data:ok\n@");
    expect(await busy.ask("noop:0")).toBe("data:ok\n@");
  });
});
