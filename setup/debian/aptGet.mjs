// SPDX-License-Identifier: BSD-3-Clause
// The one place that calls Debian's package tool.
import { spawnSync } from "node:child_process";

/** Longest wait for another installation on this machine, s. */
const LOCK_SECONDS = 600;

/** How a person installs the packages. */
export const byHand = (packages) => `apt-get install ${packages.join(" ")}`;

/** Whether packages can be installed here: root on a system with apt-get. */
export function mayInstall() {
  return (
    process.getuid?.() === 0 &&
    spawnSync("apt-get", ["--version"], { stdio: "ignore" }).status === 0
  );
}

/**
 * Runs apt-get without questions; no service of a package is started. Gives undefined when it did what it was asked, else
 * the last line of what it complained of. `options` are those of spawnSync.
 */
export function aptGet(args, options = {}) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1", ...options.env };
  const lock = ["-o", `DPkg::Lock::Timeout=${LOCK_SECONDS}`];
  const done = spawnSync("apt-get", ["-qq", ...lock, ...args], {
    encoding: "utf8",
    ...options,
    env,
  });
  if (done.status === 0) return undefined;
  return done.error?.message ?? done.stderr.trim().split("\n").at(-1) ?? `status ${done.status}`;
}

/** Installs packages, with fresh package lists where the old ones don't do; answers as `aptGet`. */
export function install(packages) {
  process.stderr.write(`atmicro: installing ${packages.join(" ")} with apt-get …\n`);
  const args = ["install", "-y", "--no-install-recommends", ...packages];
  if (aptGet(args) === undefined) return undefined;
  aptGet(["update"]);
  return aptGet(args);
}
