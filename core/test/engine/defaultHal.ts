// SPDX-License-Identifier: BSD-3-Clause
import { randomBytes } from "node:crypto";
import type { Engine, HalFunctions } from "./engine.ts";

/** A board with real entropy, a store in memory, a monotonic clock and no accelerators. */
export function defaultHal(engine: Engine): HalFunctions {
  const slots = new Map<number, Uint8Array>();
  const noAccelerator = () => {
    throw new Error("an accelerator was called that the board did not offer");
  };
  return {
    now_ms: () => BigInt(Math.floor(performance.now())),
    entropy(out, len) {
      engine.write(out, randomBytes(len));
      return 0;
    },
    store_read(id, out, cap) {
      const value = slots.get(id);
      if (!value) return 0;
      if (value.length > cap) return -5;
      engine.write(out, value);
      return value.length;
    },
    store_write(id, x, len) {
      if (len === 0) slots.delete(id);
      else slots.set(id, engine.read(x, len));
      return 0;
    },
    log: () => {},
    accelerators: () => 0,
    accel_mod_exp: noAccelerator,
    accel_aes256: noAccelerator,
    accel_sha256: noAccelerator,
  };
}
