// SPDX-License-Identifier: BSD-3-Clause
// `npm run emulate` itself: the very firmware, real atServers, a cut link, a power cut, and the RAM of all of it.
import { execFile, execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import type { MemoryPhase } from "../../emulate/memory.ts";

/** Bytes the whole device may use, and its flash image (the must of both). */
const RAM_BYTES = 128_000;
const FLASH_BYTES = 256_000;

it("an emulated Pico enrols, sends, obeys and survives a cut link and a power cut within its RAM", async () => {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  execFileSync(process.execPath, ["boards/build.mjs", "rp2040"], { cwd });
  const program = [process.execPath, ["build/emulate/main.js", "--json"], { cwd }] as const;
  const { stdout } = await promisify(execFile)(...program);
  const { flashBytes, phases } = JSON.parse(stdout) as {
    flashBytes: number;
    phases: MemoryPhase[];
  };
  expect(phases.map(({ name }) => name)).toEqual([
    "boot",
    "TLS handshake",
    "enrol, login",
    "notify, put",
    "monitor, get",
    "reconnect",
    "after power cut",
  ]);
  for (const { parts, peakBytes } of phases) {
    expect(peakBytes).toBeLessThanOrEqual(RAM_BYTES);
    expect(Math.min(...Object.values(parts))).toBeGreaterThan(0);
  }
  expect(flashBytes).toBeLessThanOrEqual(FLASH_BYTES);
}, 900_000);
