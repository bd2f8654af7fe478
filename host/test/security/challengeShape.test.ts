// SPDX-License-Identifier: BSD-3-Clause
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { activate } from "../../client/activation.ts";
import { AtClient } from "../../client/atClient.ts";
import { alpha } from "../client/identities.ts";
import { challenge, HostileWorld } from "./hostileWorld.ts";

const a = randomUUID();
const b = randomUUID();

/** What an atServer might like to have signed. */
const others: readonly string[] = [
  "",
  "null",
  "_c@alpha:u",
  a,
  `_${a}`,
  `_${a}@alpha`,
  `_${a}@alpha:`,
  `${a}@alpha:${b}`,
  `_${a}:${b}`,
  `_${a}@:${b}`,
  `_${a}@bravo:${b}`,
  `_${a}@alpha2:${b}`,
  `_${a}@alph:${b}`,
  `_${a}@alpha@bravo:${b}`,
  `_${a}@alpha:x:${b}`,
  `_${a}@alpha:${b}:${b}`,
  ` _${a}@alpha:${b}`,
  `_${a}@alpha:${b} `,
  `_${a}@alpha:${b}@alpha`,
  `_${a.slice(1)}@alpha:${b}`,
  `_${a.replaceAll("-", "")}@alpha:${b}`,
  `_${a}@alpha:${b.replaceAll("-", "+")}`,
  `proof:_${a}@alpha:${b}`,
  `_${a}@alpha:pol1.${Buffer.from(JSON.stringify({ v: "@bravo", n: b })).toString("base64url")}`,
  "public:publickey@alpha",
];

let world: HostileWorld;
beforeEach(async () => {
  world = await HostileWorld.start();
});
afterEach(() => world.close());

describe("a challenge is signed only when it has the shape of one for this atSign", () => {
  it.each(others)("not %j", async (text) => {
    world.server.onCommand(/^from:/, () => `data:${text}`);
    await expect(AtClient.connect({ ...world.network, keys: alpha })).rejects.toMatchObject({
      code: "AT0008",
      message: expect.stringContaining("nothing was signed"),
    });
    const save = (): Promise<void> => Promise.resolve();
    const options = { atSign: "@alpha", cramSecret: "secret", save };
    await expect(activate(options, world.network)).rejects.toMatchObject({ code: "AT0008" });
    expect(world.server.lines).toEqual(["from:@alpha", "from:@alpha"]);
  });

  it.each([challenge("@alpha"), `_${a.toUpperCase()}@alpha:${b}`])("but %s", async (text) => {
    world.server.onCommand(/^from:/, () => `data:${text}`);
    const client = await AtClient.connect({ ...world.network, keys: alpha });
    await client.close();
    expect(world.server.count(/^pkam:/)).toBe(1);
  });
});
