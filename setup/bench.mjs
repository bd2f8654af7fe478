// SPDX-License-Identifier: BSD-3-Clause
// npm run bench, bench:device, bench:memory, bench:server: builds what is measured and runs the benchmark named, of the
// core when none is.
import { buildBoard, buildProbe } from "../boards/build.mjs";
import { BuildFailure } from "../boards/make/failure.mjs";
import { ensureDebianProgram } from "./debian/packages.mjs";
import { ensure, fail } from "./ensure.mjs";
import { runNode } from "./runNode.mjs";

async function building(build) {
  try {
    await build();
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    fail(error.message);
  }
}

const buildFirmware = () => building(() => buildBoard("rp2040"));

async function buildChips() {
  ensureDebianProgram("qemu-system-riscv32", "qemu-system-misc", "RV32 can't be measured");
  await buildFirmware();
  for (const board of ["rp2040", "qemu-rv32"]) await building(() => buildProbe(board));
}

function installPeers() {
  for (const program of ["mosquitto", "redis-server"]) {
    ensureDebianProgram(program, program, "its row is left out");
  }
}

const BENCHMARKS = {
  core: { program: "core/main.js", prepare: () => {} },
  device: { program: "device/main.js", prepare: buildChips },
  memory: { program: "memory/main.js", prepare: buildFirmware },
  server: { program: "server/main.js", prepare: installPeers },
};

const [name = "core", ...args] = process.argv.slice(2);
const benchmark = BENCHMARKS[name];
if (!benchmark) fail(`no benchmark ${name}; there are: ${Object.keys(BENCHMARKS).join(", ")}`);
ensure();
await benchmark.prepare();
process.exitCode = await runNode([`build/bench/${benchmark.program}`, ...args]);
