// SPDX-License-Identifier: BSD-3-Clause
import { expect, it } from "vitest";
import { newSeed } from "../random.ts";
import { killRounds } from "./killRounds.ts";

const ROUNDS = 4;

it("an atServer killed without warning keeps what it confirmed, once", async () => {
  const seed = newSeed();
  console.log(`seed ${seed}`);
  const { commits } = await killRounds(ROUNDS, seed);
  expect(commits).toBeGreaterThan(0);
});
