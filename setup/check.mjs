// SPDX-License-Identifier: BSD-3-Clause
import { ensure } from "./ensure.mjs";
import { runNode } from "./runNode.mjs";

ensure();
const biome = await runNode(["node_modules/@biomejs/biome/bin/biome", "ci", "--colors=off", "."]);
const tsc = "node_modules/typescript/bin/tsc";
const types = await runNode([tsc, "-p", "tsconfig.test.json"]);
const scripts = await runNode([tsc, "-p", "tsconfig.scripts.json"]);
process.exitCode = biome || types || scripts;
