// SPDX-License-Identifier: BSD-3-Clause
// node boards/build.mjs <board> [--app <file.c or folder>] [--program <file.c>] [--variant <name>] [--probe]
// Builds a board's firmware into build/<board>/; with --app another application than the greenhouse, from anywhere, into
// apps/<its name>/ there; with --program a test program on the board's files instead, with --variant (posix: sanitized,
// narrow) the same with other compiler flags into a folder of its own, with --probe the program that lends the
// interpreter to the tests (device/probe/probe.c).
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BuildFailure } from "./make/failure.mjs";
import { oneAtATime } from "./make/oneAtATime.mjs";
import { buildPosix } from "./make/posix.mjs";
import { buildQemuRv32, buildQemuRv32Probe } from "./make/qemuRv32.mjs";
import { buildRp2040 } from "./make/rp2040.mjs";
import { buildRp2040Probe } from "./make/rp2040Probe.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

const LOCK = join(root, "build", ".boards.lock");
const FIRMWARE = { posix: buildPosix, "qemu-rv32": buildQemuRv32, rp2040: buildRp2040 };
const PROBES = { "qemu-rv32": buildQemuRv32Probe, rp2040: buildRp2040Probe };

function boardOf(name) {
  return JSON.parse(readFileSync(join(root, "boards", name, "board.json"), "utf8"));
}

function builder(builders, name) {
  const build = builders[name];
  if (build) return build;
  throw new BuildFailure(`no board ${name}; there are: ${Object.keys(builders).join(", ")}`);
}

/**
 * Builds the board's firmware or a test program; { name, folder, flashBytes, ramBytes }. Rejects with BuildFailure.
 * @param {string} name
 * @param {{ program?: string, variant?: string, app?: string }} what
 */
export async function buildBoard(name, { program, variant = "plain", app } = {}) {
  const build = builder(FIRMWARE, name);
  const settings = { root, board: boardOf(name), program: program && resolve(program), variant };
  return oneAtATime(LOCK, () => build({ ...settings, app }));
}

/** Builds the probe for the board; as buildBoard. */
export async function buildProbe(name) {
  const build = builder(PROBES, name);
  return oneAtATime(LOCK, () => build({ root, board: boardOf(name) }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        app: { type: "string" },
        program: { type: "string" },
        variant: { type: "string" },
        probe: { type: "boolean" },
      },
    });
    const [name = ""] = positionals;
    const { probe, ...what } = values;
    const built = probe ? await buildProbe(name) : await buildBoard(name, what);
    process.stdout.write(
      `${built.name}: ${built.flashBytes} bytes of flash, ${built.ramBytes} bytes of RAM without stack, in ${built.folder}\n`,
    );
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    process.stderr.write(`atmicro: ${error.message}\n`);
    process.exitCode = 1;
  }
}
