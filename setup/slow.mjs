// SPDX-License-Identifier: BSD-3-Clause
import { ensureDebianProgram } from "./debian/packages.mjs";
import { ensure } from "./ensure.mjs";
import { runNode } from "./runNode.mjs";

process.env.ATMICRO_SLOW = "1";
ensure();
ensureDebianProgram("redis-server", "redis-server", "the tests of Redis are left out");
process.exitCode = await runNode([
  "node_modules/vitest/vitest.mjs",
  "run",
  "--no-file-parallelism",
  ...process.argv.slice(2),
]);
