// SPDX-License-Identifier: BSD-3-Clause
// The units of the probe (device/probe), the same for every board.
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { MBEDTLS, OWN, WASM3 } from "../../device/compilerFlags.mjs";
import { MbedtlsMissing, mbedtlsSource } from "../../device/mbedtls/fetch.mjs";
import { settingsFlags, Wasm3Unusable } from "../../device/wasm3/prepare.mjs";
import { BuildFailure } from "./failure.mjs";

/** Of mbedTLS's library/: the operations of device/probe/native.c and what they stand on. */
const ANCHORS = [
  ...["aes", "asn1parse", "asn1write", "bignum", "constant_time", "ecdh", "ecdsa", "ecp"],
  ...["ecp_curves", "md", "oid", "platform", "platform_util", "rsa", "rsa_internal", "sha256"],
];

const heapFlags = (board) => [
  `-DINTERPRETER_HEAP=${board.interpreter.heap}`,
  `-DINTERPRETER_MEMORY_LIMIT=${board.interpreter.memoryLimit}`,
  `-DINTERPRETER_STACK=${board.interpreter.stack}`,
  `-DINTERPRETER_CODE_LIMIT=${board.interpreter.codeLimit}`,
];

/** mbedTLS's source and wasm3's, `prepare` making the latter in a folder. */
function sources(root, out, prepare) {
  try {
    return { mbedtls: mbedtlsSource(join(root, "build")), wasm3: prepare(join(out, "wasm3")) };
  } catch (error) {
    if (error instanceof MbedtlsMissing || error instanceof Wasm3Unusable) {
      throw new BuildFailure(error.message);
    }
    throw error;
  }
}

/** Everything the program consists of but the board's own files; `flags` are the processor's. */
export function probeUnits({ root, out, cc, board, flags, prepare }) {
  const { mbedtls, wasm3 } = sources(root, out, prepare);
  const device = join(root, "device");
  const probe = join(device, "probe");
  const config = `-DMBEDTLS_CONFIG_FILE="${join(probe, "anchors.h")}"`;
  const unit = (source, more) => ({
    cc,
    source,
    flags: [...flags, ...more],
    object: join(out, "probe", `${basename(source)}.o`),
  });
  const strict = [...OWN, "-O2", `-I${device}`];
  const mbedtlsUser = [...strict, config, "-isystem", join(mbedtls, "include")];
  const wasm3User = [...strict, ...settingsFlags(), ...heapFlags(board), "-isystem", wasm3.folder];
  return [
    {
      ...unit(join(device, "module.S"), [`-I${join(root, "build")}`, '-DMODULE="primitives.wasm"']),
      inputs: [join(root, "build/primitives.wasm")],
    },
    unit(join(probe, "probe.c"), strict),
    unit(join(probe, "native.c"), mbedtlsUser),
    unit(join(device, "accelerators.c"), mbedtlsUser),
    ...["interpreter.c", "interpreterHeap.c"].map((name) => unit(join(device, name), wasm3User)),
    ...wasm3.units.map((source) => unit(source, [...WASM3, "-O2", ...wasm3.flags])),
    ...readdirSync(join(mbedtls, "library"))
      .filter((name) => ANCHORS.includes(name.replace(/\.c$/, "")) && name.endsWith(".c"))
      .map((name) => join(mbedtls, "library", name))
      .map((source) => unit(source, [...MBEDTLS, "-O2", config, `-I${join(mbedtls, "include")}`])),
  ];
}
