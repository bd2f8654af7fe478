// SPDX-License-Identifier: BSD-3-Clause
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PicoWorld } from "../../emulate/picoWorld.ts";

/**
 * Seconds of the emulated Pico's own time from power to the first reading its peer decrypts: second stage, clocks, core,
 * DHCP, DNS, directory, TLS, login, sealing and sending. Enrolled before, no TLS session to resume.
 */
export async function coldBootToReading(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "atmicro-boot-"));
  const pico = await PicoWorld.start({ folder: join(folder, "world"), idleSpeed: 1 });
  try {
    await pico.untilReceived("reading");
    pico.emulator.powerOff();
    pico.lines.length = 0;
    await pico.untilReceived("reading");
    return Math.round(pico.emulator.deviceMs) / 1000;
  } finally {
    await pico.close();
    await rm(folder, { recursive: true, force: true });
  }
}
