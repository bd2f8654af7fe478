// SPDX-License-Identifier: BSD-3-Clause
// RV32IMC for QEMU's virt machine: build/qemu-rv32/<program>.elf.
import { mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { prepareWasm3 } from "../../device/wasm3/prepare.mjs";
import { compileAll, run } from "./compile.mjs";
import { engineUnits } from "./engine.mjs";
import { toolChain } from "./toolChain.mjs";

// -misa-spec=2.2: the CSR instructions belong to the base; the name rv32imc_zicsr picks a library of another width.
const CPU = ["-march=rv32imc", "-mabi=ilp32", "-misa-spec=2.2", "-mtune=size"];
const SECTIONS = ["-ffunction-sections", "-fdata-sections", "-fno-common", "-specs=picolibc.specs"];

const STRICT = ["-std=gnu99", "-Wall", "-Wextra", "-Wconversion", "-Werror"];

/** Builds the engine program, the only one of this board; { name, folder, flashBytes, ramBytes }. */
export async function buildQemuRv32({ root, board }) {
  const out = join(root, "build", "qemu-rv32");
  mkdirSync(out, { recursive: true });
  const { cc, size } = toolChain("riscv");
  const here = join(root, "boards/qemu-rv32");
  const flags = [...CPU, ...SECTIONS];
  const own = readdirSync(here)
    .filter((name) => /\.[cS]$/.test(name))
    .map((name) => ({
      cc,
      source: join(here, name),
      flags: [...flags, ...STRICT, "-O2", `-I${join(root, "device/engine")}`],
      object: join(out, "board", `${name}.o`),
    }));
  const units = [...own, ...engineUnits({ root, out, cc, board, flags, prepare: prepareWasm3 })];
  const objects = await compileAll(units);
  const elf = join(out, "engine.elf");
  await run(cc, [
    ...CPU,
    "-specs=picolibc.specs",
    "-nostartfiles",
    "-Wl,--gc-sections",
    `-T${join(here, "virt.ld")}`,
    ...objects,
    "-o",
    elf,
  ]);
  const lines = (await run(size, ["-A", elf])).split("\n").map((line) => line.trim().split(/\s+/));
  const bytes = (section) => Number(lines.find(([name]) => name === section)?.[1] ?? 0);
  return {
    name: basename(elf, ".elf"),
    folder: out,
    flashBytes: bytes(".text") + bytes(".data"),
    ramBytes: bytes(".data") + bytes(".bss"),
  };
}
