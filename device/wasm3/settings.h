// SPDX-License-Identifier: BSD-3-Clause
// wasm3's settings: the same on every board and on the host, so that what runs here runs there. Included before every
// unit of wasm3.

#ifndef ATMICRO_WASM3_SETTINGS_H
#define ATMICRO_WASM3_SETTINGS_H

// The core has no floating point; a module with it fails when it is compiled, not when it runs.
#define d_m3HasFloat 0
#define d_m3NoFloatDynamic 0

#define d_m3Use32BitSlots 1
#define d_m3MaxFunctionStackHeight 128
#define d_m3MaxConstantTableSize 64
#define d_m3MaxLinearMemoryPages 4
// Bytes of a code page while its function is compiled; afterwards it keeps what it needs.
#define d_m3CodePageAlignSize 512
#define d_m3CascadedOpcodes 0
#define d_m3VerboseErrorMessages 0

// What a module may use at most; limits.mjs puts them in. README.md has the native stack they come to.
// Functions that call each other, imports included.
#define LIMIT_CALL_DEPTH 32
// Blocks, loops and ifs in each other.
#define LIMIT_BLOCK_NESTING 16
// Targets of a br_table besides the default one.
#define LIMIT_BR_TABLE 256

#endif
