// SPDX-License-Identifier: BSD-3-Clause
// The suites run on primitives.wasm, boards on core.wasm: what a board can reach has to be the same code in both.
import { readFileSync } from "node:fs";
import binaryen from "assemblyscript/binaryen";
import { expect, test } from "vitest";

type Module = { exports: Map<string, string>; bodies: Map<string, string[]>; data: string };

/** Functions by their name in the text, as tokens; what is exported, by name; and the data. */
function read(file: string): Module {
  const wasm = binaryen.readBinary(readFileSync(new URL(`../../build/${file}`, import.meta.url)));
  const text = wasm.emitText().replace(/\)\s*$/, "");
  const exported = text.matchAll(/\(export "([^"]+)" \(func (\S+)\)\)/g);
  const functions = text.split(/^ (?=\()/m).filter((part) => part.startsWith("(func "));
  const tokens = functions.map((part) => part.match(/[()]|[^\s()]+/g) ?? []);
  return {
    exports: new Map([...exported].map(([, name = "", target = ""]) => [name, target])),
    bodies: new Map(tokens.map((list) => [list[2] ?? "", list.slice(3)])),
    data: text.match(/^ \(data [^\n]*/gm)?.join("\n") ?? "",
  };
}

const NUMBERED = new Set(["call", "global.get", "global.set", "type"]);

test("what core.wasm exports is primitives.wasm's, function by function", () => {
  const [shipped, tested] = [read("core.wasm"), read("primitives.wasm")];
  /** What a number of the one module is in the other. */
  const same = new Map<string, string>();
  const waiting: [string, string][] = [];
  const expectSame = (kind: string, a: string, b: string) => {
    const known = same.get(`${kind} ${a}`);
    expect(known ?? b, `${kind} ${a}`).toBe(b);
    if (known === undefined && kind === "call") waiting.push([a, b]);
    same.set(`${kind} ${a}`, b);
  };
  for (const [name, a] of shipped.exports) expectSame("call", a, tested.exports.get(name) ?? "");
  for (let pair = waiting.pop(); pair; pair = waiting.pop()) {
    const [a, b] = [shipped.bodies.get(pair[0]), tested.bodies.get(pair[1])];
    expect(a?.length, pair[0]).toBe(b?.length);
    a?.forEach((token, i) => {
      const kind = a[i - 1] ?? "";
      if (NUMBERED.has(kind)) expectSame(kind.replace(/\.set$/, ".get"), token, b?.[i] ?? "");
      else expect(token).toBe(b?.[i]);
    });
  }
  expect([...same.keys()].filter((key) => key.startsWith("call ")).length).toBeGreaterThan(300);
  expect(shipped.data).toBe(tested.data);
});
