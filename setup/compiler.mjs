// SPDX-License-Identifier: BSD-3-Clause
import { spawnSync } from "node:child_process";

/** The C compiler: $CC or cc; null when it does not run. */
export function compiler() {
  const cc = process.env.CC ?? "cc";
  return spawnSync(cc, ["--version"], { stdio: "ignore" }).status === 0 ? cc : null;
}

/** Whether the C compiler makes programs of 32 bits for this machine, and has their library. */
export function compiles32Bit(cc) {
  const flags = ["-m32", "-x", "c", "-", "-o", "/dev/null"];
  const input = '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n';
  return spawnSync(cc, flags, { input, stdio: ["pipe", "ignore", "ignore"] }).status === 0;
}
