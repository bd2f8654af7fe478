// SPDX-License-Identifier: BSD-3-Clause
// core.wasm as it was compiled, in read-only memory. The build folder is on the include path.
    .section .core_wasm, "a"
    .balign 4
    .global core_wasm_start
core_wasm_start:
    .incbin "core.wasm"
    .global core_wasm_end
core_wasm_end:
