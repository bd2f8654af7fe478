// SPDX-License-Identifier: BSD-3-Clause
// The core as a reader of addresses: where its board is sent, by what the configuration and the atDirectory say.
import { describe, expect, test } from "vitest";
import { engines } from "./engine/engines.ts";
import { Device, State } from "./session/device.ts";
import { imported } from "./session/fixtures.ts";
import { World } from "./session/world.ts";
import cases from "./vectors/addresses.json" with { type: "json" };

/** Longest address the core keeps. */
const ROOM = 128;
const BAD_ARGUMENT = -4;
const BAD_REPLY = -25;

const refused = [
  ...cases.refused.map(({ text }) => text),
  ...cases.hostAlone.map(({ text }) => text).filter((text) => text !== "null"),
  `${"a".repeat(cases.longest.letters + 1)}:64`,
  `${"a".repeat(ROOM)}:64`,
];
const accepted = [
  ...cases.accepted.map(({ text }) => text),
  // Of the right characters: the board's network knows better.
  ...cases.unusable,
  `${"a".repeat(ROOM - 3)}:64`,
];

for (const factory of engines) {
  describe(`addresses on ${factory.name}`, () => {
    test("of the atDirectory, in the configuration", async () => {
      const device = await Device.open(factory, new World());
      device.init();
      for (const text of accepted) expect(device.config(2, text), text).toBe(0);
      for (const text of refused) expect(device.config(2, text), text).toBe(BAD_ARGUMENT);
    });

    test("of the atServer, as the atDirectory says", async () => {
      const world = new World();
      const device = await imported(factory, world);
      // A line's end and a carriage return before it belong to the reply.
      const lines = [...refused.filter((text) => !/[\r\n]/.test(text)), ...accepted];
      world.hook = (line) =>
        line === "alpha" ? `${lines.shift() ?? "last.example:1"}\r\n@` : "cut";
      device.start();
      const isDone = () => device.opened.at(-1) === "last.example:1";
      for (let minutes = 0; minutes < 300 && !isDone(); minutes++) device.advance(60_000);
      const servers = device.opened.filter((address) => address !== "root.example:64");
      expect([...new Set(servers)]).toEqual([...accepted, "last.example:1"]);
      const reasons = device.of("state").map((e) => e.op);
      expect(reasons).toContain(BAD_REPLY);
      expect(device.state()).not.toBe(State.stopped);
    });
  });
}
