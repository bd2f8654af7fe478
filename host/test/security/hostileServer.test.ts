// SPDX-License-Identifier: BSD-3-Clause
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { World } from "../../cli/world/world.ts";
import { AtClient } from "../../client/atClient.ts";
import { createAuthority, issueCertificate } from "../../crypto/certificates.ts";
import { readKeyFile } from "../../crypto/keyFile.ts";
import { Line } from "../server/line.ts";
import { changeJson, deepJson, flipBit, HANG_UP, HostileServer, SILENCE } from "./hostileServer.ts";

describe("the hostile atServer before a real one", () => {
  const folder = mkdtempSync(join(tmpdir(), "atmicro-hostile-"));
  let world: World;
  let hostile: HostileServer;
  let alice: AtClient;

  beforeAll(async () => {
    world = await World.start({ folder: join(folder, "world"), atSigns: ["@alice"] });
    const client = await world.activate("@alice");
    await client.close();
    hostile = await HostileServer.inFrontOf(world, "@alice");
    const keys = await readKeyFile(world.keyFile("@alice"), "@alice");
    alice = await AtClient.connect({ ...world.network, keys });
  });

  afterEach(() => hostile.beHonest());
  afterAll(async () => {
    await alice.close();
    await hostile.close();
    await world.close();
    rmSync(folder, { recursive: true });
  });

  it("passes on what it doesn't lie about, and keeps every line", async () => {
    await alice.put("note.demo@alice", "the truth, µ");
    expect((await alice.get("note.demo@alice")).value).toBe("the truth, µ");
    expect(hostile.lines.slice(0, 2).map((line) => line.split(":")[0])).toEqual(["from", "pkam"]);
    expect(hostile.count(/^llookup:all:note\.demo@alice$/)).toBe(1);
  });

  it("changes replies, so many times as it is told", async () => {
    await alice.put("note.demo@alice", "the truth");
    hostile.onReply(
      /^llookup:all:note/,
      changeJson((json) => ({ ...json, data: flipBit(String(json.data), 0) })),
      1,
    );
    expect((await alice.get("note.demo@alice")).value).toBe("uhe truth");
    expect((await alice.get("note.demo@alice")).value).toBe("the truth");
  });

  it("changes, makes and drops notifications, also in one byte a record", async () => {
    const seen: unknown[] = [];
    let wake: () => void = () => undefined;
    const has = (count: number): Promise<void> =>
      new Promise((resolve) => {
        wake = () => seen.length >= count && resolve();
        wake();
      });
    const monitor = alice.monitor({
      selfNotifications: true,
      regex: "demo",
      onNotification: ({ id, value }) => {
        seen.push(id === "made" ? id : value);
        wake();
      },
    });
    await monitor.ready;
    hostile.onNotification(() => SILENCE, 1);
    await alice.notify("@alice:a.demo@alice", "lost");
    await alice.notify("@alice:b.demo@alice", "kept");
    await has(1);
    hostile.pieceBytes = 1;
    hostile.notify({ id: "made", from: "@alice", key: "@alice:x.demo@alice", operation: "delete" });
    await has(2);
    expect(seen).toEqual(["kept", "made"]);
    await monitor.close();
  });

  it("answers in the atServer's place, is silent, and hangs up", async () => {
    hostile.onCommand(/^llookup:all:gone/, () => "error:AT0011-as it likes");
    await expect(alice.get("gone.demo@alice")).rejects.toMatchObject({ code: "AT0011" });
    hostile.onCommand(/^llookup:all:gone/, () => HANG_UP);
    await expect(alice.get("gone.demo@alice")).rejects.toMatchObject({ code: "AT0021" });
  });
});

describe("the hostile atServer alone", () => {
  it("says what it is told to, and is found through a directory", async () => {
    const authority = await createAuthority({ name: "hostile" });
    const tls = await issueCertificate(authority, { hosts: ["localhost"] });
    const server = await HostileServer.start({ tls });
    const address = `localhost:${server.address.port}`;
    const directory = await HostileServer.directory(tls, new Map([["alice", address]]));
    server.onCommand(/^from:/, () => [deepJson(3), Buffer.from([0xff, 0x0a])]);
    const asking = await Line.open(directory.address.port, authority.certificate);
    expect(await asking.ask("alice")).toBe(`${address}\r\n@`);
    expect(await asking.ask("nobody")).toBe("null\r\n@");
    const line = await Line.open(server.address.port, authority.certificate);
    line.send("from:@alice\nnoop:0\n");
    await server.until(/^noop/);
    expect(await line.line()).toBe("[[[]]]");
    expect(await line.line()).toBe("@\ufffd");
    expect(await line.line()).toMatch(/^error:AT0015/);
    expect(server.lines).toEqual(["from:@alice", "noop:0"]);
    asking.close();
    line.close();
    await Promise.all([server.close(), directory.close()]);
  });
});
