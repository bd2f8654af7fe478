// SPDX-License-Identifier: BSD-3-Clause
// Writes small modules byte by byte (WebAssembly core specification, chapter 5), so that the tests of the interpreter
// need no compiler.

export const I32 = 0x7f;
export const I64 = 0x7e;

/** Unsigned LEB128. */
export function leb(value: number): number[] {
  const low = value & 0x7f;
  return value > 0x7f ? [low | 0x80, ...leb(value >>> 7)] : [low];
}

const vector = (items: readonly (readonly number[])[]) => [...leb(items.length), ...items.flat()];
const name = (text: string) => [...leb(text.length), ...Buffer.from(text)];
const section = (id: number, bytes: readonly number[]) => [id, ...leb(bytes.length), ...bytes];

export interface FunctionType {
  readonly params?: readonly number[];
  readonly results?: readonly number[];
}

export interface ModuleParts {
  readonly imports?: readonly (FunctionType & { readonly module: string; readonly name: string })[];
  /** `body` is the code without the final `end`; a function without `export` is internal. */
  readonly functions?: readonly (FunctionType & {
    readonly export?: string;
    readonly body: readonly number[];
  })[];
  readonly memoryPages?: number;
  readonly importedMemory?: boolean;
  readonly start?: number;
  readonly data?: readonly { readonly at: number; readonly bytes: readonly number[] }[];
}

const functionType = ({ params = [], results = [] }: FunctionType) => [
  0x60,
  ...vector(params.map((type) => [type])),
  ...vector(results.map((type) => [type])),
];

/** A module; the memory is not exported. */
export function wasmModule(parts: ModuleParts): Uint8Array {
  const { imports = [], functions = [], memoryPages = 1, data = [] } = parts;
  const types = [...new Set([...imports, ...functions].map((f) => functionType(f).join()))];
  const typeOf = (f: FunctionType) => leb(types.indexOf(functionType(f).join()));
  const importEntries = imports.map((entry) => [
    ...name(entry.module),
    ...name(entry.name),
    0,
    ...typeOf(entry),
  ]);
  if (parts.importedMemory) importEntries.push([...name("env"), ...name("memory"), 2, 0, 1]);
  const exports = functions.flatMap((f, i) =>
    f.export === undefined ? [] : [[...name(f.export), 0, ...leb(imports.length + i)]],
  );
  const bodies = functions.map(({ body }) => {
    const code = [0, ...body, 0x0b];
    return [...leb(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types.map((type) => type.split(",").map(Number)))),
    ...section(2, vector(importEntries)),
    ...section(3, vector(functions.map(typeOf))),
    ...(parts.importedMemory ? [] : section(5, [1, 0, ...leb(memoryPages)])),
    ...section(7, vector(exports)),
    ...(parts.start === undefined ? [] : section(8, leb(parts.start))),
    ...section(10, vector(bodies)),
    ...section(
      11,
      vector(
        data.map(({ at, bytes }) => [0, 0x41, ...sleb(at), 0x0b, ...leb(bytes.length), ...bytes]),
      ),
    ),
  ]);
}

/** Signed LEB128 of a non-negative number. */
function sleb(value: number): number[] {
  const low = value & 0x7f;
  return value > 0x3f ? [low | 0x80, ...sleb(value >>> 7)] : [low];
}

export const op = {
  unreachable: 0x00,

  call: (f: number) => [0x10, ...leb(f)],
  get: (local: number) => [0x20, ...leb(local)],
  load8: [0x2d, 0, 0],
  store32: [0x36, 2, 0],
  grow: [0x40, 0],
  i32: (value: number) => [0x41, ...sleb(value)],
  drop: 0x1a,
  add: 0x6a,
  divide: 0x6d,
  add64: 0x7c,
  f32Neg: 0x8c,
  f32: [0x43, 0, 0, 0x80, 0x3f],
} as const;
