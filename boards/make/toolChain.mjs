// SPDX-License-Identifier: BSD-3-Clause
// Finds a compiler; as root on Debian installs a missing one, else says how.
import { spawnSync } from "node:child_process";
import { byHand, install, mayInstall } from "../../setup/debian/aptGet.mjs";
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

/**
 * The compiler and binutils of a tool chain: { cc, objcopy, nm, size }, names to be run. Throws BuildFailure.
 * @param {keyof typeof TOOL_CHAINS} name
 */
export function toolChain(name) {
  const { prefix, packages } = TOOL_CHAINS[name];
  const cc = name === "native" ? (process.env.CC ?? "cc") : `${prefix}gcc`;
  if (!runs(cc)) {
    if (!mayInstall()) {
      throw new BuildFailure(
        `${cc} is missing; install it, on Debian with: sudo ${byHand(packages)}`,
      );
    }
    const reason = install(packages);
    if (reason !== undefined) {
      throw new BuildFailure(`apt-get could not install ${packages.join(" ")}: ${reason}`);
    }
  }
  const tool = (word) => `${prefix}${word}`;
  return { cc, objcopy: tool("objcopy"), nm: tool("nm"), size: tool("size") };
}
