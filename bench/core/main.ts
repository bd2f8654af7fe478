// SPDX-License-Identifier: BSD-3-Clause
// `npm run bench`: the core's operations under wasm3 and V8 with node:crypto beside them, and wasm3's memory.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FileStore } from "../../device/js/store.ts";
import { writeTables } from "../readme.ts";
import { cases } from "./cases.ts";
import { coreWasm, openCore } from "./engines.ts";
import { measure } from "./measure.ts";
import { type MemoryFigure, measureMemory } from "./processMemory.ts";

/** One operation on three engines, microseconds a call. */
type Row = {
  readonly name: string;
  readonly wasm3Us: number;
  readonly v8Us: number;
  readonly nodeCryptoUs: number;
};

type Results = {
  readonly machine: string;
  readonly node: string;
  readonly command: "npm run bench";
  readonly coreSha256: string;
  readonly coreBytes: number;
  readonly operations: readonly Row[];
  readonly memory: readonly MemoryFigure[];
};

const RESULTS = fileURLToPath(new URL("../../../bench/results/core.json", import.meta.url));

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const rounded = (value: number): number => Number(value.toPrecision(3));

async function measureOperations(folder: string): Promise<Row[]> {
  const store = new FileStore(join(folder, "store"));
  const wasm3 = await openCore("wasm3", store);
  const v8 = await openCore("v8", store);
  const rows = cases.map(({ name, core, node }) => {
    say(`measuring ${name} …`);
    return {
      name,
      wasm3Us: rounded(measure(core(wasm3)).microseconds),
      v8Us: rounded(measure(core(v8)).microseconds),
      nodeCryptoUs: rounded(measure(node()).microseconds),
    };
  });
  wasm3.close();
  v8.close();
  return rows;
}

function table({ coreBytes, operations, memory }: Results): string[] {
  const cell = (text: string | number): string => String(text).padStart(14);
  const line = (name: string, cells: (string | number)[]): string =>
    name.padEnd(30) + cells.map(cell).join("");
  return [
    line("operation, µs", ["wasm3", "V8", "node:crypto", "wasm3/V8"]),
    ...operations.map((row) =>
      line(row.name, [row.wasm3Us, row.v8Us, row.nodeCryptoUs, rounded(row.wasm3Us / row.v8Us)]),
    ),
    "",
    line("core.wasm, bytes", [coreBytes]),
    ...memory.map((figure) => line(`wasm3 heap ${figure.phase}, bytes`, [figure.wasm3HeapBytes])),
  ];
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "atmicro-bench-"));
  try {
    const operations = await measureOperations(folder);
    say("measuring the memory of a device at work …");
    const results: Results = {
      machine: `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, ${process.platform} ${process.arch}`,
      node: process.version,
      command: "npm run bench",
      coreSha256: createHash("sha256").update(coreWasm).digest("hex"),
      coreBytes: coreWasm.length,
      operations,
      memory: await measureMemory(folder),
    };
    mkdirSync(fileURLToPath(new URL("../../../bench/results", import.meta.url)), {
      recursive: true,
    });
    writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
    for (const line of table(results)) process.stdout.write(`${line}\n`);
    writeTables();
    say(`written to ${RESULTS} and the READMEs`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
