// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect } from "vitest";
import { enrolled, payloadOf } from "../enrolled.ts";
import type { Line } from "../line.ts";
import { dataOf, notification } from "../notifications.ts";
import { type Place, World } from "../world.ts";
import { converse, data, error, failure, item, items, JSON_VERSION } from "./items.ts";

interface Counts {
  total: number;
  type: { sent: number; received: number };
  status: { delivered: number; failed: number; queued: number };
  operations: { update: number; delete: number };
  messageType: { key: number; text: number };
}

describe("info, noop and stats", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice");
    owner = await alice.owner(JSON_VERSION);
  });
  afterAll(() => world.close());

  /** What stats:11 counts. */
  const counts = async (): Promise<Counts> => {
    const [{ value }] = payloadOf(await owner.ask("stats:11")) as [{ value: string }];
    return JSON.parse(value) as Counts;
  };

  item(118, "info tells the version", async () => {
    const info = payloadOf(await (await alice.open()).ask("info"));
    expect(info).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      uptimeAsWords: expect.stringMatching(
        /^(?:\d+ days )?(?:\d+ hours )?(?:\d+ minutes )?\d+ seconds$/,
      ),
    });
  });

  items(() => alice.open(), {
    119: [["info:brief", /^data:\{"version":"\d+\.\d+\.\d+","uptimeAsMillis":\d+\}\n@$/]],
  });

  item(120, "info tells an enrollment's client who it is", async () => {
    const { line, keys } = await enrolled(alice, { wavi: "rw" }, { deviceName: "pixel" });
    expect(payloadOf(await line.ask("info"))).toMatchObject({
      apkam_metadata: {
        appName: "app",
        deviceName: "pixel",
        namespaces: { wavi: "rw" },
        sessionId: expect.stringMatching(/^_[-0-9a-f]{36}$/),
        apkamPublicKey: keys.publicKey,
      },
    });
  });

  items(() => alice.open(), { 121: [["noop:10", data("ok", "@")]] });

  items(() => owner, {
    122: [
      [
        "noop:5001",
        error(
          "AT0022",
          "Illegal arguments : noop:<durationInMillis> where the duration maximum is 5000 milliseconds",
        ),
      ],
    ],
  });

  item(123, "stats lists fifteen values", async () => {
    const shown = payloadOf(await owner.ask("stats")) as { id: string }[];
    expect(shown.map(({ id }) => id)).toEqual(Array.from({ length: 15 }, (_, i) => String(i + 1)));
  });

  item(124, "stats:3 is the commit id update just gave", async () => {
    const id = dataOf(await owner.ask("update:counted@alice 1"));
    await converse(owner, [
      ["stats:3", `data: [{"id":"3","name":"lastCommitID","value":"${id}"}]\n@alice@`],
    ]);
  });

  items(() => owner, { 125: [["stats:-1", failure("AT0003", "Invalid syntax")]] });

  item(126, "stats:11 counts what was received", async () => {
    const before = await counts();
    await owner.ask("notify:update:@alice:seen.wavi@alice:1");
    const after = await counts();
    expect(after.operations.update).toBe(before.operations.update + 1);
    expect(after.type.received).toBe(before.type.received + 1);
    await owner.ask("notify:delete:@alice:seen.wavi@alice");
    expect((await counts()).operations.delete).toBe(before.operations.delete + 1);
  });

  item(127, "stats:11 counts what was sent", async () => {
    const bob = await world.start("@bob");
    const watch = await bob.owner();
    watch.send("monitor\n");
    const before = await counts();
    await owner.ask("notify:update:@bob:sent.wavi@alice:1");
    await owner.ask("notify:messageType:text:@bob:hello");
    await notification(watch);
    await notification(watch);
    await expect
      .poll(async () => (await counts()).status.delivered)
      .toBe(before.status.delivered + 2);
    const after = await counts();
    expect(after.type.sent).toBe(before.type.sent + 2);
    expect(after.messageType).toEqual({
      key: before.messageType.key + 1,
      text: before.messageType.text + 1,
    });
  });

  item(128, "stats:11 counts what can't be delivered", async () => {
    const before = await counts();
    await owner.ask("notify:update:@xxx:lost.wavi@alice:1");
    await expect.poll(async () => (await counts()).status.failed).toBe(before.status.failed + 1);
    expect((await counts()).type.sent).toBe(before.type.sent + 1);
  });
});
