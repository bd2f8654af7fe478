// SPDX-License-Identifier: BSD-3-Clause
import { testChips } from "./chips.mjs";
import { compiler, compiles32Bit } from "./compiler.mjs";
import { ensureDebianPackage, ensureDebianProgram, leftOut } from "./debian/packages.mjs";
import { ensure, fail } from "./ensure.mjs";
import { runNode } from "./runNode.mjs";

const cc = compiler();
if (cc === null) fail("the tests need a C compiler; install gcc or clang, or set CC.");
ensure();
ensureDebianProgram("redis-server", "redis-server", "the tests of Redis are left out");
ensureDebianProgram("valgrind", "valgrind", "the device in C is not run under it");
if (process.arch === "x64") {
  const without = "the tests of the device in C in 32 bits are left out";
  ensureDebianPackage("gcc-multilib", "a compiler for 32 bits", () => compiles32Bit(cc), without);
}
// Once and before the tests that need it side by side: compilers and libraries are fetched here when they are missing.
if (process.argv.length === 2) await runNode(["boards/build.mjs", "rp2040"]);
ensureDebianProgram("qemu-system-riscv32", "qemu-system-misc", "the tests on RV32 are left out");
const checked = await runNode(["setup/check.mjs"]);
const tested = await runNode(["node_modules/vitest/vitest.mjs", "run", ...process.argv.slice(2)]);
// Naming tests is for those who work on them.
const onChips = process.argv.length > 2 ? 0 : await testChips();
process.exitCode = checked || tested || onChips;
if (leftOut.length > 0) process.stdout.write(`\nLeft out:\n  ${leftOut.join("\n  ")}\n`);
