// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Line } from "../server/line.ts";
import { dataOf, notification } from "../server/notifications.ts";
import { loginAsPeer } from "../server/peerLogin.ts";
import { type Place, World } from "../server/world.ts";

describe("an atSign that is blocked", () => {
  let world: World;
  let alice: Place;
  let bob: Place;
  let carol: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    bob = await world.start("@bob");
    carol = await world.start("@carol");
    owner = await alice.owner();
    await owner.ask("update:@bob:secret.demo@alice for bob");
    await owner.ask("update:@carol:secret.demo@alice for carol");
  });
  afterAll(() => world.close());

  const block = async (typed: string): Promise<void> => {
    expect(await owner.ask(`config:block:add:${typed}`)).toBe("data:success\n@alice@");
  };
  const unblock = async (typed: string): Promise<void> => {
    expect(await owner.ask(`config:block:remove:${typed}`)).toBe("data:success\n@alice@");
  };

  it.each(["@bob", "@B.OB", "@mallory @bob"])(
    "as %s loses every connection it has, and nobody else does",
    async (typed) => {
      const peers = [await loginAsPeer(world, bob, alice), await loginAsPeer(world, bob, alice)];
      const other = await loginAsPeer(world, carol, alice);
      for (const peer of peers)
        expect(await peer.ask("lookup:secret.demo@alice")).toContain("for bob");
      await block(typed);
      for (const peer of peers) expect(await peer.closed()).toBe("");
      expect(await other.ask("lookup:secret.demo@alice")).toBe("data:for carol\n@carol@");
      await unblock(typed);
    },
  );

  it("doesn't finish the login it began", async () => {
    const line = await world.connect(alice.server.port, bob.config.tls);
    expect(await line.ask("from:@bob")).toMatch(/^data:proof:/);
    await block("@bob");
    line.send("pol\n");
    expect(await line.closed()).toBe("error:AT0013-Exception: Unable to connect\n@");
    await unblock("@bob");
  });

  it("is hung up on by the atServer that blocks it, which can still ask it", async () => {
    const bobs = await bob.owner();
    await bobs.ask("update:@alice:shared.demo@bob 1");
    expect(await owner.ask("lookup:bypassCache:true:shared.demo@bob")).toBe("data:1\n@alice@");
    const outbound = async (): Promise<unknown> =>
      JSON.parse(dataOf(await owner.ask("stats:2")))[0].value;
    const before = Number(await outbound());
    expect(before).toBeGreaterThan(0);
    await block("@bob");
    expect(Number(await outbound())).toBeLessThan(before);
    expect(await owner.ask("lookup:bypassCache:true:shared.demo@bob")).toBe("data:1\n@alice@");
    await unblock("@bob");
  });

  it("is sent nothing that waits for it until it isn't blocked any more", async () => {
    const watch = await bob.owner();
    watch.send("monitor\n");
    const first = dataOf(await owner.ask("notify:@bob:first.demo@alice:1"));
    expect(await notification(watch)).toMatchObject({ key: "@bob:first.demo@alice" });
    await expect.poll(() => owner.ask(`notify:status:${first}`)).toBe("data:delivered\n@alice@");
    await block("@bob");
    const id = dataOf(await owner.ask("notify:@bob:second.demo@alice:2"));
    const short = dataOf(await owner.ask("notify:ttln:1:@bob:third.demo@alice:3"));
    const toCarol = dataOf(await owner.ask("notify:@carol:other.demo@alice:4"));
    await expect.poll(() => owner.ask(`notify:status:${toCarol}`)).toBe("data:delivered\n@alice@");
    expect(await owner.ask(`notify:status:${id}`)).toBe("data:queued\n@alice@");
    await expect.poll(() => owner.ask(`notify:status:${short}`)).toBe("data:expired\n@alice@");
    await unblock("@bob");
    expect(await notification(watch)).toMatchObject({ key: "@bob:second.demo@alice", id });
    await expect.poll(() => owner.ask(`notify:status:${id}`)).toBe("data:delivered\n@alice@");
    expect(watch.received).not.toContain("third.demo");
  });
});
