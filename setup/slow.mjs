// SPDX-License-Identifier: BSD-3-Clause
import { ensure } from "./ensure.mjs";
import { runNode } from "./runNode.mjs";

process.env.ATMICRO_SLOW = "1";
ensure();
process.exitCode = await runNode([
  "node_modules/vitest/vitest.mjs",
  "run",
  "--no-file-parallelism",
  ...process.argv.slice(2),
]);
