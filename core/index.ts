// SPDX-License-Identifier: BSD-3-Clause
// The export list, and only that: the whole ABI on one screen. snake_case crosses the wasm boundary.
// Pointers are offsets in linear memory, lengths are bytes, text is UTF-8. Results as in status.ts.

export { io_len, io_ptr, memory_used, scratch_len, scratch_ptr } from "./abi/memory";
