// SPDX-License-Identifier: BSD-3-Clause
// node boards/build.mjs <board> [--program <file.c>] [--variant <name>]
// Builds a board's firmware into build/<board>/; with --program a test program on the board's files instead, with
// --variant (posix: sanitized, narrow) the same with other compiler flags into a folder of its own.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BuildFailure } from "./make/failure.mjs";
import { buildPosix } from "./make/posix.mjs";
import { buildRp2040 } from "./make/rp2040.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

const BOARDS = { posix: buildPosix, rp2040: buildRp2040 };

/** Builds the board's firmware or a test program; { name, folder, flashBytes, ramBytes }. Throws BuildFailure. */
export async function buildBoard(name, program = null, variant = "plain") {
  const build = BOARDS[name];
  if (!build) {
    throw new BuildFailure(`no board ${name}; there are: ${Object.keys(BOARDS).join(", ")}`);
  }
  const board = JSON.parse(readFileSync(join(root, "boards", name, "board.json"), "utf8"));
  return build({ root, board, program: program && resolve(program), variant });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { program: { type: "string" }, variant: { type: "string" } },
    });
    const built = await buildBoard(positionals[0], values.program ?? null, values.variant);
    process.stdout.write(
      `${built.name}: ${built.flashBytes} bytes of flash, ${built.ramBytes} bytes of RAM without stack, in ${built.folder}\n`,
    );
  } catch (error) {
    if (!(error instanceof BuildFailure)) throw error;
    process.stderr.write(`atmicro: ${error.message}\n`);
    process.exitCode = 1;
  }
}
