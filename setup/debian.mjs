// SPDX-License-Identifier: BSD-3-Clause
import { spawnSync } from "node:child_process";

const say = (text) => process.stderr.write(`atmicro: ${text}\n`);

const isThere = (program) => spawnSync("which", [program], { stdio: "ignore" }).status === 0;

/**
 * Makes sure that a program of a Debian package is there: installs the package when it can (root, apt-get), otherwise
 * says in one sentence what is left out. True when the program is there. No service of the package is started.
 */
export function ensureDebianProgram(program, packageName, without) {
  if (isThere(program)) return true;
  if (process.getuid?.() !== 0 || !isThere("apt-get")) {
    say(`${program} is missing (apt-get install ${packageName}): ${without}.`);
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
  if (done.status === 0 && isThere(program)) return true;
  const reason = done.stderr.trim().split("\n").at(-1) ?? "";
  say(`${packageName} could not be installed (${reason}): ${without}.`);
  return false;
}
