// SPDX-License-Identifier: BSD-3-Clause
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSeed } from "../../host/test/random.ts";
import { ownFlags } from "../node/build.mjs";
import { prepareWasm3 } from "../wasm3/prepare.mjs";
import { randomModule } from "./modules/randomModule.ts";
import { moduleBytes } from "./modules/tree.ts";
import { I32, I64, type ModuleParts, op, wasmModule } from "./wasmBytes.ts";

const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));
let folder = "";

function cc(args: readonly string[]): void {
  const done = spawnSync(process.env.CC ?? "cc", args, { cwd: folder, encoding: "utf8" });
  expect(`${done.stdout}${done.stderr}`).toBe("");
  expect(done.status).toBe(0);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-sanitizer-"));
  const wasm3 = prepareWasm3(join(folder, "wasm3"));
  const fatal = "-fno-sanitize-recover=all";
  const common = ["-c", "-g", "-O2", "-std=gnu99", "-fno-omit-frame-pointer", "-fsanitize=address"];
  // Of undefined behaviour wasm3 itself does not claim to be free; but no table may be left.
  cc([...common, "-fsanitize=bounds", fatal, ...wasm3.flags, ...wasm3.units]);
  const undefinedBehaviour = ["-fsanitize=undefined", fatal];
  const own = ["../node/heap.c", "../node/instance.c", "./harness.c"].map(source);
  const include = ["-I", source("../node")];
  cc([...common, ...undefinedBehaviour, ...ownFlags(wasm3.folder), ...include, ...own]);
  const objects = readdirSync(folder).filter((name) => name.endsWith(".o"));
  cc(["-fsanitize=address,undefined", "-o", "harness", ...objects]);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the harness prints for each module; it must find nothing and leak nothing. */
function runHarness(modules: readonly Uint8Array[]): string[] {
  const files = modules.map((bytes, i) => {
    writeFileSync(join(folder, `${i}.wasm`), bytes);
    return `${i}.wasm`;
  });
  const done = spawnSync("./harness", files, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, ASAN_OPTIONS: "detect_leaks=1:abort_on_error=0" },
  });
  expect(done.stderr).toBe("");
  expect(done.status).toBe(0);
  return done.stdout.split("\n").slice(0, -1);
}

const runs = (body: readonly number[], more: ModuleParts = {}) =>
  wasmModule({ functions: [{ results: [I32], export: "run", body }], ...more });

const hostModule = wasmModule({
  imports: [{ module: "env", name: "host" }],
  functions: [{ export: "run", body: op.call(0) }],
  data: [{ at: 4000, bytes: [1, 2, 3] }],
});

describe("the binding's C under the sanitizers", () => {
  it("returns, traps and refuses without an error or a leak", () => {
    expect(
      runHarness([
        runs(op.i32(42)),
        runs([op.unreachable]),
        runs(op.call(0)),
        runs([...op.i32(4096), ...op.load8]),
        runs([...op.f32, op.f32Neg, op.drop, ...op.i32(1)]),
        hostModule,
        wasmModule({ imports: [{ module: "env", name: "other" }] }),
        wasmModule({ imports: [{ module: "env", name: "host", params: [I32] }] }),
        wasmModule({ data: [{ at: 4094, bytes: [1, 2, 3] }] }),
        wasmModule({ importedMemory: true }),
        new Uint8Array(),
        new Uint8Array(65_537),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "compiled; result 42; 4096 bytes, sum 0",
        "compiled; run: [trap] unreachable executed; 4096 bytes, sum 0",
        "compiled; run: [trap] call depth exceeded; 4096 bytes, sum 0",
        "compiled; run: [trap] out of bounds memory access; 4096 bytes, sum 0",
        "function 0 cannot be compiled: no operation found for opcode; run cannot be compiled: no operation found for opcode; 4096 bytes, sum 0",
        "compiled; run: the host has had enough; 4096 bytes, sum 6",
        "the module imports env.other, which was not offered",
        "import env.host offered as v(): function signature mismatch",
        "the module cannot be loaded: data segment out of bounds",
        "the module cannot be loaded: it imports its memory",
        "the module cannot be read: underrun while parsing Wasm binary",
        "the module is longer than 65536 bytes",
      ]
    `);
  });

  it("never leaves the value stack, whatever the frames", () => {
    // Ten arguments, as many locals as there are, and again.
    const overflowing = (locals: number, indirect: boolean) => {
      const params = Array(10).fill(I64);
      const call = indirect ? [...op.i32(0), 0x11, 0, 0] : op.call(0);
      const args = params.flatMap((_, i) => op.get(i));
      const numbers = params.flatMap(() => op.i64(-1));
      return wasmModule({
        types: [{ params, results: [I32] }],
        functions: [
          { params, results: [I32], locals: Array(locals).fill(I32), body: [...args, ...call] },
          { results: [I32], export: "run", body: [...numbers, ...op.call(0)] },
        ],
        table: [0],
      });
    };
    const locals = Array.from({ length: 64 }, (_, i) => 40 + i);
    const modules = locals.flatMap((count) => [
      overflowing(count, false),
      overflowing(count, true),
    ]);
    expect(new Set(runHarness(modules))).toEqual(
      new Set(["compiled; run: [trap] value stack overflow; 4096 bytes, sum 0"]),
    );
  });

  it("never leaves the value stack for the arguments and the result of an import", () => {
    const type = { params: Array(7).fill(I64), results: [I64] };
    const args = type.params.flatMap((_, i) => op.get(i));
    const modules = Array.from({ length: 64 }, (_, count) => {
      const locals = Array(40 + count).fill(I32);
      const body = [...args, ...op.call(0), op.drop, ...args, ...op.call(1)];
      const numbers = type.params.flatMap(() => op.i64(-1));
      return wasmModule({
        imports: [{ module: "env", name: "last", ...type }],
        functions: [
          { ...type, locals, body },
          { ...type, params: [], export: "run", body: [...numbers, ...op.call(1)] },
        ],
      });
    });
    expect(new Set(runHarness(modules))).toEqual(
      new Set(["compiled; run: [trap] value stack overflow; 4096 bytes, sum 0"]),
    );
  });

  it.each([
    [150, "usual", undefined],
    [50, "large", { nodes: 400, depth: 14, params: 30, locals: 90 }],
  ])("compiles and runs %i %s random modules without an error", (count, _, shape) => {
    const seed = newSeed();
    console.log(`sanitized modules: ATMICRO_SEED=${seed}`);
    const modules = Array.from({ length: count }, (_, i) =>
      moduleBytes(randomModule(seed + i, 2, shape)),
    );
    expect(runHarness(modules)).toHaveLength(modules.length);
  });

  it("survives a module cut at every byte", () => {
    const cuts = Array.from({ length: hostModule.length }, (_, len) => hostModule.subarray(0, len));
    expect(runHarness(cuts)).toHaveLength(hostModule.length);
  });
});
