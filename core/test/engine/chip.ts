// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { EmulatedLine } from "../../../boards/emulator/rp2040/emulatedLine.ts";
import { QemuLine } from "../../../boards/qemu-rv32/qemuLine.ts";
import {
  SerialEngine,
  type SerialHal,
  type SerialLine,
} from "../../../device/probe/serialEngine.ts";
import { defaultHal } from "./defaultHal.ts";
import type { Engine, EngineFactory, HalFunctions } from "./engine.ts";

/** All of core/hal.ts. */
const EVERY_ACCELERATOR = 7;

/**
 * core.wasm under wasm3 on a chip, through the engine program; each engine has a chip of its own. `accelerated`: with the
 * chip's own accelerators, unless a test brings others.
 */
function chip(name: string, start: () => SerialLine, accelerated = false): EngineFactory {
  return {
    name,
    async open(hal: (engine: Engine) => Partial<HalFunctions> = () => ({})) {
      const answers = (engine: Engine): SerialHal => ({
        ...(accelerated ? acceleratedHal(engine) : defaultHal(engine)),
        ...hal(engine),
      });
      return new SerialEngine(name, start(), answers);
    },
  };
}

function acceleratedHal(engine: Engine): SerialHal {
  const { now_ms, entropy, store_read, store_write, log } = defaultHal(engine);
  const accelerators = () => EVERY_ACCELERATOR;
  return { now_ms, entropy, store_read, store_write, log, accelerators };
}

const built = (path: string) => fileURLToPath(new URL(`../../../build/${path}`, import.meta.url));

const startRv32 = () => new QemuLine(built("qemu-rv32/probe.elf"));

const startRp2040 = () =>
  new EmulatedLine(
    readFileSync(built("rp2040/probe.bin")),
    JSON.parse(readFileSync(built("rp2040/probe.symbols.json"), "utf8")),
  );

/** RV32IMC in QEMU and the RP2040 in its emulator, with the core's own primitives and with the chip's accelerators. */
export const chips: Readonly<Record<string, EngineFactory>> = {
  rv32: chip("rv32", startRv32),
  rv32Accelerated: chip("rv32Accelerated", startRv32, true),
  rp2040: chip("rp2040", startRp2040),
  rp2040Accelerated: chip("rp2040Accelerated", startRp2040, true),
};
