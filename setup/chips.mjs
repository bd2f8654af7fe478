// SPDX-License-Identifier: BSD-3-Clause
// The suites of the primitives and codecs on the emulated chips: core.wasm under the interpreter as compiled for them.
//   npm run test:chips [-- chip ...]
import { fileURLToPath } from "node:url";
import { buildProbe } from "../boards/build.mjs";
import { BuildFailure } from "../boards/make/failure.mjs";
import { ensureDebianProgram } from "./debian/packages.mjs";
import { ensure, fail } from "./ensure.mjs";
import { runNode } from "./runNode.mjs";

const QEMU = "qemu-system-riscv32";
const PUBLIC_KEY = ["ecdsa", "rsa", "pkcs1"];
const CODEC = [
  "base64",
  "der",
  "json",
  "words",
  "line",
  "metadata",
  "atkey",
  "request",
  "response",
];

/** What runs on which board; `engine` is the name in core/test/engine/chip.ts, `short` for the runs of every day. */
const CHIPS = {
  rv32: { board: "qemu-rv32", short: true, suites: ["sha", "hmac", "aes", "drbg", "p256", "ecdh"] },
  rp2040: { board: "rp2040", short: true, suites: ["hmac", "aes", "drbg", "p256", "words"] },
  rv32Accelerated: { board: "qemu-rv32", short: true, suites: ["hmac", "aes"] },
  rp2040Accelerated: { board: "rp2040", short: true, suites: ["hmac", "aes"] },
  rv32Codecs: { board: "qemu-rv32", engine: "rv32", suites: CODEC },
  rp2040Codecs: { board: "rp2040", engine: "rp2040", suites: CODEC },
  rv32Sessions: { board: "qemu-rv32", engine: "rv32Accelerated", suites: ["authenticity"] },
  rv32PublicKey: { board: "qemu-rv32", engine: "rv32", suites: [...PUBLIC_KEY, "accelerator"] },
  rp2040PublicKey: { board: "rp2040", engine: "rp2040", suites: [...PUBLIC_KEY, "accelerator"] },
};

const SHORT = Object.keys(CHIPS).filter((name) => CHIPS[name].short);

/** Builds a chip's probe and runs its suites; the exit code. */
async function runChip(name) {
  const chip = CHIPS[name];
  if (!chip) fail(`there is no chip ${name}; there are: ${Object.keys(CHIPS).join(", ")}`);
  const isQemu = chip.board === "qemu-rv32";
  if (isQemu && !ensureDebianProgram(QEMU, "qemu-system-misc", `${name} is left out`)) return 0;
  try {
    await buildProbe(chip.board);
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    fail(error.message);
  }
  process.env.ATMICRO_ENGINES = chip.engine ?? name;
  const files = chip.suites.map((suite) => `core/test/${suite}.test.ts`);
  return runNode(["node_modules/vitest/vitest.mjs", "run", "--testTimeout=240000", ...files]);
}

/** Runs the suites on the chips named; the exit code of the first that failed. */
export async function testChips(names = SHORT) {
  for (const name of names) {
    const failed = await runChip(name);
    if (failed) return failed;
  }
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  ensure();
  const names = process.argv.slice(2);
  process.exitCode = await testChips(names.length > 0 ? names : Object.keys(CHIPS));
}
