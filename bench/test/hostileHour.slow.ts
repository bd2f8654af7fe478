// SPDX-License-Identifier: BSD-3-Clause
// An hour of attacks on an atServer and an atDirectory; ATMICRO_HOSTILE_MINUTES makes it shorter.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostileHour } from "../server/hostile/hostileHour.ts";

const MINUTES = Number(process.env.ATMICRO_HOSTILE_MINUTES ?? 60);
const SPARE_MILLIS = 5 * 60_000;
/** Resident memory without the pages of the store's file: they grow with the store, and the kernel takes them back. */
const MAX_MEMORY_BYTES = 120e6;
/** Two peers' own messages and the attacker's, up to what one peer may keep. */
const MAX_GROWTH_BYTES = 128e6;

describe(`${MINUTES} minutes of attacks`, () => {
  const folder = mkdtempSync(join(tmpdir(), "atmicro-hostile-"));
  let hour: HostileHour;

  beforeAll(
    async () => {
      // As a user's servers run: the compiled program.
      const compiled = new URL("../../build/bench/server/hostile/hostileHour.js", import.meta.url);
      const { hostileHour } = await import(compiled.href);
      hour = await hostileHour(folder, MINUTES);
    },
    MINUTES * 60_000 + SPARE_MILLIS,
  );

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("lets every message of the owner and of the peers arrive, once", () => {
    expect(hour.sent).toBeGreaterThan(MINUTES * 60 * 4);
    expect(hour.missing).toEqual([]);
    expect(hour.doubled).toEqual([]);
    expect(hour.complaints).toEqual([]);
  });

  it("lets the owner in on new connections all the time", () => {
    expect(hour.visitMillis.length).toBeGreaterThan(MINUTES * 4);
  });

  it("keeps to its memory and disk", () => {
    for (const samples of [hour.memory, hour.directoryMemory]) {
      const own = samples.map(({ rssBytes, storeBytes }) => rssBytes - storeBytes);
      expect(Math.max(...own)).toBeLessThan(MAX_MEMORY_BYTES);
    }
    expect(hour.storeGrowthBytes).toBeLessThan(MAX_GROWTH_BYTES);
  });
});
