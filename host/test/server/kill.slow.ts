// SPDX-License-Identifier: BSD-3-Clause
import { expect, it } from "vitest";
import { newSeed } from "../random.ts";
import { killRounds } from "./killRounds.ts";

const ROUNDS = 200;
const LIMIT_MILLIS = 1_800_000;

it(
  "an atServer killed 200 times without warning keeps what it confirmed, once",
  async () => {
    const seed = newSeed();
    console.log(`seed ${seed}`);
    const { commits, notifications, enrollments } = await killRounds(ROUNDS, seed);
    expect(commits).toBeGreaterThan(ROUNDS);
    console.log(
      `${ROUNDS} kills: ${commits} commits, ${notifications.size} notifications, ${enrollments.size} enrollments confirmed and found`,
    );
  },
  LIMIT_MILLIS,
);
