// SPDX-License-Identifier: BSD-3-Clause
// Finds a compiler; as root on Debian installs a missing one, else says how.
import { spawnSync } from "node:child_process";
import { BuildFailure } from "./failure.mjs";

/** Tool chains by name: the command's prefix and the Debian packages that bring it. */
const TOOL_CHAINS = {
  native: { prefix: "", packages: ["gcc", "libc6-dev", "binutils"] },
  arm: { prefix: "arm-none-eabi-", packages: ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"] },
  riscv: {
    prefix: "riscv64-unknown-elf-",
    packages: ["gcc-riscv64-unknown-elf", "picolibc-riscv64-unknown-elf"],
  },
};

const runs = (command) => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;

function install(packages) {
  process.stderr.write(`atmicro: installing ${packages.join(" ")} with apt-get …\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const aptGet = (...args) => spawnSync("apt-get", ["-qq", ...args], { env, encoding: "utf8" });
  aptGet("update");
  const done = aptGet("install", "-y", "--no-install-recommends", ...packages);
  if (done.status !== 0) {
    throw new BuildFailure(
      `apt-get could not install ${packages.join(" ")}: ${done.stderr.trim()}`,
    );
  }
}

/** The compiler and binutils of a tool chain: { cc, objcopy, nm, size }, names to be run. */
export function toolChain(name) {
  const { prefix, packages } = TOOL_CHAINS[name];
  const cc = name === "native" ? (process.env.CC ?? "cc") : `${prefix}gcc`;
  if (!runs(cc)) {
    const mayInstall = process.getuid?.() === 0 && runs("apt-get");
    if (!mayInstall) {
      throw new BuildFailure(
        `${cc} is missing; install it, on Debian with: sudo apt-get install ${packages.join(" ")}`,
      );
    }
    install(packages);
  }
  const tool = (word) => `${prefix}${word}`;
  return { cc, objcopy: tool("objcopy"), nm: tool("nm"), size: tool("size") };
}
