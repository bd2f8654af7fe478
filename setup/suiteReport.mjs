// SPDX-License-Identifier: BSD-3-Clause
// A reporter of vitest beside its own: the slowest files, and the tests that were left out.
import { relative } from "node:path";

const SLOWEST = 10;

/** Name of a file as it stands in the tree. */
const nameOf = ({ moduleId }) => relative(process.cwd(), moduleId);

/** Tests of a file that were skipped, with the reason where one was given. */
function skippedOf(module) {
  return [...module.children.allTests("skipped")].map((test) => {
    const note = test.result().note;
    return `${nameOf(module)}: ${test.fullName}${note ? ` (${note})` : ""}`;
  });
}

export default class SuiteReport {
  onTestRunEnd(modules) {
    // Naming tests is for those who work on them.
    if (modules.length <= SLOWEST) return;
    const slowest = [...modules]
      .sort((a, b) => b.diagnostic().duration - a.diagnostic().duration)
      .slice(0, SLOWEST)
      .map(
        (module) =>
          `  ${(module.diagnostic().duration / 1000).toFixed(1).padStart(6)} s  ${nameOf(module)}`,
      );
    process.stdout.write(`\nThe slowest files:\n${slowest.join("\n")}\n`);
    const skipped = modules.flatMap(skippedOf);
    if (skipped.length === 0) return;
    process.stdout.write(`\nLeft out, ${skipped.length}:\n  ${skipped.join("\n  ")}\n`);
    if (process.env.CI) {
      process.stdout.write("With CI set nothing may be left out: the run fails.\n");
      process.exitCode = 1;
    }
  }
}
