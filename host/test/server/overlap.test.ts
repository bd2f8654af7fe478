// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mayOverlap } from "../../server/verbs/index.ts";
import { dataOf, notification } from "./notifications.ts";
import { type Place, World } from "./world.ts";

const COUNT = 300;

describe("commands sent without waiting for replies", () => {
  let world: World;
  let alice: Place;
  let bob: Place;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    bob = await world.start("@bob");
  });
  afterAll(() => world.close());

  it("are answered in their order, an error among them, and a lookup sees the updates before it", async () => {
    const owner = await alice.owner();
    const first = Number(dataOf(await owner.ask("update:o.demo@alice 0")));
    owner.send("update:o.demo@alice 1\nupdate:o.demo@alice 2\nupdate:o.demo@bob 3\n");
    owner.send("update:o.demo@alice 4\nllookup:o.demo@alice\nupdate:o.demo@alice 5\n");
    expect(dataOf(await owner.reply())).toBe(String(first + 1));
    expect(dataOf(await owner.reply())).toBe(String(first + 2));
    expect(await owner.reply()).toMatch(/^error:AT0016/);
    expect(dataOf(await owner.reply())).toBe(String(first + 3));
    expect(dataOf(await owner.reply())).toBe("4");
    expect(dataOf(await owner.reply())).toBe(String(first + 4));
  });

  it("bring notifications to another atServer in their order, each once, and are noted as delivered", async () => {
    const watch = await bob.owner();
    watch.send("monitor flow\\.demo\nnoop:0\n");
    expect(await watch.reply()).toBe("data:ok\n@bob@");
    const owner = await alice.owner();
    const numbers = Array.from({ length: COUNT }, (_, index) => index);
    owner.send(
      numbers
        .map((i) => `notify:id:flow-${i}:isEncrypted:false:@bob:flow.demo@alice:${i}\n`)
        .join(""),
    );
    for (const i of numbers) expect(dataOf(await owner.reply())).toBe(`flow-${i}`);
    for (const i of numbers) expect((await notification(watch)).value).toBe(String(i));
    await expect
      .poll(() => alice.store.notification(`flow-${COUNT - 1}`)?.status)
      .toBe("delivered");
    for (const i of numbers) {
      expect(alice.store.notification(`flow-${i}`)?.status).toBe("delivered");
      expect(bob.store.notification(`flow-${i}`)?.value).toBe(String(i));
    }
    expect(watch.rest).toBe("");
  });

  it("show a notification once whose id comes twice", async () => {
    const owner = await alice.owner();
    const watch = await alice.owner();
    watch.send("monitor twice\\.demo\nnoop:0\n");
    expect(await watch.reply()).toBe("data:ok\n@alice@");
    const twice = "notify:id:twice:isEncrypted:false:@alice:twice.demo@alice:1\n".repeat(2);
    owner.send(`${twice}notify:id:last:isEncrypted:false:@alice:twice.demo@alice:2\n`);
    expect((await notification(watch)).id).toBe("twice");
    expect((await notification(watch)).id).toBe("last");
    for (const id of ["twice", "twice", "last"]) expect(dataOf(await owner.reply())).toBe(id);
  });

  it("overlap only where none reads what another changes", () => {
    for (const command of [
      "update:a.b@alice 1",
      "notify:@bob:a.b@alice:1",
      "notify:update:@bob:a@alice",
    ]) {
      expect(mayOverlap(command), command).toBe(true);
    }
    for (const command of [
      "update:meta:a.b@alice:ttl:1",
      "delete:a.b@alice",
      "llookup:a.b@alice",
      "notify:delete:@bob:a.b@alice",
      "notify:id:x:delete:@bob:a.b@alice",
      "notify:update:ttr:-1:@bob:a.b@alice:1",
      "notify:list",
    ]) {
      expect(mayOverlap(command), command).toBe(false);
    }
  });
});
