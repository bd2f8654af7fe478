// SPDX-License-Identifier: BSD-3-Clause
import { ensure } from "./ensure.mjs";
import { runNode } from "./runNode.mjs";

ensure();
process.exitCode =
  (await runNode(["boards/build.mjs", "rp2040"])) ||
  (await runNode(["build/emulate/main.js", ...process.argv.slice(2)]));
