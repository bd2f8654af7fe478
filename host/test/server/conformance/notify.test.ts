// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect } from "vitest";
import { payloadOf } from "../enrolled.ts";
import type { Line } from "../line.ts";
import { dataOf } from "../notifications.ts";
import { type Place, World } from "../world.ts";
import { converse, data, hides, item, items, JSON_VERSION, shows, syntaxError } from "./items.ts";

const uuid = /^data:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n@alice@$/;

describe("notify to the own atSign", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  let now = 1_700_000_000_000;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { now: () => now });
    owner = await alice.owner(JSON_VERSION);
  });
  afterAll(() => world.close());

  items(() => owner, {
    129: [["notify:update:messageType:notifier:system:ttr:-1:@alice:email@alice", syntaxError]],
    130: [["notify:update:strategy:latest:@alice:email@alice", syntaxError]],
    131: [["notify:messageType:key:update:@alice:email@alice", syntaxError]],
    132: [["notify:update:ttlnn:5000:@alice:email@alice", syntaxError]],
    133: [["notify:update:ttln::@alice:email@alice", syntaxError]],
    134: [["notify:update:ttb:10:ttln:5000:@alice:email@alice", syntaxError]],
    135: [["notify:@bob:@colin", syntaxError]],
    136: [["notify location@colin", syntaxError]],
  });

  item(137, "notify:fetch shows what was sent to oneself", async () => {
    const reply = await owner.ask("notify:@alice:phone.me@alice");
    expect(reply).toMatch(uuid);
    const id = dataOf(reply);
    expect(payloadOf(await owner.ask(`notify:fetch:${id}`))).toMatchObject({
      id,
      fromAtSign: "@alice",
      toAtSign: "@alice",
      notification: "@alice:phone.me@alice",
      type: "NotificationType.received",
      opType: "OperationType.update",
      messageType: "MessageType.key",
      priority: "NotificationPriority.low",
      notificationStatus: "NotificationStatus.delivered",
      retryCount: "1",
      strategy: "all",
      depth: "1",
      notifier: "SYSTEM",
      atValue: "null",
      ttl: "900000",
    });
  });

  items(() => owner, {
    138: [
      [
        "notify:fetch:124-abc",
        data('{"id":"124-abc","notificationStatus":"NotificationStatus.expired"}'),
      ],
    ],
  });

  item(139, "a notification without a value", async () => {
    const id = dataOf(await owner.ask("notify:@alice:nottrkey@alice"));
    await converse(owner, [
      [`notify:status:${id}`, data("delivered")],
      [
        "notify:list:nottrkey",
        shows('"key":"@alice:nottrkey@alice","value":null,"operation":"update"'),
      ],
    ]);
  });

  item(140, "a notification with a value", async () => {
    const id = dataOf(await owner.ask("notify:update:@alice:valued@alice:no-ttr"));
    await converse(owner, [
      [`notify:status:${id}`, data("delivered")],
      ["notify:list:valued", shows('"value":"no-ttr","operation":"update"')],
    ]);
  });

  item(141, "later notifications have later instants", async () => {
    const instants: string[] = [];
    for (const name of ["first", "second"]) {
      const id = dataOf(await owner.ask(`notify:@alice:${name}@alice`));
      const { notificationDateTime } = payloadOf(await owner.ask(`notify:fetch:${id}`)) as {
        notificationDateTime: string;
      };
      instants.push(notificationDateTime);
    }
    expect(instants[1] ?? "").toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(instants[1] ?? "")).toBeGreaterThan(Date.parse(instants[0] ?? ""));
  });

  items(() => alice.open(), {
    142: [
      [
        "notify:@bob:k@alice",
        "error:AT0401-Exception: Notify command cannot be executed without authentication\n@",
      ],
    ],
  });

  item(143, "notify:remove forgets, also what isn't there", async () => {
    const id = dataOf(await owner.ask("notify:@alice:removed@alice"));
    await converse(owner, [
      ["notify:list:removed", shows(id)],
      [`notify:remove:${id}`, data("success")],
      ["notify:list:removed", data("null")],
      [`notify:remove:${id}`, data("success")],
    ]);
  });

  item(144, "notify:list with nothing to show", async () => {
    const quiet = await (await world.start("@quiet")).owner();
    await converse(quiet, [["notify:list", data("null", "@quiet@")]]);
  });

  item(145, "notify:list leaves out what expired", async () => {
    const id = dataOf(await owner.ask("notify:ttln:1000:@alice:short@alice"));
    await converse(owner, [["notify:list:short", shows(id)]]);
    now += 1_001;
    await converse(owner, [
      ["notify:list:short", data("null")],
      ["notify:list", hides(id)],
      [`notify:status:${id}`, data("expired")],
    ]);
  });

  item(146, "notify:list tells when a notification is available and expires", async () => {
    await owner.ask("notify:ttln:60000:@alice:times@alice");
    const [listed] = payloadOf(await owner.ask("notify:list:times")) as {
      metadata: { availableAt: string; expiresAt: string };
    }[];
    const instant = (millis: number): string => new Date(millis).toISOString().replace("T", " ");
    expect(listed?.metadata).toMatchObject({
      availableAt: instant(now),
      expiresAt: instant(now + 60_000),
    });
  });
});
