// SPDX-License-Identifier: BSD-3-Clause
// core.wasm as it was compiled, or MODULE in its place, in read-only memory. The build folder is on the include path.
#ifndef MODULE
#define MODULE "core.wasm"
#endif
    .section .core_wasm, "a"
    .balign 4
    .global core_wasm_start
core_wasm_start:
    .incbin MODULE
    .global core_wasm_end
core_wasm_end:
