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
  readonly params?: readonly number[] | undefined;
  readonly results?: readonly number[] | undefined;
}

const same = (a: readonly number[] = [], b: readonly number[] = []) => a.join() === b.join();

/** Types that instructions name by their number, each once: the first types of a module. */
export class TypeList {
  readonly list: FunctionType[] = [];

  indexOf({ params, results }: FunctionType): number {
    const known = this.list.findIndex((t) => same(t.params, params) && same(t.results, results));
    return known >= 0 ? known : this.list.push({ params, results }) - 1;
  }
}

/** `body` is the code without the final `end`; a function without `export` is internal. */
export interface ModuleFunction extends FunctionType {
  readonly export?: string;
  /** Types of the locals after the parameters. */
  readonly locals?: readonly number[];
  readonly body: readonly number[];
}

export interface ModuleParts {
  /** The first types of the module, in this order: blocks name a type by its number. */
  readonly types?: readonly FunctionType[];
  readonly imports?: readonly (FunctionType & { readonly module: string; readonly name: string })[];
  readonly functions?: readonly ModuleFunction[];
  /** Function indexes, from place 0 of the table on. */
  readonly table?: readonly number[];
  readonly memoryPages?: number;
  /** Without it the memory grows as far as it can. */
  readonly memoryPagesMost?: number;
  /** The name the memory is exported by. */
  readonly exportMemory?: string;
  /** Mutable globals: their types and the instruction that makes their first value. */
  readonly globals?: readonly { readonly type: number; readonly init: readonly number[] }[];
  readonly importedMemory?: boolean;
  readonly start?: number;
  readonly data?: readonly { readonly at: number; readonly bytes: readonly number[] }[];
}

const functionType = ({ params = [], results = [] }: FunctionType) => [
  0x60,
  ...vector(params.map((type) => [type])),
  ...vector(results.map((type) => [type])),
];

/** The locals of a function: how many of which type. */
const localGroups = (types: readonly number[]) => vector(types.map((type) => [1, type]));

function memorySection({ memoryPages = 1, memoryPagesMost }: ModuleParts): number[] {
  const most = memoryPagesMost === undefined ? [] : leb(memoryPagesMost);
  return section(5, [1, most.length > 0 ? 1 : 0, ...leb(memoryPages), ...most]);
}

/** The table of functions, as long as what is in it, and its one segment. */
function tableSections(table: readonly number[]): { table: number[]; elements: number[] } {
  if (table.length === 0) return { table: [], elements: [] };
  const places = [0, 0x41, 0, 0x0b, ...vector(table.map(leb))];
  return {
    table: section(4, [1, 0x70, 0, ...leb(table.length)]),
    elements: section(9, [1, ...places]),
  };
}

/** A module. */
export function wasmModule(parts: ModuleParts): Uint8Array {
  const { imports = [], functions = [], globals = [], data = [] } = parts;
  const all = [...(parts.types ?? []), ...imports, ...functions];
  const types = [...new Set(all.map((f) => functionType(f).join()))];
  const typeOf = (f: FunctionType) => leb(types.indexOf(functionType(f).join()));
  const table = tableSections(parts.table ?? []);
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
  if (parts.exportMemory !== undefined) exports.push([...name(parts.exportMemory), 2, 0]);
  const bodies = functions.map(({ locals = [], body }) => {
    const code = [...localGroups(locals), ...body, 0x0b];
    return [...leb(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types.map((type) => type.split(",").map(Number)))),
    ...section(2, vector(importEntries)),
    ...section(3, vector(functions.map(typeOf))),
    ...table.table,
    ...(parts.importedMemory ? [] : memorySection(parts)),
    ...(globals.length === 0
      ? []
      : section(6, vector(globals.map(({ type, init }) => [type, 1, ...init, 0x0b])))),
    ...section(7, vector(exports)),
    ...(parts.start === undefined ? [] : section(8, leb(parts.start))),
    ...table.elements,
    ...section(10, vector(bodies)),
    ...section(
      11,
      vector(
        data.map(({ at, bytes }) => [0, 0x41, ...sleb(at), 0x0b, ...leb(bytes.length), ...bytes]),
      ),
    ),
  ]);
}

/** Signed LEB128. */
export function sleb(value: number | bigint): number[] {
  const whole = BigInt(value);
  const low = Number(BigInt.asUintN(7, whole));
  const fits = BigInt.asIntN(7, whole) === whole;
  return fits ? [low] : [low | 0x80, ...sleb(whole >> 7n)];
}

export const op = {
  unreachable: 0x00,

  call: (f: number) => [0x10, ...leb(f)],
  get: (local: number) => [0x20, ...leb(local)],
  load8: [0x2d, 0, 0],
  store32: [0x36, 2, 0],
  grow: [0x40, 0],
  i32: (value: number) => [0x41, ...sleb(value)],
  i64: (value: number | bigint) => [0x42, ...sleb(value)],
  drop: 0x1a,
  add: 0x6a,
  divide: 0x6d,
  add64: 0x7c,
  f32Neg: 0x8c,
  f32: [0x43, 0, 0, 0x80, 0x3f],
} as const;
