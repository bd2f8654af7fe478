// SPDX-License-Identifier: BSD-3-Clause
// Programs that tests and benchmarks need beside Node: found, installed, or left out with a sentence.
import { spawnSync } from "node:child_process";
import { byHand, install, mayInstall } from "./aptGet.mjs";

/** What was left out since the program began, a sentence each. */
export const leftOut = [];

const isThere = (program) => spawnSync("which", [program], { stdio: "ignore" }).status === 0;

/** In CI nothing may be left out: the run ends. */
function leaveOut(sentence) {
  process.stderr.write(`atmicro: ${sentence}\n`);
  if (process.env.CI) {
    process.stderr.write("atmicro: with CI set nothing may be left out.\n");
    process.exit(1);
  }
  leftOut.push(sentence);
  return false;
}

/**
 * Makes sure that what a Debian package brings is there, as `found` tells: installs the package when it can (root, apt-get),
 * otherwise says in one sentence what is left out, and where CI is set ends the program. True when it is there.
 */
export function ensureDebianPackage(packageName, what, found, without) {
  if (found()) return true;
  if (!mayInstall()) {
    return leaveOut(`${what} is missing (${byHand([packageName])}): ${without}.`);
  }
  const reason = install([packageName]);
  if (reason === undefined && found()) return true;
  return leaveOut(
    `${packageName} could not be installed (${reason ?? "it lacks it"}): ${without}.`,
  );
}

/** The same for a program on the path. */
export function ensureDebianProgram(program, packageName, without) {
  return ensureDebianPackage(packageName, program, () => isThere(program), without);
}
