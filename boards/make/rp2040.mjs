// SPDX-License-Identifier: BSD-3-Clause
// The W5500-EVB-Pico: build/rp2040/<program>.{elf,map,bin,uf2,symbols.json}.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { MBEDTLS, OWN, SECTIONS, WASM3 } from "../../device/compilerFlags.mjs";
import { applicationFolder, compileApplication, findApplication } from "./application.mjs";
import { compileAll, run } from "./compile.mjs";
import { uf2, withSecondStageChecksum } from "./images.mjs";
import { runtimeFlags } from "./runtime.mjs";
import { toolChain } from "./toolChain.mjs";

export const CPU = ["-mcpu=cortex-m0plus", "-mthumb"];
// The boot ROM is at address 0, which GCC otherwise takes for a null pointer.
export const MACHINE = [...CPU, ...SECTIONS, "-fno-common", "--param=min-pagesize=0"];
const FLASH_ADDRESS = 0x10000000;
const FAMILY = 0xe48bff56;

export const sourcesIn = (folder) =>
  readdirSync(folder)
    .filter((name) => /\.[cS]$/.test(name))
    .sort()
    .map((name) => join(folder, name));

/** Units of the board's own files and of the program's. */
export function ownUnits({ root, out, cc, board, sources, marks }) {
  const flags = [
    ...MACHINE,
    ...OWN,
    "-Os",
    "-g",
    `-DSTORE_BYTES=${board.flash.storeSectors * 4096}u`,
    ...(marks ? ["-DMARKS"] : []),
    `-I${root}`,
  ];
  return sources.map((source) => ({
    cc,
    flags,
    source,
    object: join(out, marks ? "marked" : "objects", `${basename(source)}.o`),
  }));
}

/** The runtime's units, wasm3's and mbedTLS's, and core.wasm as it is. */
function runtimeUnits({ root, out, cc, board }) {
  const thumb = { cc, machine: CPU };
  const runtime = runtimeFlags({ root, build: join(root, "build"), board, thumb });
  const { wasm3, mbedtls, own } = runtime;
  const unit = (flags, folder) => (source) => ({
    cc,
    flags,
    source,
    object: join(out, folder, `${basename(source)}.o`),
  });
  return [
    ...own.units.map(unit([...MACHINE, ...OWN, "-Os", "-g", ...own.flags], "device")),
    ...wasm3.units.map(unit([...MACHINE, ...WASM3, "-Os", ...wasm3.flags], "wasm3")),
    ...mbedtls.units.map(unit([...MACHINE, ...MBEDTLS, "-Os", ...mbedtls.flags], "mbedtls")),
    {
      ...unit([...CPU, `-I${join(root, "build")}`], "device")(join(root, "device/module.S")),
      inputs: [join(root, "build/core.wasm")],
    },
  ];
}

/** Moves the operations of the interpreter that the board names (["op_…"]) from flash to RAM. */
async function moveOperations({ objcopy, board, objects }) {
  const at = objects.findIndex((object) => basename(object) === "operations.S.o");
  if (at < 0 || board.ramOperations.length === 0) return objects;
  const moved = objects[at].replace(/\.o$/, ".ram.o");
  const renames = board.ramOperations.flatMap((name) => [
    "--rename-section",
    `.text.${name}=.ramtext.${name}`,
  ]);
  await run(objcopy, [...renames, objects[at], moved]);
  return objects.with(at, moved);
}

export async function link({ cc, root, out, name, board, objects }) {
  const elf = join(out, `${name}.elf`);
  await run(cc, [
    ...CPU,
    "--specs=nano.specs",
    "-nostartfiles",
    "-Wl,--gc-sections,--fatal-warnings",
    `-Wl,--defsym=STORE_BYTES=${board.flash.storeSectors * 4096}`,
    `-Wl,-Map=${join(out, `${name}.map`)}`,
    `-T${join(root, "boards/rp2040/rp2040.ld")}`,
    ...objects,
    "-o",
    elf,
  ]);
  return elf;
}

/** Addresses of the program's symbols, for those who look into the running chip from outside. */
export async function writeSymbols({ nm, elf, file }) {
  const lines = (await run(nm, [elf])).split("\n").map((line) => line.split(" "));
  const symbols = lines.filter(([address, , symbol]) => address && symbol);
  const entries = symbols.map(([address, , symbol]) => [symbol, Number.parseInt(address, 16)]);
  writeFileSync(file, JSON.stringify(Object.fromEntries(entries), null, 1));
}

export async function writeImages({ objcopy, elf, out, name }) {
  const stage = join(out, `${name}.boot2.bin`);
  await run(objcopy, ["-O", "binary", "-j", ".boot2", elf, stage]);
  writeFileSync(stage, withSecondStageChecksum(readFileSync(stage)));
  await run(objcopy, ["--update-section", `.boot2=${stage}`, elf]);
  const bin = join(out, `${name}.bin`);
  await run(objcopy, ["-O", "binary", elf, bin]);
  const image = readFileSync(bin);
  writeFileSync(join(out, `${name}.uf2`), uf2(image, { address: FLASH_ADDRESS, family: FAMILY }));
  return image.length;
}

/** Bytes of the sections that are RAM. */
export async function ramBytes(size, elf) {
  const lines = (await run(size, ["-A", elf])).split("\n").map((line) => line.trim().split(/\s+/));
  const bytes = (section) => Number(lines.find(([name]) => name === section)?.[1] ?? 0);
  return [".ramtext", ".data", ".bss", ".retained"].reduce((sum, name) => sum + bytes(name), 0);
}

/**
 * Builds the firmware, or a test program (a C file with its own main, measured by BKPT marks) on the same board files.
 * Answers { name, folder, flashBytes, ramBytes }.
 */
export async function buildRp2040({ root, board, program = null, app = null }) {
  const application = program ? null : findApplication(root, app);
  const out = join(root, "build", "rp2040");
  mkdirSync(out, { recursive: true });
  const tools = toolChain("arm");
  const name = program ? basename(program, ".c") : "atmicro";
  const boardFiles = [
    ...sourcesIn(join(root, "boards/rp2040")),
    ...sourcesIn(join(root, "boards/w5500")),
  ];
  const drivers = sourcesIn(join(root, "boards/app/sensors"));
  const sources = program
    ? [...boardFiles.filter((source) => basename(source) !== "main.c"), ...drivers, program]
    : boardFiles;
  const { cc, nm, objcopy } = tools;
  const units = ownUnits({ root, out, cc, board, sources, marks: program !== null });
  if (!program) units.push(...runtimeUnits({ root, out, cc, board }));
  const objects = await moveOperations({ objcopy, board, objects: await compileAll(units) });
  if (application) {
    const flags = [...MACHINE, "-Os", "-g"];
    objects.push(...(await compileApplication({ root, out, cc, nm, application, flags })));
  }
  const folder = application ? applicationFolder(out, application) : out;
  const elf = await link({ cc, root, out: folder, name, board, objects });
  const flashBytes = await writeImages({ objcopy, elf, out: folder, name });
  await writeSymbols({ nm, elf, file: join(folder, `${name}.symbols.json`) });
  return { name, folder, flashBytes, ramBytes: await ramBytes(tools.size, elf) };
}
