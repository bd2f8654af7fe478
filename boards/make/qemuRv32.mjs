// SPDX-License-Identifier: BSD-3-Clause
// RV32IMC for QEMU's virt machine: build/qemu-rv32/{atmicro,probe}.elf.
import { mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { MBEDTLS, OWN, OWN_GNU, SECTIONS, WASM3 } from "../../device/compilerFlags.mjs";
import { prepareWasm3 } from "../../device/wasm3/prepare.mjs";
import { applicationFolder, compileApplication, findApplication } from "./application.mjs";
import { compileAll, run } from "./compile.mjs";
import { probeUnits } from "./probe.mjs";
import { runtimeFlags } from "./runtime.mjs";
import { toolChain } from "./toolChain.mjs";

// -misa-spec=2.2: the CSR instructions belong to the base; the name rv32imc_zicsr picks a library of another width.
const CPU = ["-march=rv32imc", "-mabi=ilp32", "-misa-spec=2.2", "-mtune=size"];
const MACHINE = [...CPU, ...SECTIONS, "-fno-common", "-specs=picolibc.specs"];

const sourcesIn = (folder) =>
  readdirSync(folder)
    .filter((name) => /\.[cS]$/.test(name))
    .sort()
    .map((name) => join(folder, name));

async function link({ cc, size, root, out, name, objects }) {
  const elf = join(out, `${name}.elf`);
  await run(cc, [
    ...CPU,
    "-specs=picolibc.specs",
    "-nostartfiles",
    "-Wl,--gc-sections",
    `-T${join(root, "boards/qemu-rv32/virt.ld")}`,
    ...objects,
    "-o",
    elf,
  ]);
  const lines = (await run(size, ["-A", elf])).split("\n").map((line) => line.trim().split(/\s+/));
  const bytes = (section) => Number(lines.find(([found]) => found === section)?.[1] ?? 0);
  return {
    name,
    folder: out,
    flashBytes: bytes(".text") + bytes(".data"),
    ramBytes: bytes(".data") + bytes(".bss"),
  };
}

/** The machine's own files, and those of one of its programs. */
function boardUnits({ root, out, cc, program, flags }) {
  const here = join(root, "boards/qemu-rv32");
  return [...sourcesIn(here), ...sourcesIn(join(here, program))].map((source) => ({
    cc,
    source,
    flags: [...MACHINE, ...OWN_GNU, ...flags, `-I${root}`],
    object: join(out, program, `${basename(source)}.o`),
  }));
}

/** The runtime's units, wasm3's and mbedTLS's, and core.wasm as it is. */
function runtimeUnits({ root, out, cc, board, runtime: { own, wasm3, mbedtls } }) {
  const unit = (flags, folder) => (source) => ({
    cc,
    source,
    flags: [...MACHINE, ...flags],
    object: join(out, folder, `${basename(source)}.o`),
  });
  const mine = [
    ...[...OWN, "-Os", `-I${root}`],
    `-DSTORE_BYTES=${board.flash.storeSectors * 4096}u`,
    ...own.flags,
  ];
  return [
    ...own.units.map(unit(mine, "device")),
    ...wasm3.units.map(unit([...WASM3, "-O2", ...wasm3.flags], "wasm3-objects")),
    ...mbedtls.units.map(unit([...MBEDTLS, "-Os", ...mbedtls.flags], "mbedtls")),
    {
      ...unit([`-I${join(root, "build")}`], "device")(join(root, "device/module.S")),
      inputs: [join(root, "build/core.wasm")],
    },
  ];
}

/** Builds the firmware; { name, folder, flashBytes, ramBytes }. */
export async function buildQemuRv32({ root, board, app = null }) {
  const application = findApplication(root, app);
  const out = join(root, "build", "qemu-rv32");
  mkdirSync(out, { recursive: true });
  const { cc, nm, size } = toolChain("riscv");
  const runtime = runtimeFlags({ root, build: join(root, "build"), board });
  const flags = [`-DSTORE_BYTES=${board.flash.storeSectors * 4096}u`, "-Os"];
  const objects = await compileAll([
    ...boardUnits({ root, out, cc, program: "firmware", flags }),
    ...runtimeUnits({ root, out, cc, board, runtime }),
  ]);
  const chip = [...MACHINE, "-Os"];
  objects.push(...(await compileApplication({ root, out, cc, nm, application, flags: chip })));
  const folder = applicationFolder(out, application);
  return link({ cc, size, root, out: folder, name: "atmicro", objects });
}

/** Builds the probe; as buildQemuRv32. */
export async function buildQemuRv32Probe({ root, board }) {
  const out = join(root, "build", "qemu-rv32");
  const own = join(out, "probe-objects");
  mkdirSync(own, { recursive: true });
  const { cc, size } = toolChain("riscv");
  const objects = await compileAll([
    ...boardUnits({ root, out: own, cc, program: "probe", flags: ["-O2"] }),
    ...probeUnits({ root, out: own, cc, board, flags: MACHINE, prepare: prepareWasm3 }),
  ]);
  return link({ cc, size, root, out, name: "probe", objects });
}
