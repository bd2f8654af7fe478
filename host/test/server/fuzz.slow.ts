// SPDX-License-Identifier: BSD-3-Clause
import type { Buffer } from "node:buffer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSeed, Random } from "../random.ts";
import { Fuzz } from "./fuzz.ts";
import { LONG_LINES, longLine } from "./fuzzLines.ts";

const DURATION_MILLIS = 60_000;
const LIMIT_MILLIS = 1_200_000;
const LONG = 300_000;
/** What the process may take at most, whatever it is sent. */
const MAX_RSS_BYTES = 1_000_000_000;

describe("an atServer that is sent anything for a minute", () => {
  let fuzz: Fuzz;
  const seed = newSeed();
  beforeAll(async () => {
    console.log(`seed ${seed}`);
    fuzz = await Fuzz.start();
  });
  afterAll(() => fuzz.world.close());

  it(
    "answers every line on many connections",
    async () => {
      const end = Date.now() + DURATION_MILLIS;
      const runs = (["anonymous", "owner", "enrolled", "anonymous", "owner"] as const).map(
        (who, i) => fuzz.run(who, new Random(seed + i), () => Date.now() > end),
      );
      await Promise.all(runs);
      console.log(`${fuzz.lines} lines answered`);
      expect(process.memoryUsage.rss()).toBeLessThan(MAX_RSS_BYTES);
    },
    LIMIT_MILLIS,
  );

  it.each(["anonymous", "owner", "enrolled"] as const)(
    "answers every long line of every verb, %s",
    async (who) => {
      let at = 0;
      const next = (): Buffer => longLine(at++, LONG);
      await fuzz.run(who, new Random(seed), () => at >= LONG_LINES, next);
      expect(process.memoryUsage.rss()).toBeLessThan(MAX_RSS_BYTES);
    },
    LIMIT_MILLIS,
  );
});
