// SPDX-License-Identifier: BSD-3-Clause
// core.wasm against the interpreter's limits and the boards' value stacks, and the tell-tale that its build ends by.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import posix from "../../boards/posix/board.json" with { type: "json" };
import rv32 from "../../boards/qemu-rv32/board.json" with { type: "json" };
import rp2040 from "../../boards/rp2040/board.json" with { type: "json" };
import sim from "../../boards/simulated/board.json" with { type: "json" };
import {
  expectNoneTwice,
  limits,
  describe as line,
  PROGRAM,
  UnfitModule,
  used,
} from "../figures/margins.mjs";
import { I32, I64, type ModuleParts, op, wasmModule } from "./wasmBytes.ts";

const CORE = fileURLToPath(new URL("../../build/core.wasm", import.meta.url));
const STACKS = {
  rp2040: rp2040.interpreter.stack,
  "qemu-rv32": rv32.interpreter.stack,
  posix: posix.interpreter.stack,
  sim: sim.wasm3StackBytes,
};

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-margins-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function moduleOf(parts: ModuleParts): string {
  const path = join(folder, "module.wasm");
  writeFileSync(path, wasmModule(parts));
  return path;
}

describe.skipIf(!existsSync(PROGRAM))("core.wasm", () => {
  it("keeps within the limits, on the value stack of every board", () => {
    const use = used(CORE);
    console.log(line(CORE, use));
    for (const [name, limit] of Object.entries(limits())) {
      const most = use[name as keyof ReturnType<typeof limits>];
      expect(most, name).toBeLessThan(limit);
    }
    for (const [board, bytes] of Object.entries(STACKS)) {
      console.log(`${board}: ${use.valueStackBytes} of ${bytes} bytes of value stack`);
      expect(use.valueStackBytes, board).toBeLessThanOrEqual(bytes);
    }
  });

  it("has no i64 local that is set while it lies on the operand stack twice", () => {
    expect(() => expectNoneTwice(CORE, used(CORE))).not.toThrow();
  });
});

describe.skipIf(!existsSync(PROGRAM))("the figures of a module", () => {
  const wide = { params: [I64], results: [I64] };

  it("tell when an i64 local is set while it lies on the operand stack twice", () => {
    const twice = [...op.get(0), ...op.get(0), ...op.i64(1), 0x21, 0, op.add64];
    const once = [...op.get(0), ...op.i64(1), 0x21, 0];
    const path = moduleOf({
      functions: [
        { ...wide, body: once },
        { ...wide, body: twice },
      ],
    });
    const use = used(path);
    expect(use.preservedTwice).toEqual([1]);
    expect(() => expectNoneTwice(path, use)).toThrow(UnfitModule);
  });

  it("are those of its deepest chain of calls", () => {
    const unary = { params: [I32], results: [I32] };
    const path = moduleOf({
      imports: [{ module: "hal", name: "log", params: [I32] }],
      functions: [
        { ...unary, body: [...op.get(0), ...op.call(0), ...op.get(0)] },
        { ...unary, body: [...op.get(0), ...op.call(1)] },
        { ...unary, body: [0x02, 0x40, 0x03, 0x40, 0x0b, 0x0b, ...op.get(0)] },
      ],
    });
    const { callDepth, blockNesting, brTable, functions } = used(path);
    expect({ callDepth, blockNesting, brTable, functions }).toEqual({
      callDepth: 3,
      blockNesting: 2,
      brTable: 0,
      functions: 3,
    });
  });

  it("are refused of a module with recursion, or one that does not compile", () => {
    const recursive = moduleOf({ functions: [{ body: op.call(1) }, { body: op.call(0) }] });
    expect(() => used(recursive)).toThrow("calls itself");
    const float = moduleOf({ functions: [{ body: [...op.f32, op.drop] }] });
    expect(() => used(float)).toThrow("module.wasm does not compile under wasm3: no operation");
  });
});
