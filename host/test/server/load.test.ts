// SPDX-License-Identifier: BSD-3-Clause
import { expect, it } from "vitest";
import { newSeed } from "../random.ts";
import { load } from "./load.ts";

const QUESTIONS = 2_000;

it("serves everybody who behaves while others never read, never finish or never begin", async () => {
  const seed = newSeed();
  console.log(`seed ${seed}`);
  let left = QUESTIONS;
  const shape = { monitors: 8, deaf: 3, halfLines: 3, silent: 3, workers: 10 };
  const { commands, notifications } = await load(shape, seed, () => left-- <= 0);
  expect(commands).toBeGreaterThan(0);
  expect(notifications).toBeGreaterThan(0);
});
