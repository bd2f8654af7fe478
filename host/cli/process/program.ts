// SPDX-License-Identifier: BSD-3-Clause
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

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
  return built("../main.js", "../../../build/host/cli/main.js");
}

/** The compiled program of the simulated device. */
export function deviceProgram(): string {
  return built("../../../boards/simulated/main.js", "../../../build/boards/simulated/main.js");
}
