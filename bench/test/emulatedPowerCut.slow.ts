// SPDX-License-Identifier: BSD-3-Clause
// Power cut at every flash operation of an enrolment on the emulated board: it ends enrolled or not enrolled, never
// between. Not enrolled is what is left when power goes after the passcode was used and before the enrollment's number
// is stored: the owner then gives another passcode.
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { PicoWorld } from "../../emulate/picoWorld.ts";

const READY = "state: ready";
/** The core's BadPasscode, in the log. */
const PASSCODE_USED = "warning: because of status -31";
/** Bytes of a page that are done when the power goes, by turns: within a record's head, in a page's middle. */
const tornBytes = (operation: number): number => (operation % 2 === 0 ? 5 : 130);

/** Enrols a new device with the power cut at one flash operation; false when it has no such operation. */
async function enrolsWithCut(operation: number): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "atmicro-power-cut-"));
  const pico = await PicoWorld.start({ folder: join(folder, "world") });
  try {
    pico.emulator.flash.arm({ operation, bytes: tornBytes(operation) });
    const wasCut = await pico.isCutBeforeLine(READY);
    if (wasCut) {
      const ends = [READY, PASSCODE_USED];
      await pico.until("an end", () => ends.some((end) => pico.lines.includes(end)));
    }
    expect(pico.approved.length).toBe(1);
    return wasCut;
  } finally {
    await pico.close();
    await rm(folder, { recursive: true, force: true });
  }
}

it("ends enrolled by one enrollment, or not enrolled, wherever the power was cut", async () => {
  const cwd = fileURLToPath(new URL("../..", import.meta.url));
  execFileSync(process.execPath, ["boards/build.mjs", "rp2040"], { cwd });
  let operation = 1;
  while (await enrolsWithCut(operation)) operation++;
  expect(operation).toBeGreaterThan(2);
}, 3_600_000);
