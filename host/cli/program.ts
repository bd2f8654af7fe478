// SPDX-License-Identifier: BSD-3-Clause
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * What Node is started with, for a server that takes little memory. Garbage is short-lived: it is collected in small portions,
 * and the rest grows by a fifth at most between two collections. Most servers have little to do: V8's optimizing compiler, 10 MB,
 * is for functions that work seven times longer than by default, and one thread is enough for it. The program's first line and the examples of services say the same.
 */
export const nodeFlags: readonly string[] = [
  "--max-semi-space-size=2",
  "--interrupt-budget=1000000",
  "--heap-growing-percent=20",
  "--v8-pool-size=1",
];

/** A file of the build: beside the compiled program, or in build/ when the sources run directly. */
function built(fromBuild: string, fromSource: string): string {
  const places = [fromBuild, fromSource].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const place = places.find((candidate) => existsSync(candidate));
  if (place === undefined) throw new Error(`${fromSource} is missing; run npm run build`);
  return place;
}

/** The compiled `atmicro` program. */
export function atmicroProgram(): string {
  return built("./main.js", "../../build/host/cli/main.js");
}

/** The compiled program of the simulated device. */
export function deviceProgram(): string {
  return built("../../boards/sim/main.js", "../../build/boards/sim/main.js");
}
