// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";

const folder = new URL("../../../core/test/vectors/interop/", import.meta.url);

/** One file of the interoperability vectors, by the start of its name and the shape the test expects. */
export function readVectors<T>(name: string): T {
  const value: T = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
  return value;
}
