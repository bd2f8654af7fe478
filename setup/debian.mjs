// SPDX-License-Identifier: BSD-3-Clause
import { spawnSync } from "node:child_process";

const say = (text) => process.stderr.write(`atmicro: ${text}\n`);

const isThere = (program) => spawnSync("which", [program], { stdio: "ignore" }).status === 0;

/**
 * Makes sure that what a Debian package brings is there, as `found` tells: installs the package when it can (root, apt-get),
 * otherwise says in one sentence what is left out. True when it is there. No service of the package is started.
 */
export function ensureDebianPackage(packageName, what, found, without) {
  if (found()) return true;
  if (process.getuid?.() !== 0 || !isThere("apt-get")) {
    say(`${what} is missing (apt-get install ${packageName}): ${without}.`);
    return false;
  }
  say(`installing ${packageName} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const install = ["install", "-y", "-qq", "--no-install-recommends", packageName];
  const apt = (args) => spawnSync("apt-get", args, { encoding: "utf8", env });
  let done = apt(install);
  if (done.status !== 0) {
    apt(["update", "-qq"]);
    done = apt(install);
  }
  if (done.status === 0 && found()) return true;
  const reason = done.stderr.trim().split("\n").at(-1) ?? "";
  say(`${packageName} could not be installed (${reason}): ${without}.`);
  return false;
}

/** The same for a program on the path. */
export function ensureDebianProgram(program, packageName, without) {
  return ensureDebianPackage(packageName, program, () => isThere(program), without);
}

/** Whether the C compiler makes programs of 32 bits for this machine, and has their library. */
export function compiles32Bit(cc) {
  const flags = ["-m32", "-x", "c", "-", "-o", "/dev/null"];
  const input = '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n';
  return spawnSync(cc, flags, { input, stdio: ["pipe", "ignore", "ignore"] }).status === 0;
}
