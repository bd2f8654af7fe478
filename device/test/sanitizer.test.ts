// SPDX-License-Identifier: BSD-3-Clause
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newSeed } from "../../host/test/random.ts";
import { LARGE, randomModule, USUAL } from "./modules/randomModule.ts";
import { moduleBytes } from "./modules/tree.ts";
import { SanitizedHarness } from "./sanitizedHarness.ts";
import { I32, I64, type ModuleParts, op, wasmModule } from "./wasmBytes.ts";

let harness: SanitizedHarness;
beforeAll(() => {
  harness = new SanitizedHarness();
}, 120_000);
afterAll(() => harness.close());

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
      harness.run([
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
    expect(new Set(harness.run(modules))).toEqual(
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
    expect(new Set(harness.run(modules))).toEqual(
      new Set(["compiled; run: [trap] value stack overflow; 4096 bytes, sum 0"]),
    );
  });

  it.each([
    [150, "usual", USUAL],
    [50, "large", LARGE],
  ])("compiles and runs %i %s random modules without an error", (count, _, shape) => {
    const seed = newSeed();
    console.log(`sanitized modules: ATMICRO_SEED=${seed}`);
    const modules = Array.from({ length: count }, (_, i) =>
      moduleBytes(randomModule(seed + i, 2, shape)),
    );
    expect(harness.run(modules)).toHaveLength(modules.length);
  });

  it("survives a module cut at every byte", () => {
    const cuts = Array.from({ length: hostModule.length }, (_, len) => hostModule.subarray(0, len));
    expect(harness.run(cuts)).toHaveLength(hostModule.length);
  });
});
