// SPDX-License-Identifier: BSD-3-Clause
import { Random } from "../../../host/test/random.ts";
import { I32, I64, TypeList } from "../wasmBytes.ts";
import { FunctionWriter, randomNumber, type Shape } from "./functionWriter.ts";
import type { Signature, TreeFunction, TreeModule, ValueType } from "./tree.ts";

const FUNCTIONS = 4;
const CALLS_OF_EACH = 3;

/** Small enough for every limit; and as large as the limits, or larger. */
export const USUAL: Shape = { nodes: 90, depth: 6, params: 5, locals: 6 };
export const LARGE: Shape = { nodes: 400, depth: 14, params: 30, locals: 90 };

const types = (random: Random, most: number): ValueType[] =>
  Array.from({ length: random.below(most + 1) }, () => random.pick([I32, I64]));

function signature(random: Random, { params }: Shape): Signature {
  return { params: types(random, params), results: types(random, 1) };
}

function calls(random: Random, functions: readonly TreeFunction[]): TreeModule["calls"] {
  return functions.flatMap(({ params }, index) =>
    Array.from({ length: CALLS_OF_EACH }, () => ({
      index,
      args: params.map((type) => randomNumber(random, type)),
    })),
  );
}

/** The module of this seed, whose memory may grow to `pagesMost` pages. */
export function randomModule(seed: number, pagesMost: number, shape: Shape = USUAL): TreeModule {
  const random = new Random(seed);
  const list = new TypeList();
  const signatures = Array.from({ length: FUNCTIONS }, () => signature(random, shape));
  const functions = signatures.map(({ params, results }, i) => {
    const locals = types(random, shape.locals);
    const earlier = signatures.slice(0, i);
    const writer = new FunctionWriter(random, shape, list, earlier, [...params, ...locals]);
    return { params, results, locals, body: writer.body(results) };
  });
  return { types: list.list, functions, pagesMost, calls: calls(random, functions) };
}
