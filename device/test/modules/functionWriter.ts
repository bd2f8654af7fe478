// SPDX-License-Identifier: BSD-3-Clause
// Writes a valid function at random. Whatever repeats takes fuel, and only functions written before are called, so that
// every call ends.

import type { Random } from "../../../host/test/random.ts";
import { I32, I64, leb, op, sleb, type TypeList } from "../wasmBytes.ts";
import { GLOBALS, type Node, node, type Signature, type ValueType } from "./tree.ts";

/** How much a function may contain, and what. */
export interface Shape {
  /** Nodes, about, and how deep they stand in each other. */
  readonly nodes: number;
  readonly depth: number;
  /** Most parameters and locals. */
  readonly params: number;
  readonly locals: number;
}

const [BLOCK, LOOP, IF, ELSE, END, VOID] = [0x02, 0x03, 0x04, 0x05, 0x0b, 0x40];
const [BR, BR_IF, BR_TABLE, RETURN, CALL_INDIRECT] = [0x0c, 0x0d, 0x0e, 0x0f, 0x11];
const [SELECT, SET, TEE, GLOBAL_GET, GLOBAL_SET] = [0x1b, 0x21, 0x22, 0x23, 0x24];
const [EQUAL_ZERO, GREATER, SUBTRACT, AND] = [0x45, 0x4a, 0x6b, 0x71];
const MEMORY_SIZE = [0x3f, 0];
const MEMORY_COPY = [0xfc, 10, 0, 0];
const MEMORY_FILL = [0xfc, 11, 0];

const from = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);
const BINARY = { [I32]: from(0x6a, 15), [I64]: from(0x7c, 15) };
const COMPARE = { [I32]: from(0x46, 10), [I64]: from(0x51, 10) };
/** Codes by what they give and take. */
const UNARY: Readonly<Record<ValueType, readonly { takes: ValueType; codes: number[] }[]>> = {
  [I32]: [
    { takes: I32, codes: [EQUAL_ZERO, 0x67, 0x68, 0x69, 0xc0, 0xc1] },
    { takes: I64, codes: [0x50, 0xa7] },
  ],
  [I64]: [
    { takes: I64, codes: [0x79, 0x7a, 0x7b, 0xc2, 0xc3, 0xc4] },
    { takes: I32, codes: [0xac, 0xad] },
  ],
};
const LOADS = { [I32]: [0x28, ...from(0x2c, 4)], [I64]: [0x29, ...from(0x30, 6)] };
const STORES = { [I32]: [0x36, 0x3a, 0x3b], [I64]: [0x37, 0x3c, 0x3d, 0x3e] };

const SPECIAL = [0n, 1n, -1n, 2n, 31n, 63n, 255n, 0xffffn, -0x8000_0000n, 0x7fff_ffffn, 1n << 63n];
/** Most accesses reach the beginning of memory, and this many bytes of it. */
const REACH = 511;

/** True as long as there is fuel. */
const FUEL_LEFT = [
  ...[GLOBAL_GET, GLOBALS.fuel, ...op.i32(1), SUBTRACT, GLOBAL_SET, GLOBALS.fuel],
  ...[GLOBAL_GET, GLOBALS.fuel, ...op.i32(0), GREATER],
];

/** What a branch to a block carries; or a loop, to which it carries nothing. */
type Label = readonly ValueType[] | "loop";

/** A number of the type: often one at an edge, else of any length. */
export function randomNumber(random: Random, type: ValueType): bigint {
  const wide = (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
  const number = random.below(3) > 0 ? random.pick(SPECIAL) : wide >> BigInt(random.below(64));
  return BigInt.asIntN(type === I32 ? 32 : 64, number);
}

type Write = () => Node;

export class FunctionWriter {
  readonly #random: Random;
  readonly #shape: Shape;
  readonly #types: TypeList;
  readonly #earlier: readonly Signature[];
  readonly #locals: readonly ValueType[];
  readonly #labels: Label[] = [];
  #results: readonly ValueType[] = [];
  #left: number;

  /** `earlier`: the functions it may call; `locals`: its parameters and locals. */
  constructor(
    random: Random,
    shape: Shape,
    types: TypeList,
    earlier: readonly Signature[],
    locals: readonly ValueType[],
  ) {
    this.#random = random;
    this.#shape = shape;
    this.#types = types;
    this.#earlier = earlier;
    this.#locals = locals;
    this.#left = shape.nodes;
  }

  body(results: readonly ValueType[]): Node[] {
    const { depth } = this.#shape;
    this.#results = results;
    return this.#inside(results, () => [
      ...this.#statements(depth, 6),
      ...this.#values(results, depth),
    ]);
  }

  #chance(one: number): boolean {
    return this.#random.below(one) === 0;
  }

  #type(): ValueType {
    return this.#random.pick([I32, I64]);
  }

  /** One of these, the first of each pair saying how often. */
  #oneOf(...kinds: readonly (readonly [often: number, write: Write])[]): Node {
    let at = this.#random.below(kinds.reduce((sum, [often]) => sum + often, 0));
    for (const [often, write] of kinds) {
      at -= often;
      if (at < 0) return write();
    }
    throw new RangeError("nothing to write");
  }

  #inside<T>(label: Label, write: () => T): T {
    this.#labels.push(label);
    const written = write();
    this.#labels.pop();
    return written;
  }

  #pickDepth(fits: (label: Label) => boolean): number | undefined {
    const depths = this.#labels.flatMap((label, i) =>
      fits(label) ? [this.#labels.length - 1 - i] : [],
    );
    return depths.length === 0 ? undefined : this.#random.pick(depths);
  }

  /** The depth of a block to which a branch carries these values; undefined: there is none. */
  #target(carries: readonly ValueType[]): number | undefined {
    return this.#pickDepth((label) => label !== "loop" && label.join() === carries.join());
  }

  #local(type: ValueType): number | undefined {
    const places = this.#locals.flatMap((local, i) => (local === type ? [i] : []));
    return places.length === 0 ? undefined : this.#random.pick(places);
  }

  // Values.

  #values(types: readonly ValueType[], depth: number): Node[] {
    return types.map((type) => this.#value(type, depth));
  }

  #value(type: ValueType, depth: number): Node {
    if (depth <= 0 || --this.#left <= 0) return this.#leaf(type);
    const below = depth - 1;
    return this.#oneOf(
      [6, () => this.#leaf(type)],
      [6, () => this.#binary(type, below)],
      [2, () => this.#unary(type, below)],
      [3, () => this.#tee(type, below)],
      [1, () => this.#select(type, below)],
      [2, () => this.#load(type, below)],
      [2, () => this.#ifValue(type, below)],
      [3, () => this.#block(BLOCK, type, below)],
      [1, () => this.#block(LOOP, type, below)],
      [4, () => this.#call(type, below)],
      [1, () => node(type, [GLOBAL_GET, GLOBALS[type]])],
      [1, () => this.#branchIfWithValue(type, below)],
      [1, () => this.#leave(type, below)],
    );
  }

  #leaf(type: ValueType): Node {
    const local = this.#local(type);
    if (local !== undefined && !this.#chance(4)) return node(type, op.get(local));
    const number = sleb(randomNumber(this.#random, type));
    return node(type, [type === I32 ? 0x41 : 0x42, ...number]);
  }

  #binary(type: ValueType, depth: number): Node {
    const of = type === I32 ? this.#type() : I64;
    const compares = of !== type || (type === I32 && this.#chance(3));
    const code = this.#random.pick((compares ? COMPARE : BINARY)[of]);
    return node(type, this.#value(of, depth), this.#value(of, depth), [code]);
  }

  #unary(type: ValueType, depth: number): Node {
    const { takes, codes } = this.#random.pick(UNARY[type]);
    return node(type, this.#value(takes, depth), [this.#random.pick(codes)]);
  }

  #tee(type: ValueType, depth: number): Node {
    const local = this.#local(type);
    return local === undefined
      ? this.#value(type, depth)
      : node(type, this.#value(type, depth), [TEE, local]);
  }

  #select(type: ValueType, depth: number): Node {
    const [a, b] = [this.#value(type, depth), this.#value(type, depth)];
    return node(type, a, b, this.#value(I32, depth), [SELECT]);
  }

  #place(depth: number): Node {
    const place = this.#value(I32, depth);
    return this.#chance(12) ? place : node(I32, place, op.i32(REACH), [AND]);
  }

  #access(code: number): number[] {
    const offset = this.#chance(40) ? 2 ** 32 - 1 : this.#random.below(64);
    return [code, 0, ...leb(offset)];
  }

  #load(type: ValueType, depth: number): Node {
    return node(type, this.#place(depth), this.#access(this.#random.pick(LOADS[type])));
  }

  #ifValue(type: ValueType, depth: number): Node {
    const arm = () =>
      this.#inside([type], () => [...this.#statements(depth, 1), this.#value(type, depth)]);
    const condition = this.#value(I32, depth);
    return node(type, condition, [IF, type], ...arm(), [ELSE], ...arm(), [END]);
  }

  #block(kind: number, type: ValueType, depth: number): Node {
    const inner = this.#inside(kind === LOOP ? "loop" : [type], () => [
      ...this.#statements(depth, 2),
      this.#value(type, depth),
    ]);
    return node(type, [kind, type], ...inner, [END]);
  }

  /** A call of a function before, by its number or by its place in the table. */
  #call(type: ValueType | null, depth: number): Node {
    const fitting = this.#earlier
      .map((callee, index) => ({ callee, index }))
      .filter(({ callee }) => (callee.results[0] ?? null) === type);
    if (fitting.length === 0) return type === null ? node(null, []) : this.#leaf(type);
    const { callee, index } = this.#random.pick(fitting);
    const args = this.#values(callee.params, depth - 1);
    if (!this.#chance(3)) return node(type, ...args, op.call(index));
    const code = [CALL_INDIRECT, ...leb(this.#types.indexOf(callee)), 0];
    return node(type, ...args, this.#tablePlace(index), code);
  }

  /** The function's place in the table; now and then one of another function, or none at all. */
  #tablePlace(index: number): Node {
    if (this.#chance(12)) return node(I32, op.i32(1000));
    if (this.#chance(12)) return node(I32, op.i32(this.#random.below(index + 1)));
    const local = this.#local(I32);
    if (local === undefined) return node(I32, op.i32(index));
    return node(I32, op.get(local), op.i32(0), [AND], op.i32(index), [0x6a]);
  }

  #branchIfWithValue(type: ValueType, depth: number): Node {
    const target = this.#target([type]);
    if (target === undefined) return this.#leaf(type);
    return node(type, this.#value(type, depth), this.#value(I32, depth), [BR_IF, ...leb(target)]);
  }

  /** Where a value should come, control goes away instead; what follows never runs. */
  #leave(type: ValueType, depth: number): Node {
    return node(type, this.#away(depth), ...(this.#chance(2) ? [this.#leaf(type)] : []));
  }

  // Statements.

  #statements(depth: number, most: number): Node[] {
    return Array.from({ length: this.#random.below(most + 1) }, () => this.#statement(depth));
  }

  #statement(depth: number): Node {
    if (depth <= 0 || --this.#left <= 0) return this.#set(0);
    const below = depth - 1;
    return this.#oneOf(
      [8, () => this.#set(below)],
      [4, () => this.#store(below)],
      [2, () => this.#setGlobal(below)],
      [3, () => this.#ifStatement(below)],
      [2, () => this.#blockStatement(below)],
      [2, () => this.#loopStatement(below)],
      [2, () => this.#branchIf(below)],
      [2, () => this.#goOn(below)],
      [2, () => this.#sometimes(below)],
      [2, () => this.#call(null, below)],
      [1, () => node(null, this.#value(this.#type(), below), [op.drop])],
      [1, () => this.#bulk(below)],
      [1, () => this.#memorySize(below)],
    );
  }

  #set(depth: number): Node {
    const type = this.#type();
    const local = this.#local(type);
    const value = this.#value(type, depth);
    return node(null, value, local === undefined ? [op.drop] : [SET, local]);
  }

  #store(depth: number): Node {
    const type = this.#type();
    const code = this.#random.pick(STORES[type]);
    return node(null, this.#place(depth), this.#value(type, depth), this.#access(code));
  }

  #setGlobal(depth: number): Node {
    const type = this.#type();
    return node(null, this.#value(type, depth), [GLOBAL_SET, GLOBALS[type]]);
  }

  #ifStatement(depth: number): Node {
    const arm = () => this.#inside([], () => this.#statements(depth, 3));
    const condition = this.#value(I32, depth);
    const otherwise = this.#chance(2) ? [[ELSE], ...arm()] : [];
    return node(null, condition, [IF, VOID], ...arm(), ...otherwise, [END]);
  }

  #blockStatement(depth: number): Node {
    const inner = this.#inside([], () => this.#statements(depth, 3));
    return node(null, [BLOCK, VOID], ...inner, [END]);
  }

  #loopStatement(depth: number): Node {
    const inner = this.#inside("loop", () => [...this.#statements(depth, 3), this.#goOn(depth)]);
    return node(null, [LOOP, VOID], ...inner, [END]);
  }

  #branchIf(depth: number): Node {
    const target = this.#target([]);
    if (target === undefined) return this.#set(depth);
    return node(null, this.#value(I32, depth), [BR_IF, ...leb(target)]);
  }

  /** Back to the beginning of a loop, as long as there is fuel: no part of it that is a node of its own goes back. */
  #goOn(depth: number): Node {
    const target = this.#pickDepth((label) => label === "loop");
    if (target === undefined) return this.#set(depth);
    const condition = [this.#value(I32, depth), FUEL_LEFT, [AND]];
    if (this.#chance(2)) return node(null, ...condition, [BR_IF, ...leb(target)]);
    const jump = this.#inside([], () => this.#jump(target + 1));
    return node(null, ...condition, [IF, VOID], ...jump, [END]);
  }

  #jump(target: number): (Node | number[])[] {
    if (this.#chance(2)) return [[BR, ...leb(target)]];
    const table = [2, ...leb(target), ...leb(target), ...leb(target)];
    return [this.#value(I32, 1), [BR_TABLE, ...table]];
  }

  /** Control goes away, under a condition. */
  #sometimes(depth: number): Node {
    const condition = this.#value(I32, depth);
    const away = this.#inside([], () => [
      this.#away(depth),
      ...(this.#chance(3) ? this.#statements(1, 1) : []),
    ]);
    return node(null, condition, [IF, VOID], ...away, [END]);
  }

  #away(depth: number): Node {
    return this.#oneOf(
      [3, () => this.#branch(depth)],
      [4, () => this.#branchTable(depth)],
      [2, () => node(null, ...this.#values(this.#results, depth), [RETURN])],
      [1, () => node(null, [op.unreachable])],
    );
  }

  /** What one of the blocks around takes from a branch. */
  #blockValues(): readonly ValueType[] {
    return this.#random.pick(this.#labels.flatMap((label) => (label === "loop" ? [] : [label])));
  }

  #branch(depth: number): Node {
    const carries = this.#blockValues();
    const target = this.#target(carries) ?? 0;
    return node(null, ...this.#values(carries, depth), [BR, ...leb(target)]);
  }

  #branchTable(depth: number): Node {
    const carries = this.#blockValues();
    const targets = Array.from(
      { length: 1 + this.#random.below(5) },
      () => this.#target(carries) ?? 0,
    );
    const values = this.#values(carries, depth);
    const table = [...leb(targets.length - 1), ...targets.flatMap(leb)];
    const selector = node(I32, this.#value(I32, depth), op.i32(7), [AND]);
    return node(null, ...values, selector, [BR_TABLE, ...table]);
  }

  #bulk(depth: number): Node {
    const size = node(I32, this.#value(I32, depth), op.i32(63), [AND]);
    const to = this.#place(depth);
    if (this.#chance(2)) return node(null, to, this.#place(depth), size, MEMORY_COPY);
    return node(null, to, this.#value(I32, depth), size, MEMORY_FILL);
  }

  #memorySize(depth: number): Node {
    const grows = this.#chance(2);
    const pages = grows ? node(I32, this.#value(I32, depth), [0x40, 0]) : node(I32, MEMORY_SIZE);
    const local = this.#local(I32);
    return node(null, pages, local === undefined ? [op.drop] : [SET, local]);
  }
}
