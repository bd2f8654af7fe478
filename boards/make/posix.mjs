// SPDX-License-Identifier: BSD-3-Clause
// The posix board: build/posix/atmicro-device, or a variant of it in build/posix-<variant>/; with another application in
// apps/<name>/ of that folder.
import { mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { basename, join } from "node:path";
import { MBEDTLS, OWN, SANITIZERS, SECTIONS, WASM3 } from "../../device/compilerFlags.mjs";
import { applicationFolder, compileApplication, findApplication } from "./application.mjs";
import { compileAll, run } from "./compile.mjs";
import { BuildFailure } from "./failure.mjs";
import { runtimeFlags } from "./runtime.mjs";
import { toolChain } from "./toolChain.mjs";

/**
 * Flags of every unit and of the linker, and settings other than the board's. narrow: 32 bits and the RP2040's settings,
 * where RAM is what that chip needs; shallow: a value stack on which the core traps.
 */
const VARIANTS = {
  plain: { machine: ["-O2", "-g"] },
  sanitized: {
    machine: ["-O1", "-g", ...SANITIZERS],
  },
  narrow: { machine: ["-O2", "-g", "-m32"], like: "rp2040" },
  shallow: { machine: ["-O2", "-g"], interpreter: { stack: 1536 } },
};

/** The board's settings with the variant's in place of them. */
function settingsOf({ root, board, variant }) {
  const { like, interpreter } = VARIANTS[variant];
  const from = like
    ? JSON.parse(readFileSync(join(root, "boards", like, "board.json"), "utf8"))
    : board;
  return { ...from, interpreter: { ...from.interpreter, ...interpreter }, flash: board.flash };
}

const sourcesIn = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".c"))
    .sort()
    .map((name) => join(folder, name));

/** Builds the variant; { name, folder, flashBytes, ramBytes }. Throws BuildFailure. */
export async function buildPosix({ root, board, variant = "plain", program = null, app = null }) {
  const machine = VARIANTS[variant]?.machine;
  if (!machine) {
    throw new BuildFailure(`no variant ${variant}; there are: ${Object.keys(VARIANTS)}`);
  }
  if (program) throw new BuildFailure("the posix board has no test programs");
  const name = "atmicro-device";
  const out = join(root, "build", variant === "plain" ? "posix" : `posix-${variant}`);
  mkdirSync(out, { recursive: true });
  const application = findApplication(root, app);
  const { cc, nm, size } = toolChain("native");
  const build = join(root, "build");
  const named = { ...settingsOf({ root, board, variant }), name: basename(out) };
  const { own: device, wasm3, mbedtls } = runtimeFlags({ root, build, board: named });
  const unit = (flags, folder) => (source) => ({
    cc,
    flags: [...machine, ...flags],
    source,
    object: join(out, folder, `${basename(source)}.o`),
  });
  const mine = [
    "-D_GNU_SOURCE",
    `-DSTORE_BYTES=${board.flash.storeSectors * 4096}u`,
    `-I${root}`,
    ...device.flags,
  ];
  const strict = [...OWN, ...mine];
  const objects = await compileAll([
    ...sourcesIn(join(root, "boards/posix")).map(unit(strict, "board")),
    ...device.units.map(unit(strict, "device")),
    // wasm3 nests calls where the compiler makes no tail calls of them, which takes -O2 without sanitizers.
    ...wasm3.units.map((source) => ({
      ...unit([], "wasm3")(source),
      flags: [
        "-O2",
        ...machine.filter((flag) => !/sanitize|^-O1$/.test(flag)),
        ...WASM3,
        ...wasm3.flags,
      ],
    })),
    ...mbedtls.units.map(unit([...MBEDTLS, ...SECTIONS, ...mbedtls.flags], "mbedtls")),
    {
      ...unit([`-I${build}`], "device")(join(root, "device/module.S")),
      inputs: [join(build, "core.wasm")],
    },
  ]);
  const flags = [...machine, "-D_GNU_SOURCE"];
  objects.push(...(await compileApplication({ root, out, cc, nm, application, flags })));
  const folder = applicationFolder(out, application);
  const file = join(folder, name);
  const own = `${file}.${process.pid}`;
  await run(cc, [...machine, "-Wl,--gc-sections", "-Wl,-z,noexecstack", ...objects, "-o", own]);
  // The one before may be running.
  renameSync(own, file);
  const line = (await run(size, [file])).split("\n")[1] ?? "";
  const [text, data, bss] = line.trim().split(/\s+/).map(Number);
  return { name, folder, flashBytes: text + data, ramBytes: data + bss };
}
