// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect } from "vitest";
import type { Line } from "../line.ts";
import { type Place, World } from "../world.ts";
import { converse, data, error, failure, item, items, JSON_VERSION } from "./items.ts";

describe("config", () => {
  let world: World;
  let alice: Place;
  let owner: Line;
  beforeAll(async () => {
    world = await World.create();
    alice = await world.start("@alice", { testingMode: true });
    owner = await alice.owner(JSON_VERSION);
  });
  afterAll(() => world.close());

  items(() => owner, {
    108: [
      ["config:block:add:@bob", data("success")],
      ["config:block:show", data('["@bob"]')],
    ],
    109: [
      ["config:block:remove:@bob", data("success")],
      ["config:block:show", data("null")],
    ],
    110: [["config:block:add:", failure("AT0003")]],
    111: [["config:block:add:@@kevin", failure("AT0003")]],
    112: [["config:block:list", failure("AT0003")]],
    113: [
      ["config:set:commitLogCompactionFrequencyMins=4", data("ok")],
      ["config:reset:commitLogCompactionFrequencyMins", data("ok")],
      ["config:print:commitLogCompactionFrequencyMins", data("18")],
    ],
    114: [
      ["config:set:maxNotificationRetries=25", data("ok")],
      ["config:print:maxNotificationRetries", data("25")],
    ],
  });

  item(115, "without testing mode nothing is set", async () => {
    const line = await (await world.start("@plain")).owner(JSON_VERSION);
    const disabled = data("testing mode disabled by default", "@plain@");
    await converse(line, [
      ["config:set:maxNotificationRetries=25", disabled],
      ["config:reset:maxNotificationRetries", disabled],
      ["config:print:maxNotificationRetries", disabled],
    ]);
  });

  items(() => owner, {
    116: [
      ["config:set:shouldReloadCertificates=true", data("ok")],
      ["config:print:shouldReloadCertificates", data("true")],
    ],
  });

  item(117, "pauses for a restart that is asked for, and is back", async () => {
    let asked = false;
    const certificates = {
      read: async () => alice.config.tls,
      isRestartAsked: async () => asked,
      askRestart: async (wanted: boolean) => {
        asked = wanted;
      },
    };
    const place = await world.start("@carol", { testingMode: true, certificates });
    const line = await place.owner(JSON_VERSION);
    const waiting = await place.open();
    await converse(line, [
      ["config:set:shouldReloadCertificates=true", data("ok", "@carol@")],
      ["config:set:checkCertificateReload=true", data("ok", "@carol@")],
    ]);
    const fresh = await place.open();
    const paused = "Server is temporarily paused and should be available again shortly";
    line.send("noop:0\n");
    expect(await line.closed()).toBe(error("AT0024", `Server is paused : ${paused}`, "@carol@"));
    fresh.send("info:brief\n");
    expect(await fresh.closed()).toBe(`error:AT0024-Exception: ${paused}\n@`);
    waiting.close();
    await expect
      .poll(async () => (await place.open()).ask("info:brief"), { timeout: 20_000 })
      .toMatch(/^data:\{"version":/);
    expect(asked).toBe(false);
  });
});
