// SPDX-License-Identifier: BSD-3-Clause
// The probe on the W5500-EVB-Pico: build/rp2040/probe.{elf,map,bin,uf2,symbols.json}.
import { mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { prepareThumbWasm3 } from "../../device/wasm3/prepare.mjs";
import { compileAll } from "./compile.mjs";
import { probeUnits } from "./probe.mjs";
import {
  CPU,
  link,
  MACHINE,
  ownUnits,
  ramBytes,
  sourcesIn,
  writeImages,
  writeSymbols,
} from "./rp2040.mjs";
import { toolChain } from "./toolChain.mjs";

/** What the probe, which has no link, does without. */
const OF_THE_FIRMWARE = new Set(["main.c", "wait.c", "w5500Bus.c"]);

/** { name, folder, flashBytes, ramBytes }. */
export async function buildRp2040Probe({ root, board }) {
  const out = join(root, "build", "rp2040");
  mkdirSync(out, { recursive: true });
  const { cc, objcopy, nm, size } = toolChain("arm");
  const here = join(root, "boards/rp2040");
  const boardFiles = sourcesIn(here).filter((source) => !OF_THE_FIRMWARE.has(basename(source)));
  const sources = [...boardFiles, ...sourcesIn(join(here, "probe"))];
  const prepare = (folder) => prepareThumbWasm3(folder, { cc, machine: CPU });
  const objects = await compileAll([
    ...ownUnits({ root, out, cc, board, sources, marks: true }),
    ...probeUnits({ root, out: join(out, "probe"), cc, board, flags: MACHINE, prepare }),
  ]);
  const name = "probe";
  const elf = await link({ cc, root, out, name, board, objects });
  const flashBytes = await writeImages({ objcopy, elf, out, name });
  await writeSymbols({ nm, elf, file: join(out, `${name}.symbols.json`) });
  return { name, folder: out, flashBytes, ramBytes: await ramBytes(size, elf) };
}
