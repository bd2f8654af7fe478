// SPDX-License-Identifier: BSD-3-Clause
// The C compiler's flags that don't depend on a board: dialect, warnings, sanitizers. Whoever compiles C takes them from here.

const WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror"];

/** Our own C: C99, no warning left. */
export const OWN = ["-std=c99", ...WARNINGS];

/** Our own C with GNU extensions: a processor's registers by assembler, or what wasm3's headers ask for. */
export const OWN_GNU = ["-std=gnu99", ...WARNINGS];

/** wasm3's units (device/wasm3/prepare.mjs gives the rest). */
export const WASM3 = ["-std=gnu99"];

/** mbedTLS's units, whose warnings are not ours. */
export const MBEDTLS = ["-std=c99", "-w"];

/** An application of somebody else: its warnings are shown and it is built all the same. */
export const FOREIGN = ["-std=gnu11", "-Wall", "-Wextra"];

/** Ends the program at the first fault of memory or undefined behaviour, for compiling and linking. */
export const SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

/** Our own C as tests run it on this machine. */
export const TESTED = [...OWN, "-O1", "-g", ...SANITIZERS];

/** A section for each function and variable, so that the linker can leave out what nobody uses. */
export const SECTIONS = ["-ffunction-sections", "-fdata-sections"];
