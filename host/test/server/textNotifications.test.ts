// SPDX-License-Identifier: BSD-3-Clause
// Texts: what of them is text. And what is said of a notification once it was delivered.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { payloadOf } from "./enrolled.ts";
import type { Line } from "./line.ts";
import { dataOf, notification } from "./notifications.ts";
import { loginAsPeer } from "./peerLogin.ts";
import { type Place, World } from "./world.ts";

describe("notifications from @alice to @bob", () => {
  let world: World;
  let alice: Place;
  let bob: Place;
  let a: Line;
  let watch: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    bob = await world.start("@bob");
    a = await alice.owner();
    watch = await bob.owner();
    watch.send("monitor:strict [Hh]ello\n");
  });
  afterAll(() => world.close());

  it.each([
    ["Hello", "Hello"],
    ["Hello@alice", "Hello"],
    ["Hello there@alice", "Hello there"],
    ["Hello: all@alice", "Hello: all"],
    ["Hello@Ali.CE", "Hello"],
    ["Hello@carol", "Hello@carol"],
    ["Hello@bob", "Hello@bob"],
    ["Hello@alice:and more", "Hello@alice:and more"],
    ["Hello@alice2", "Hello@alice2"],
    ["Hello@alice friend", undefined],
  ])("a text %j arrives as %j", async (sent, arrived) => {
    const answer = await a.ask(`notify:update:messageType:text:@bob:${sent}`);
    if (arrived === undefined) {
      expect(answer).toMatch(/^error:AT0003-/);
      return;
    }
    const { key, messageType, value } = await notification(watch);
    expect({ key, messageType, value }).toEqual({
      key: `@bob:${arrived}`,
      messageType: "MessageType.text",
      value: null,
    });
  });

  it("a text of a server that leaves the name on it loses it here", async () => {
    const peer = await loginAsPeer(world, alice, bob);
    await peer.ask("notify:id:old-1:messageType:text:@bob:Hello old@alice");
    expect((await notification(watch)).key).toBe("@bob:Hello old");
    await peer.ask("notify:id:old-2:messageType:text:@bob:Hello old@bob");
    expect((await notification(watch)).key).toBe("@bob:Hello old@bob");
  });

  it("a text for many, and one to oneself, lose it too", async () => {
    await a.ask("notify:all:messageType:text:@bob:Hello-all@alice");
    expect((await notification(watch)).key).toBe("@bob:Hello-all");
    await a.ask("notify:messageType:text:@alice:Hello me@alice");
    expect(await a.ask("notify:list:Hello")).toContain('"key":"@alice:Hello me"');
  });

  it("a key keeps its owner", async () => {
    const id = dataOf(await a.ask("notify:update:@bob:Hello.demo@alice:v"));
    expect((await notification(watch)).key).toBe("@bob:hello.demo@alice");
    await expect.poll(() => a.ask(`notify:status:${id}`)).toBe("data:delivered\n@alice@");
  });

  it("count as delivered in stats as soon as notify:status says so", async () => {
    const delivered = async (): Promise<number> => {
      const [{ value }] = payloadOf(await a.ask("stats:11")) as [{ value: string }];
      return JSON.parse(value).status.delivered;
    };
    const before = await delivered();
    for (let i = 1; i <= 20; i++) {
      const id = dataOf(await a.ask(`notify:update:@bob:quick${i}.demo@alice:v`));
      let status = "";
      while (status !== "data:delivered\n@alice@") status = await a.ask(`notify:status:${id}`);
      expect(await delivered()).toBe(before + i);
    }
  });
});
