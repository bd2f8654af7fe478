// SPDX-License-Identifier: BSD-3-Clause
import { ensure } from "./ensure.mjs";
import { runNode } from "./runNode.mjs";

ensure();
const biome = await runNode(["node_modules/@biomejs/biome/bin/biome", "ci", "--colors=off", "."]);
const types = await runNode(["node_modules/typescript/bin/tsc", "-p", "tsconfig.test.json"]);
process.exitCode = biome || types;
