// SPDX-License-Identifier: BSD-3-Clause
// The RP2040's firmware on a flash whose store had eight sectors: it ends where the new one ends.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { eightSectors, valuesOf } from "../../device/test/eightSectors.ts";
import { FLASH_BYTES, Flash, SECTOR_BYTES } from "../emulator/flash.ts";
import { Network } from "../emulator/network.ts";
import { Rp2040Emulator } from "../emulator/rp2040/rp2040Emulator.ts";
import { W5500 } from "../emulator/w5500.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const SECTORS = 16;

let image: Buffer;

beforeAll(() => {
  execFileSync(process.execPath, [path("boards/build.mjs"), "rp2040"]);
  image = readFileSync(path("build/rp2040/atmicro.bin"));
}, 300_000);

/** The board with that old store. */
function board(name: "firstHalf" | "secondHalf") {
  const flash = new Flash(image);
  flash.write(FLASH_BYTES - 8 * SECTOR_BYTES, eightSectors(name));
  const lines: string[] = [];
  const emulator = new Rp2040Emulator({
    flash,
    attachments: [new W5500(new Network({ names: {}, routes: {} }))],
    onLine: (line) => lines.push(line),
  });
  return { flash, lines, emulator };
}

it.each([
  // While the first half is erased, filled and made valid, and while the old store is erased.
  { name: "firstHalf", cuts: [3, 12, 20, 24] },
  { name: "secondHalf", cuts: [1, 9, 21, 28] },
] as const)(
  "takes over its keys: $name",
  async ({ name, cuts }) => {
    const { flash, lines, emulator } = board(name);
    const values = valuesOf(eightSectors(name));
    for (const operation of cuts) {
      flash.write(
        FLASH_BYTES - SECTORS * SECTOR_BYTES,
        new Uint8Array(8 * SECTOR_BYTES).fill(0xff),
      );
      flash.write(FLASH_BYTES - 8 * SECTOR_BYTES, eightSectors(name));
      flash.arm({ operation, bytes: 17 });
      expect(await emulator.run({ deviceMs: 60_000 })).toEqual({ kind: "powerCut" });
      lines.length = 0;
      const isUp = () => lines.includes("state: directory");
      expect(await emulator.run({ until: isUp, deviceMs: 60_000 })).toEqual({ kind: "until" });
      expect(lines).toContain("enrolled");
      emulator.powerOff();
      expect(valuesOf(Buffer.from(flash.bytes.subarray(-SECTORS * SECTOR_BYTES)))).toEqual(values);
    }
  },
  300_000,
);
