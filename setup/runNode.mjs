// SPDX-License-Identifier: BSD-3-Clause
import { spawn } from "node:child_process";
import { root } from "./ensure.mjs";

/** Runs a Node program in this terminal, hands it our signals, and ends as it ends. */
export function runNode(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: "inherit" });
  // The terminal already sends Ctrl-C to the whole group; a signal sent to this process alone is passed on.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve) => {
    child.on("error", () => resolve(1));
    child.on("exit", (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}
