// SPDX-License-Identifier: BSD-3-Clause
// The units of device/ and what it stands on, and the flags that say a board's sizes to them.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { MbedtlsMissing, mbedtlsSource } from "../../device/mbedtls/fetch.mjs";
import {
  prepareThumbWasm3,
  prepareWasm3,
  settingsFlags,
  Wasm3Unusable,
} from "../../device/wasm3/prepare.mjs";
import { BuildFailure } from "./failure.mjs";

/** Bits of core/hal.ts, accelerators. */
const ACCELERATORS = { modExp: 1, aes256: 2, sha256: 4 };

const unitsIn = (folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".c"))
    .sort()
    .map((name) => join(folder, name));

/** Sources of the libraries. Throws BuildFailure when one is missing. */
function libraries(build, name, thumb) {
  const folder = join(build, name, "wasm3-source");
  try {
    return {
      mbedtls: mbedtlsSource(build),
      wasm3: thumb ? prepareThumbWasm3(folder, thumb) : prepareWasm3(folder),
    };
  } catch (error) {
    if (error instanceof MbedtlsMissing || error instanceof Wasm3Unusable) {
      throw new BuildFailure(error.message);
    }
    throw error;
  }
}

/**
 * { own, wasm3, mbedtls }, each { units, flags }: what to compile for a board, without the chip's own flags. `thumb` is
 * { cc, machine } for a chip with Thumb-1 only. Throws BuildFailure.
 * @param {{ root: string, build: string, board: any, thumb?: { cc: string, machine: string[] } }} chip
 */
export function runtimeFlags({ root, build, board, thumb }) {
  const { mbedtls, wasm3 } = libraries(build, board.name, thumb);
  const accelerators = board.accelerators.reduce((bits, name) => bits | ACCELERATORS[name], 0);
  const tls = [
    `-DMBEDTLS_CONFIG_FILE="${join(root, "device/mbedtls/config.h")}"`,
    `-DTLS_IN_BYTES=${board.tls.inBytes}`,
  ];
  const heap = [
    `-DINTERPRETER_HEAP=${board.interpreter.heap}`,
    `-DINTERPRETER_MEMORY_LIMIT=${board.interpreter.memoryLimit}`,
    `-DINTERPRETER_STACK=${board.interpreter.stack}`,
    `-DINTERPRETER_CODE_LIMIT=${board.interpreter.codeLimit}`,
  ];
  return {
    own: {
      units: unitsIn(join(root, "device")),
      flags: [
        ...settingsFlags(),
        "-isystem",
        wasm3.folder,
        "-isystem",
        join(mbedtls, "include"),
        ...tls,
        ...heap,
        `-DTLS_HEAP=${board.tls.heap}`,
        `-DACCELERATORS=${accelerators}`,
      ],
    },
    wasm3: { units: wasm3.units, flags: wasm3.flags },
    mbedtls: {
      units: unitsIn(join(mbedtls, "library")),
      flags: [...tls, `-I${join(mbedtls, "include")}`],
    },
  };
}
