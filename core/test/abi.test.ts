// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { v8 } from "./engine/v8.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url));
const text = (path: string) => read(path).toString("utf8");

const wasm = read("build/core.wasm");
const wat = text("build/core.wat");

const CORE_WASM_MAX = 53_248;

/** AssemblyScript's type names as WebAssembly's. */
function valueType(type: string): string {
  if (type === "i64" || type === "u64") return "i64";
  if (["i32", "u32", "usize", "bool"].includes(type)) return "i32";
  throw new Error(`${type} may not cross the boundary`);
}

type Signature = { params: string[]; result: string };

/** Functions declared at the top level of an AssemblyScript file, by name. */
function declared(source: string): Map<string, Signature> {
  const found = source.matchAll(/export (?:declare )?function (\w+)\(([^)]*)\): (\w+)/g);
  return new Map(
    [...found].map(([, name = "", params = "", result = ""]) => {
      const types = [...params.matchAll(/\w+: (\w+)/g)].map((match) => valueType(match[1] ?? ""));
      return [name, { params: types, result: result === "void" ? "" : valueType(result) }];
    }),
  );
}

/** The signature of a type or function line of the text format. */
function signatureOf(line: string): Signature {
  const params = /\(param ((?:i32|i64| )+)\)/.exec(line)?.[1]?.trim().split(" ") ?? [];
  return { params, result: /\(result (\w+)\)/.exec(line)?.[1] ?? "" };
}

/** What these files re-export, and from where. */
function exportList(files: readonly string[]): Map<string, Signature> {
  const list = new Map<string, Signature>();
  for (const [, names = "", file = ""] of files
    .map((name) => text(`core/${name}.ts`))
    .join("")
    .matchAll(/export \{([^}]*)\} from "\.\/([^"]+)"/g)) {
    const functions = declared(text(`core/${file}.ts`));
    for (const name of names.split(",").map((part) => part.trim())) {
      if (name === "") continue;
      const signature = functions.get(name);
      if (signature === undefined) throw new Error(`core/${file}.ts declares no function ${name}`);
      list.set(name, signature);
    }
  }
  return list;
}

/** Signatures of the exported functions, from the text format. */
function compiledExports(wat: string): Map<string, Signature> {
  const functions = new Map<string, Signature>();
  for (const [line, name = ""] of wat.matchAll(/^ \(func (\S+)[^\n]*/gm)) {
    // Parameters are printed one by one: (param $0 i32) (param $1 i32).
    const params = [...line.matchAll(/\(param \$\S+ (i32|i64)\)/g)].map((match) => match[1] ?? "");
    functions.set(name, { params, result: /\(result (\w+)\)/.exec(line)?.[1] ?? "" });
  }
  const exports = new Map<string, Signature>();
  for (const [, name = "", target = ""] of wat.matchAll(/\(export "([^"]+)" \(func ([^)]+)\)\)/g)) {
    const signature = functions.get(target);
    if (signature === undefined) throw new Error(`the text format has no function ${target}`);
    exports.set(name, signature);
  }
  return exports;
}

/** Signatures of the imported functions, from the text format. */
function compiledImports(): Map<string, Signature> {
  const found = wat.matchAll(/\(import "hal" "([^"]+)" \(func [^\n]*/g);
  return new Map([...found].map(([line, name = ""]) => [name, signatureOf(line)]));
}

const sorted = (map: Map<string, Signature>) =>
  Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));

describe("the boundary of core.wasm", () => {
  it("imports exactly core/hal.ts", () => {
    expect(sorted(compiledImports())).toEqual(sorted(declared(text("core/hal.ts"))));
    expect(
      WebAssembly.Module.imports(new WebAssembly.Module(wasm)).map((entry) => entry.module),
    ).toEqual([...compiledImports()].map(() => "hal"));
  });

  it.each([
    ["core", ["index"]],
    ["primitives", ["index", "primitives"]],
  ])("of %s.wasm exports exactly its list and its memory", (name, lists) => {
    const functions = compiledExports(text(`build/${name}.wat`));
    expect(sorted(functions)).toEqual(sorted(exportList(lists)));
    expect(
      WebAssembly.Module.exports(new WebAssembly.Module(read(`build/${name}.wasm`)))
        .filter((entry) => entry.kind !== "function")
        .map((entry) => `${entry.kind} ${entry.name}`),
    ).toEqual(["memory memory"]);
  });

  it("is at most 52 kB", () => {
    expect(wasm.length).toBeLessThanOrEqual(CORE_WASM_MAX);
  });

  it("has no start function, never grows memory, makes no objects and uses no floats", () => {
    expect(wat).not.toMatch(/\(start /);
    expect(wat).not.toMatch(/memory\.grow/);
    expect(wat).not.toMatch(/__(new|pin|renew|collect)\b/);
    expect(wat).not.toMatch(/\bf(32|64)\./);
    expect(wat).toMatch(/\(memory \$\S+ 1 1\)/);
  });

  it("keeps every static buffer below MEMORY_LIMIT", async () => {
    const limit = Number(/MEMORY_LIMIT: u32 = (\d+)/.exec(text("core/memory.ts"))?.[1]);
    expect(limit).toBeLessThanOrEqual(32 * 1024);
    const engine = await v8.open();
    expect(engine.call("memory_used")).toBeLessThanOrEqual(limit);
    expect(engine.call("memory_used")).toBeGreaterThan(engine.call("io_len"));
    engine.close();
  });
});
