// SPDX-License-Identifier: BSD-3-Clause
// Makes a module that fails smaller, as long as it still does.

import { I32, op } from "../wasmBytes.ts";
import {
  isNode,
  moduleBytes,
  type Node,
  node,
  type TreeFunction,
  type TreeModule,
} from "./tree.ts";

const zero = (type: Node["type"]): Node =>
  type === null ? node(null) : node(type, type === I32 ? op.i32(0) : op.i64(0));

const isZero = (n: Node) => JSON.stringify(n) === JSON.stringify(zero(n.type));

/** The node with one thing in it smaller, the greatest steps first. */
function* smallerNodes(whole: Node): Generator<Node> {
  if (isZero(whole)) return;
  yield zero(whole.type);
  for (const part of whole.parts) {
    if (isNode(part) && part.type === whole.type) yield part;
  }
  for (const [i, part] of whole.parts.entries()) {
    if (!isNode(part)) continue;
    for (const smaller of smallerNodes(part)) {
      yield { type: whole.type, parts: whole.parts.with(i, smaller) };
    }
  }
}

function* smallerFunctions(whole: TreeFunction): Generator<TreeFunction> {
  for (const [i, part] of whole.body.entries()) {
    for (const smaller of smallerNodes(part)) yield { ...whole, body: whole.body.with(i, smaller) };
  }
}

function* smallerModules(whole: TreeModule): Generator<TreeModule> {
  for (const i of whole.calls.keys()) yield { ...whole, calls: whole.calls.toSpliced(i, 1) };
  for (const [i, f] of whole.functions.entries()) {
    for (const smaller of smallerFunctions(f)) {
      yield { ...whole, functions: whole.functions.with(i, smaller) };
    }
  }
}

/** A valid module that still fails, of which nothing can be taken away. `fails` may not change it. */
export function reduced(module: TreeModule, fails: (module: TreeModule) => boolean): TreeModule {
  for (const smaller of smallerModules(module)) {
    if (WebAssembly.validate(moduleBytes(smaller)) && fails(smaller))
      return reduced(smaller, fails);
  }
  return module;
}
