// SPDX-License-Identifier: BSD-3-Clause
import { Buffer } from "node:buffer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_LINE_BYTES } from "../../wire/line.ts";
import { newSeed, Random } from "../random.ts";
import { Fuzz } from "./fuzz.ts";
import { LONG_LINES, longLine } from "./fuzzLines.ts";

const LINES = 400;
/** What a line may have, by who sends it. */
const LONG = { anonymous: 60_000, owner: 300_000 };

describe("an atServer that is sent anything", () => {
  let fuzz: Fuzz;
  const seed = newSeed();
  beforeAll(async () => {
    console.log(`seed ${seed}`);
    fuzz = await Fuzz.start();
  });
  afterAll(() => fuzz.world.close());

  it.each(["anonymous", "owner", "enrolled"] as const)("answers every line, %s", async (who) => {
    let left = LINES;
    await fuzz.run(who, new Random(seed), () => left-- === 0);
  });

  it.each(["anonymous", "owner"] as const)("answers long lines of every verb, %s", async (who) => {
    const random = new Random(seed);
    let left = 60;
    const next = (): Buffer => longLine(random.below(LONG_LINES), LONG[who]);
    await fuzz.run(who, random, () => left-- === 0, next);
  });

  it("takes bytes without end in pieces, and keeps no more of them than a line may have", async () => {
    const random = new Random(seed);
    const line = await fuzz.open.owner();
    const piece = Buffer.alloc(1_000_000, "x");
    let sent = 0;
    while (sent + piece.length <= MAX_LINE_BYTES) {
      line.send(piece);
      sent += piece.length;
    }
    line.send(Buffer.alloc(MAX_LINE_BYTES - sent + random.below(1_000) + 1, "x"));
    expect(await line.closed()).toContain("InboundBuffer overflow: ");
  });
});
