// SPDX-License-Identifier: BSD-3-Clause
import { expect, it } from "vitest";
import { newSeed } from "../random.ts";
import { load } from "./load.ts";

const DURATION_MILLIS = 60_000;
const LIMIT_MILLIS = 600_000;
const MAX_RSS_BYTES = 300_000_000;

it(
  "serves 200 connections with 50 monitors for a minute",
  async () => {
    const seed = newSeed();
    console.log(`seed ${seed}`);
    // With the notifier and one that asks at the end: 200.
    const shape = { monitors: 45, deaf: 5, halfLines: 10, silent: 50, workers: 138 };
    let end = 0;
    const { commands, notifications, rss } = await load(shape, seed, () => {
      end ||= Date.now() + DURATION_MILLIS;
      return Date.now() > end;
    });
    console.log(`${commands} commands, ${notifications} notifications to 45 monitors, RSS ${rss}`);
    expect(rss).toBeLessThan(MAX_RSS_BYTES);
  },
  LIMIT_MILLIS,
);
