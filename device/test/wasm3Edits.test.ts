// SPDX-License-Identifier: BSD-3-Clause
// The build checks: an edit that does not fit, and operations that could not run threaded, end the build.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { prepareWasm3, Wasm3Unusable } from "../wasm3/prepare.mjs";
import { Source, SourceDiffers } from "../wasm3/source.mjs";
import { BadOperations, declareOperations, finishOperations } from "../wasm3/thumb.mjs";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "atmicro-edits-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("an edit", () => {
  const source = (text: string) => {
    writeFileSync(join(folder, "a.c"), text);
    return new Source(folder, "a.c");
  };

  it("replaces text that stands once, and parts between two texts", () => {
    source("one two three four").replace("two", "2").cut("three", " four", "3").save();
    expect(readFileSync(join(folder, "a.c"), "utf8")).toBe("one 2 3 four");
    source("a b c").cutRest("b", "z").replaceAll("a", "y").save();
    expect(readFileSync(join(folder, "a.c"), "utf8")).toBe("y z");
  });

  it.each([
    ["of text that is not there", (s: Source) => s.replace("x", "y")],
    ["of text that stands twice", (s: Source) => s.replace("a", "y")],
    ["whose end is not there", (s: Source) => s.cut("b", "x")],
    ["of every text, of none", (s: Source) => s.replaceAll("x", "y")],
  ])("%s is refused", (_, edit) => {
    expect(() => edit(source("a b a"))).toThrow(SourceDiffers);
  });
});

describe("the preparation", () => {
  it("says so when WASM3_DIR holds no wasm3", () => {
    const before = process.env.WASM3_DIR;
    process.env.WASM3_DIR = folder;
    try {
      expect(() => prepareWasm3(join(folder, "out"))).toThrow(Wasm3Unusable);
      expect(() => prepareWasm3(join(folder, "out"))).toThrow(`no wasm3 source in ${folder}`);
    } finally {
      if (before === undefined) delete process.env.WASM3_DIR;
      else process.env.WASM3_DIR = before;
    }
  });
});

describe("the operations for Thumb-1", () => {
  const operation = (...lines: string[]) =>
    ["op_A:", ...lines, "\tbx\tlr", "\t.size\top_A, .-op_A", ""].join("\n");

  it("end by the jump to the next one", () => {
    expect(finishOperations(operation("\tmovs\tr6, #0"))).toBe(
      "op_A:\n\tmovs\tr6, #0\n\tldmia\tr4!, {r3}\n\tbx\tr3\n\t.size\top_A, .-op_A\n",
    );
    const calling = "op_B:\n\tpush\t{lr}\n\tbl\tmemset\n\tpop\t{r0, pc}\n";
    expect(finishOperations(calling)).toBe(calling);
  });

  it.each([
    ["nests another's frame", operation("\tbl\top_B")],
    ["branches into another", operation("\tbeq\top_B")],
    ["leaves by a register", operation("\tbx\tr3")],
    ["is no operation", "helper:\n\tbx\tlr\n"],
    ["does not end", "op_A:\n\tmovs\tr0, #0\n"],
    ["there is none", ""],
  ])("are refused when one %s", (_, assembly) => {
    expect(() => finishOperations(assembly)).toThrow(BadOperations);
  });

  it("are declared once each", () => {
    const text = "void op_A (void)\n{\n return; }\nvoid op_B (void) { } extern void op_A (void);";
    expect(declareOperations(text)).toBe("void op_A (void);\nvoid op_B (void);\n");
  });
});
