// SPDX-License-Identifier: BSD-3-Clause
import type { EngineFactory } from "../engine/engine.ts";

/** Bytes that are the same in every run. */
export function counting(): (len: number) => Uint8Array {
  let next = 1;
  return (len) => {
    const bytes = new Uint8Array(len);
    for (let i = 0; i < len; i++) {
      next = (Math.imul(next, 1_103_515_245) + 12_345) >>> 0;
      bytes[i] = next >>> 24;
    }
    return bytes;
  };
}

/** The engine on a board whose entropy is the same in every run. */
export function repeatable(factory: EngineFactory): EngineFactory {
  return {
    name: factory.name,
    open: (hal = () => ({})) => {
      const entropy = counting();
      return factory.open((engine) => ({
        ...hal(engine),
        entropy(out, len) {
          engine.write(out, entropy(len));
          return 0;
        },
      }));
    },
  };
}
